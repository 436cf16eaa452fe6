"""Taking WordPress' HTML out of text that people typed.

The block checkout stores "Kruse & Söhne" as "Kruse &amp; Söhne", once more for each time a saved
address is saved again; product names may hold tags. Labels, invoices and mails need plain words.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from kette.adapters.vendors.fields import line_of_text, text

# Only complete entities: html.unescape alone would make "©right" of a plain "&copyright".
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_MOST_ESCAPES = 3
_character = lru_cache(maxsize=1024)(html.unescape)


def plain_line(value: object) -> str:
    """One line of text with entities decoded; tags stay, for names such as "A <B> C".

    >>> plain_line("Kruse &amp;amp; Söhne"), plain_line("AT&T"), plain_line(None)
    ('Kruse & Söhne', 'AT&T', '')
    """
    found = line_of_text(value)
    return line_of_text(_decoded(found)) if "&" in found else found


def plain_text(value: object) -> str:
    """Like `plain_line`, line breaks kept."""
    found = text(value)
    if "\r" in found:
        found = found.replace("\r\n", "\n").replace("\r", "\n")
    return text(_decoded(found)) if "&" in found else found


def product_name(value: object) -> str:
    """A name without tags and entities.

    >>> product_name('Tau &amp; Tampen <b>8 mm</b> "Deluxe" 100 %')
    'Tau & Tampen 8 mm "Deluxe" 100 %'
    """
    found = text(value)
    if "<" in found:
        found = _TAG.sub("", found)
    return plain_line(found)


def _decoded(found: str) -> str:
    for _ in range(_MOST_ESCAPES):
        decoded = _ENTITY.sub(lambda match: _character(match[0]), found)
        if decoded == found:
            break
        found = decoded
    return found
