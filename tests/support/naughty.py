"""Texts that break programs, collected for the tests of whatever comes from outside."""

from __future__ import annotations

NAUGHTY = (
    *("", " ", "\t", "\n", "\r\n", "\u00a0", "\u200b", "\ufeff", "\u2028", "\u2029"),
    *("\x7f", "\x1b[31m", "\x00", "a\x00b", "\x00" * 50),
    *("\x01\x02\x03", "\x80\x81", "\ufffe\uffff"),
    *("\ufffd", "undefined", "null", "NULL", "None"),
    *("nil", "true", "false", "NaN", "Infinity", "-Infinity"),
    *("0", "-0", "-1", "1.5", "1e999", "1E-400", "0x1F", "0b1", "1_000", "1,000.00", "١٢٣", "９"),
    *("9" * 20, "9" * 400, "0." + "0" * 400 + "1", "-9223372036854775809", "9223372036854775808"),
    *("'", '"', "`", "\\", "\\\\", "''", '"" "', "';--", "' OR '1'='1", "1; DROP TABLE orders"),
    *("' UNION SELECT * FROM facts --", "%", "%%", "%s%s%n", "%(name)s", "_", "\\%", ":name"),
    *("{0}", "{{7*7}}", "${7*7}", "#{7*7}"),
    *("<%= 7*7 %>", "={{ $json.secret }}", "{{ $env.HOME }}"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt;", "&#0;"),
    *("&amp;amp;", "]]>", "<!--", "<?xml?>"),
    *("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "=1+1"),
    *("../../etc/passwd", "..\\..\\x", "/dev/null", "C:\\con", "file:///etc/passwd"),
    *("//evil.example", "a\r\nSet-Cookie: x=1"),
    *("a\nBcc: b@example.org", "\u0000.pdf", "CON", "-rf", "--help"),
    *("$(id)", "😀", "👩‍👩‍👧‍👦", "🏴‍☠️", "🇩🇪", "é"),
    *("e\u0301", "ﷺ", "Ω≈ç√∫", "ﬁ", "İi", "ßSS", "\u202eabc"),
    *("田中さん", "Ⅷ", "مرحبا", "שלום", "Z͑ͫ̓ͪ̂ͫ̽͏a͈l͖g̫o", "\U0010ffff", "\U000e0001", "ǅ"),
    *("a" * 255, "a" * 256, "a" * 10_000, "ä" * 5_000, "😀" * 3_000, "a b " * 2_000, "(" * 500),
    *("https://example.org/" + "a" * 3000, "x@" + "y" * 300 + ".example", "@", "a@b@c", "a@b\nc"),
)  # fmt: skip
