"""IBANs in what customers write, as where a refund shall go: found, checked, never repeated.

Only the country and the last four digits are shown: findings go into notes of the shop and mails to
staff. The whole number stays where the customer wrote it, in the note of the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from kette.domain.findings import Finding, Severity

# Groups of up to four, as banks print them; the check digits tell an IBAN from other numbers.
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
    re.I | re.ASCII,
)
_SAYS_IBAN = re.compile(r"\biban\b", re.I)
_MOST = 4000
_MOST_NUMBERS = 5


def bank_data_findings(note: str) -> Iterator[Finding]:
    """A valid IBAN is told; a wrong one only where the customer calls it an IBAN.

    >>> [f.message for f in bank_data_findings("Erstattung an DE02 1203 0000 0000 2020 51")]
    ['the customer gave bank data: DE...2051']
    >>> list(bank_data_findings("Auftrag AB12 3456 7890 1234"))
    []
    """
    text = note[:_MOST]
    for match in islice(_IBAN.finditer(text), _MOST_NUMBERS):
        compact = match[0].replace(" ", "").upper()
        shown = f"{compact[:2]}...{compact[-4:]}"
        if _is_valid(compact):
            message = f"the customer gave bank data: {shown}"
            yield _finding("note_bank_data", message)
        elif _SAYS_IBAN.search(text):
            yield _finding("note_iban_invalid", f"the IBAN in the note is not valid: {shown}")


def _is_valid(compact: str) -> bool:
    try:
        IBAN(compact)
    except (SchwiftyException, ValueError):
        return False
    return True


def _finding(code: str, message: str) -> Finding:
    return Finding(code, "customer_note", Severity.WARNING, message, exception_kind="special_note")
