"""The smallest good setup file, and what is said about a changed one."""

from __future__ import annotations

import pytest
from kette.setup_file import SetupError, read_setup

GOOD = """\
name: minimal
merchant:
  name: Laden GmbH
  address: {line1: Weg 1, postal_code: "20457", city: Hamburg, country_code: DE}
  tax_number: 48/123/45678
systems:
  shop-a:
    kind: woocommerce
    role: shop
    base_url: https://a.example
    secrets:
      webhook: env:A_SECRET
"""


def problems_of(text: str | bytes, **environ: str) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SetupError) as caught:
        read_setup(data, "f.yaml", environ)
    assert str(caught.value) == "\n".join(p.render("f.yaml") for p in caught.value.problems)
    return [problem.render("f.yaml") for problem in caught.value.problems]


def place(text: str, part: str) -> str:
    """LINE:COL of the first place of a part of the text."""
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
