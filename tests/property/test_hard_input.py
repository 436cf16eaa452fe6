"""No text that anybody types stops an address, an order or an event of a shop.

What the slowest text costs is measured by `make bench --only hard`; a time in a test would fail on
a busy machine.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.hard_input import LONG, readers, strings

TEXTS = strings()


def test_the_list_is_whole() -> None:
    assert len(TEXTS) > 650
    assert sum(len(text) == LONG for text in TEXTS) >= 40
    assert any("\u202e" in text for text in TEXTS)


@pytest.mark.parametrize("read", [pytest.param(read, id=name) for name, read in readers()])
def test_every_text_is_read_or_refused(read: Callable[[str], None]) -> None:
    for text in TEXTS:
        read(text)
