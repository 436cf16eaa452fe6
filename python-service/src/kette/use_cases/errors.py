"""Errors of the use cases. They carry data; api/problems.py words them for the outside."""

from __future__ import annotations


class KetteError(Exception):
    """Base of all errors that a caller can act on."""


class StoreBusyError(KetteError):
    """The database does not answer now, or gave way to another writer. Trying again helps."""


class UnstorableError(KetteError, ValueError):
    """A value that the database cannot hold, such as the character NUL."""


class UnknownSystemError(KetteError):
    def __init__(self, system_id: str, known: list[str]) -> None:
        super().__init__(system_id)
        self.system_id = system_id
        self.known = known


class SignatureInvalidError(KetteError):
    def __init__(self, system_id: str, reason: str) -> None:
        super().__init__(reason)
        self.system_id = system_id
        self.reason = reason


class NotFoundError(KetteError):
    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} {name}")
        self.what = what
        self.name = name


class ConflictError(KetteError):
    """The request is fine, the state of things does not allow it. `advice` says what to do."""

    def __init__(self, detail: str, advice: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.advice = advice


class InvalidInputError(KetteError):
    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


# What a rule raises when it is broken. Errors of the database are not among them: they pass.
RULE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
