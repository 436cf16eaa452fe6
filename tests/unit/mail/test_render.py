"""Every notice in both languages and both forms; what is hostile or missing stops no mail."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_string
from email.message import EmailMessage

import msgspec
import pytest
from jinja2 import Environment, PackageLoader
from kette.adapters.mail.address import checked, one_line, sender
from kette.adapters.mail.message import find_action_key
from kette.adapters.mail.model import (
    ExceptionView,
    LineView,
    Mail,
    MailAddressError,
    MailContext,
    ParcelView,
    Problem,
    UnknownNoticeError,
)
from kette.adapters.mail.render import CUSTOMER_NOTICES, STAFF_NOTICES, render_mail, safe_url
from kette.adapters.mail.views import payment_variant
from kette.adapters.mail.words import FIELDS, LABELS, PROBLEMS
from kette.domain.order import Address
from kette.domain.policy import CustomerPolicy, Merchant, Setup
from kette.domain.wording import Language
from support.mail_samples import ANKE, FULL, MERCHANT, ORDER, SETUP, Page, eur, replace

LANGUAGES: tuple[Language, ...] = ("de", "en")
ALL = CUSTOMER_NOTICES + STAFF_NOTICES


def mail_of(
    notice: str, context: MailContext = FULL, language: Language = "de", setup: Setup = SETUP
) -> Mail:
    if notice in STAFF_NOTICES and not context.to:
        context = replace(context, to="ops@nordlicht.example")
    return render_mail(notice, context, language, setup)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", ALL)
def test_every_notice_is_well_formed_and_marked(notice: str, language: Language) -> None:
    mail = mail_of(notice, language=language)
    page = Page(mail.html)
    assert page.tags <= {
        *("html", "head", "meta", "title", "body", "table", "tr", "td", "p", "a", "ul", "li", "br")
    }
    message = EmailMessage()
    message.set_content(mail.html, "html")
    assert find_action_key(message.as_bytes()) == "notify:ord_1:1"
    assert mail.subject
    assert "102" in mail.subject
    assert "<" not in mail.text
    assert all(len(row) <= 100 for row in mail.text.split("\n"))
    assert "\n\n\n" not in mail.text
    assert "Nordlicht Laden GmbH" in mail.text
    assert "USt-IdNr. DE000000000" in mail.text or "VAT ID DE000000000" in mail.text
    assert mail.sender == '"Nordlicht Laden GmbH" <laden@nordlicht.example>'
    assert mail.reply_to == "hilfe@nordlicht.example"


@pytest.mark.parametrize("notice", ALL)
def test_the_two_languages_are_not_the_same(notice: str) -> None:
    assert mail_of(notice, language="de").subject != mail_of(notice, language="en").subject
    assert LABELS["de"].keys() == LABELS["en"].keys()
    assert FIELDS["de"].keys() == FIELDS["en"].keys()
    assert PROBLEMS["de"].keys() == PROBLEMS["en"].keys()


def test_every_template_belongs_to_a_notice_and_a_language() -> None:
    loader = PackageLoader("kette.adapters.mail", "templates")
    names = {name for name in Environment(loader=loader).list_templates() if "/" in name}
    assert names == {f"{language}/{notice}.j2" for language in LANGUAGES for notice in ALL}


CASES = [
    ("confirmation", {"payment": "paid"}, "Ihre Zahlung ist eingegangen"),
    ("confirmation", {"payment": "prepayment"}, "DE02 1203 0000 0000 2020 51"),
    ("confirmation", {"payment": "later"}, "nach Erhalt der Rechnung"),
    ("confirmation", {"payment": "open"}, "https://pay.example/abc?x=1&y=2"),
    ("confirmation", {}, "Verwendungszweck"),
    ("payment_reminder", {"n": "1"}, "noch keine Zahlung erhalten"),
    ("payment_reminder", {"n": "failed"}, "nicht abschließen"),
    ("payment_reminder", {"link": ""}, "DE02 1203 0000 0000 2020 51"),
    ("shipped", {}, "0034"),
    ("tracking", {}, "https://track.example/0034"),
    ("partially_shipped", {}, "3 × Buch"),
    ("delayed", {}, "12.11.2026"),
    ("delivered", {}, "wurde zugestellt"),
    ("cancelled", {}, "wurde storniert"),
    ("return_received", {}, "Rücksendung ist bei uns eingetroffen"),
    ("refunded", {}, "29,80"),
    ("request_correction", {}, "Straße und Hausnummer: Die Hausnummer fehlt."),
    ("request_correction", {}, "Ort: Bitte prüfen Sie diese Angabe."),
    ("notify_owner", {}, "The house number is missing"),
    ("notify_owner", {}, "06.11.2026, 10:00"),
    ("escalate", {}, "über seine Frist hinaus offen"),
    ("create_task", {}, "Transfer 10.00 EUR back."),
]


@pytest.mark.parametrize(("notice", "changes", "words"), CASES)
def test_both_forms_tell_the_point(notice: str, changes: dict[str, object], words: str) -> None:
    mail = mail_of(notice, replace(FULL, **changes))
    page = Page(mail.html)
    flat = " ".join(mail.text.split())
    assert words in flat
    assert words in page.words.replace("\u00a0", " ") or words in page.links


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_reminders_after_the_first_are_counted(number: str) -> None:
    subject = mail_of("payment_reminder", replace(FULL, n=number)).subject
    assert subject.startswith(f"{number}. ") == (number != "1")


def test_rows_of_a_confirmation_stand_under_each_other() -> None:
    # A statement at the beginning of a line once took the blanks before it.
    lines = mail_of("confirmation").text.splitlines()
    for row in ("2 × Becher „Leuchtturm“: 29,80 €", "Versand (DHL Paket): 4,90 €"):
        assert f"  {row}" in lines


def test_a_confirmation_shows_rows_tax_and_total() -> None:
    flat = " ".join(mail_of("confirmation").text.split())
    for words in (
        "2 × Becher „Leuchtturm“: 29,80 €",
        "Versand (DHL Paket): 4,90 €",
        "Gesamtbetrag: 34,70 €",
        "darin USt. 19 %: 5,54 €",
        "04.11.2026",  # half past midnight in Hamburg
    ):
        assert words in flat


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({"payment_method": "bacs"}, "prepayment"),
        ({"payment_method": "invoice"}, "later"),
        ({"payment_method": "card"}, "open"),
        ({"payment_method": "card", "paid_at": datetime(2026, 11, 4, tzinfo=UTC)}, "paid"),
        ({"payment_method": "", "total": eur("0.00")}, "paid"),
    ],
)
def test_the_payment_is_read_off_the_order(changes: dict[str, object], variant: str) -> None:
    assert payment_variant(replace(ORDER, **changes), SETUP) == variant


HOSTILE = "<script>alert(1)</script>\"'\r\nBcc: victim@example.org\r\n\r\n{{ 7*7 }}\u202e\x00"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", ALL)
def test_hostile_texts_reach_neither_html_nor_headers(notice: str, language: Language) -> None:
    evil = replace(ANKE, name=HOSTILE, line1=HOSTILE, city=HOSTILE)
    order = replace(
        ORDER,
        number=HOSTILE,
        payment_title=HOSTILE,
        billing=evil,
        shipping=evil,
        lines=tuple(replace(row, name=HOSTILE * 40) for row in ORDER.lines),
    )
    context = replace(
        FULL,
        action_key='k"><script>',
        order=order,
        link=f"javascript:alert(1){HOSTILE}",
        order_url="https://x.example/\r\nBcc: y",
        parcels=(ParcelView(HOSTILE, 'https://x.example/"onclick="x', HOSTILE),),
        lines=(LineView(HOSTILE, 1),),
        open_lines=(LineView(HOSTILE, 1),),
        problems=(Problem(HOSTILE, HOSTILE, HOSTILE),),
        reason=HOSTILE,
        subject=HOSTILE,
        task=HOSTILE,
        exception=ExceptionView(
            HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, None, {HOSTILE: {HOSTILE: 1}}, HOSTILE
        ),
    )
    setup = replace(SETUP, merchant=replace(MERCHANT, name=HOSTILE))
    mail = mail_of(notice, context, language, setup)
    page = Page(mail.html)
    assert "script" not in page.tags
    assert page.links == []
    assert "49" not in mail.subject
    for value in (mail.to, mail.sender, mail.reply_to, mail.subject):
        assert value.isprintable()
        assert len(value) <= 400
    header = message_from_string(f"From: {mail.sender}\nTo: {mail.to}\nSubject: {mail.subject}\n\n")
    assert header.keys() == ["From", "To", "Subject"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", ALL)
def test_missing_details_stop_no_mail(notice: str, language: Language) -> None:
    bare = Setup(name="x", merchant=Merchant(name="", address=Address()), systems={})
    bare = replace(bare, customer=CustomerPolicy(mail_from="laden@nordlicht.example"))
    empty_order = replace(
        ORDER,
        lines=(),
        tax_by_rate=(),
        billing=Address(),
        shipping=Address(),
        payment_title="",
        payment_method="",
    )
    for order in (None, empty_order):
        context = MailContext(action_key="k", order=order, to="anke@example.org")
        mail = render_mail(notice, context, language, bare)
        Page(mail.html)
        assert "None" not in mail.text
        assert mail.to == "anke@example.org"


def test_an_order_of_a_thousand_lines_is_cut_and_says_so() -> None:
    lines = tuple(replace(ORDER.lines[0], id=str(number)) for number in range(1000))
    mail = mail_of("confirmation", replace(FULL, order=replace(ORDER, lines=lines)))
    assert "+ 900" in mail.text
    assert len(mail.html) < 100_000


@pytest.mark.parametrize("address", ["", "anke", "anke@", "@x.org", "a b@x.org", "a@b@c d", "a@-x"])
def test_a_bad_address_is_an_error_that_names_its_field(address: str) -> None:
    order = replace(ORDER, billing=replace(ANKE, email=address), shipping=Address())
    with pytest.raises(MailAddressError) as refused:
        mail_of("shipped", replace(FULL, order=order))
    assert refused.value.field == "to"
    assert refused.value.code == "mail_address_invalid"


@pytest.mark.parametrize(
    "address",
    [
        "a@x.org, b@x.org",
        "a@x.org\nBcc: b@x.org",
        '"a b"@x.org',
        "Anke <a@x.org>",
        "a@x..org",
        "a..b@x.org",
        "ä@x.org",
        "a@x.org;b@x.org",
        "a" * 65 + "@x.org",
        "a@" + "x" * 64 + ".org",
    ],
)
def test_addresses_that_could_become_two_or_fail_later_are_refused(address: str) -> None:
    with pytest.raises(MailAddressError):
        checked(address, "to")


def test_domains_are_put_into_ascii() -> None:
    assert checked(" Anke@Müller.Example ", "to") == "Anke@xn--mller-kva.example"


@pytest.mark.parametrize(
    ("configured", "shown"),
    [
        ("laden@x.example", '"Nordlicht" <laden@x.example>'),
        ("Laden & Söhne <laden@x.example>", '"Laden & Söhne" <laden@x.example>'),
        ('"A, B" <laden@x.example>', '"A, B" <laden@x.example>'),
        ("Evil\r\nBcc: x <laden@x.example>", '"x" <laden@x.example>'),
        ("a@x.example, b@x.example", None),
    ],
)
def test_the_sender_has_a_name_and_one_address(configured: str, shown: str | None) -> None:
    if shown is None:
        with pytest.raises(MailAddressError):
            sender(configured, "Nordlicht", "customer.mail_from")
    else:
        assert sender(configured, "Nordlicht", "customer.mail_from") == shown


def test_a_setup_without_sender_is_an_error() -> None:
    merchant = replace(MERCHANT, address=replace(MERCHANT.address, email=""))
    setup = replace(SETUP, merchant=merchant, customer=CustomerPolicy())
    with pytest.raises(MailAddressError) as refused:
        mail_of("shipped", setup=setup)
    assert refused.value.field == "customer.mail_from"


def test_an_unknown_notice_is_an_error() -> None:
    with pytest.raises(UnknownNoticeError):
        mail_of("../de/shipped")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//x.example",
        "http://",
        "https://x.example/\nBcc: y",
        "https://x.example/ y",
        'https://x.example/"x',
        "https://[x",
        "https://x.example/" + "y" * 2000,
        "",
    ],
)
def test_only_web_links_become_links(url: str) -> None:
    assert safe_url(url) == ""


def test_one_line_is_one_line() -> None:
    assert one_line("a\r\n\tb\u2028c\x00\u202ed") == "a b cd"
    assert one_line("x" * 300, 10) == "x" * 9 + "…"


def test_the_mail_goes_out_under_the_names_of_the_contract() -> None:
    assert list(msgspec.to_builtins(mail_of("shipped"))) == [
        *("to", "from", "reply_to", "subject", "html", "text")
    ]
