"""What a check has to say about an order: a stable code, the field, and what follows from it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    INFO = "info"  # worth knowing; nothing follows
    WARNING = "warning"  # a person should look; the order goes on
    ERROR = "error"  # the order waits


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """code is stable (docs list it); field is a path such as "delivery.postal_code".

    exception_kind names the entry of the exception list that the finding opens, empty for none.
    """

    code: str
    field: str
    severity: Severity
    message: str
    before: str = ""
    after: str = ""  # what we would make of it; a proposal unless severity is info
    exception_kind: str = ""

    @property
    def is_blocking(self) -> bool:
        return self.severity is Severity.ERROR
