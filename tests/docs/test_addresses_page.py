"""docs/addresses.md lists the findings of the code, all and no others."""

from __future__ import annotations

import re

from support.labelled_addresses import labelled_addresses
from support.markdown import DOCS, ROOT, rows, section

PAGE = (DOCS / "addresses.md").read_text("utf-8")
CODE = ROOT / "python-service" / "src" / "kette" / "domain" / "address"
_CALL = re.compile(r'parts\.(?:note|hint|warn|refuse)\(\s*"([a-z0-9_]+)"')
# Codes that are passed on by name.
_NAMED = {"house_number_first", "postal_code_respelled", "postal_code_missing"} | {
    "postal_code_invalid"
}


def test_every_finding_is_listed_and_every_listed_one_exists() -> None:
    source = "\n".join(path.read_text("utf-8") for path in sorted(CODE.glob("*.py")))
    made = set(_CALL.findall(source)) | _NAMED
    listed = {
        code
        for row in rows(section(PAGE, "Findings"))
        for code in re.findall("`([a-z0-9_]+)`", row[0])
    }
    assert made == listed


def test_the_size_of_the_set_is_told() -> None:
    labelled = labelled_addresses()
    countries = {one.country for one in labelled}
    assert f"{len(labelled)} addresses of {len(countries)} countries" in PAGE
