"""The knowledge that the intake rules need beside the merchant's setup, loaded by the shell
(`kette.policies.load_intake_data`)."""

from __future__ import annotations

import msgspec

from kette.domain.address import AddressRules
from kette.domain.notes import NoteRules
from kette.domain.risk import RiskRules
from kette.domain.tax_place import TaxTable


class IntakeData(msgspec.Struct, frozen=True):
    address: AddressRules
    tax: TaxTable
    notes: NoteRules
    risk: RiskRules
