"""The address in the making: the parts so far, and what was found about them."""

from __future__ import annotations

from kette.domain.address.model import AddressKind, AddressRules, CountryRules
from kette.domain.address.text import clean
from kette.domain.findings import Finding, Severity
from kette.domain.order import Address

EXCEPTION_KIND = "invalid_address"
_SHOWN = 200  # characters of an odd text that a finding repeats


class Parts:
    """Starts as what was typed, with invisible characters and double blanks gone."""

    def __init__(self, typed: Address, rules: AddressRules) -> None:
        self.rules = rules
        self.country: CountryRules = rules.unknown
        self.typed = {field: clean(getattr(typed, field)) for field in typed.__struct_fields__}
        self.name = self.typed["name"]
        self.company = self.typed["company"]
        self.street = self.typed["line1"]
        self.house_number = ""
        self.addition = self.typed["line2"]
        self.postal_code = self.typed["postal_code"]
        self.city = self.typed["city"]
        self.region = self.typed["region"]
        self.country_code = ""
        self.kind = AddressKind.STREET
        self.locker_number = ""
        self.post_number = ""
        self.phone = self.typed["phone"]
        self.email = self.typed["email"]
        self.findings: list[Finding] = []

    def note(self, code: str, field: str, message: str, before: str = "", after: str = "") -> None:
        """Done, or worth knowing: nothing follows."""
        self._add(code, field, Severity.INFO, message, before, after, "")

    def hint(self, code: str, field: str, message: str, before: str = "", after: str = "") -> None:
        """A person may look; nothing opens an entry of the exception list."""
        self._add(code, field, Severity.WARNING, message, before, after, "")

    def warn(self, code: str, field: str, message: str, before: str = "", after: str = "") -> None:
        """A person should look; the order goes on."""
        self._add(code, field, Severity.WARNING, message, before, after, EXCEPTION_KIND)

    def refuse(
        self, code: str, field: str, message: str, before: str = "", after: str = ""
    ) -> None:
        """The order waits."""
        self._add(code, field, Severity.ERROR, message, before, after, EXCEPTION_KIND)

    def _add(
        self,
        code: str,
        field: str,
        severity: Severity,
        message: str,
        before: str,
        after: str,
        kind: str,
    ) -> None:
        shown = (before[:_SHOWN], after[:_SHOWN])
        self.findings.append(Finding(code, field, severity, message, *shown, kind))

    def add(self, *texts: str, first: bool = False) -> None:
        """Put what has no part of its own into the addition, before or behind what is there."""
        order = (*texts, self.addition) if first else (self.addition, *texts)
        self.addition = ", ".join(text for text in order if text)
