"""The merchant's setup file: read, checked on load, errors that name line and field.

One YAML file per merchant becomes a `kette.domain.policy.Setup`. All that is wrong is reported in
one go. Secrets stay references; `resolve_secret` fetches one when it is needed. The version is a
digest of the content as written: comments, layout and the environment do not change it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kette.domain.policy import (
    AccountingPolicy,
    ActionPolicy,
    ApprovalPolicy,
    CustomerPolicy,
    ExceptionPolicy,
    FulfillmentPolicy,
    IntakePolicy,
    Merchant,
    PaymentPolicy,
    PullPolicy,
    RiskPolicy,
    Setup,
    System,
)
from kette.policies import load_intake_data
from kette.setup_fields import setup_reader
from kette.setup_rules import check_across_fields
from kette.setup_schema import INVALID, Reading
from kette.setup_yaml import Problem, parse_document

_SECTIONS = {
    "intake": IntakePolicy,
    "risk": RiskPolicy,
    "payment": PaymentPolicy,
    "fulfillment": FulfillmentPolicy,
    "accounting": AccountingPolicy,
    "customer": CustomerPolicy,
    "approvals": ApprovalPolicy,
    "exceptions": ExceptionPolicy,
    "actions": ActionPolicy,
}
_MAX_SECRET_BYTES = 64 * 1024


class SetupError(Exception):
    """The file cannot be used. `problems` are sorted by line; str() shows them one per line."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.render(file) for problem in problems))
        self.file = file
        self.problems = problems


class SecretError(Exception):
    """A secret cannot be had. The message names the reference, never a value."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"secret {reference}: {reason}")
        self.reference = reference
        self.reason = reason


def load_setup(path: Path, environ: Mapping[str, str]) -> Setup:
    """Read a setup from a file. Raises SetupError, also for a file that cannot be opened."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        problem = Problem(1, 1, "", f"the file cannot be read: {reason}", "check path and rights")
        raise SetupError(str(path), (problem,)) from error
    return read_setup(data, str(path), environ)


def read_setup(data: bytes, file: str, environ: Mapping[str, str]) -> Setup:
    """Read a setup from bytes; file is the name shown in errors. Raises SetupError.

    environ fills ${NAME:-default} in base URLs and options; secrets are not looked up.
    """
    root, problems = parse_document(data)
    reading = Reading(environ)
    reading.problems.extend(problems)
    values: Any = INVALID
    if root is not None:
        values = setup_reader(load_intake_data().risk.weights)(root, "", reading)
    if isinstance(values, dict):
        check_across_fields(values, reading)
    if reading.problems:
        ordered = sorted(reading.problems, key=lambda problem: (problem.line, problem.column))
        raise SetupError(file, tuple(ordered))
    return _build(values)


def resolve_secret(reference: str, environ: Mapping[str, str]) -> bytes:
    """Return the value behind env:NAME or file:PATH, line end at the end removed.

    Raises SecretError when it is missing, empty or not a reference."""
    scheme, _, name = reference.partition(":")
    if scheme == "env" and name:
        value = environ.get(name)
        if value is None:
            raise SecretError(reference, f"the environment variable {name} is not set")
        found = value.encode("utf-8", "surrogateescape")
    elif scheme == "file" and name:
        found = _read_secret_file(reference, Path(name))
    else:
        raise SecretError("(not shown)", "is no reference; write env:NAME or file:PATH")
    if not found.strip():
        raise SecretError(reference, "is empty")
    return found


def _read_secret_file(reference: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(_MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise SecretError(reference, error.strerror or "cannot be read") from error
    except ValueError as error:
        raise SecretError(reference, "is not a path") from error
    if len(found) > _MAX_SECRET_BYTES:
        raise SecretError(reference, f"has more than {_MAX_SECRET_BYTES} bytes")
    # Editors and `echo` end a file with a line break that is not part of the secret.
    return found.removesuffix(b"\n").removesuffix(b"\r")


def _build(values: dict[str, Any]) -> Setup:
    written = _setup(values, position=0)
    canonical = msgspec.json.encode([written, list(written.systems)], order="sorted")
    version = hashlib.sha256(canonical).hexdigest()[:16]
    return msgspec.structs.replace(_setup(values, position=1), version=version)


def _setup(values: dict[str, Any], position: int) -> Setup:
    """position 0: placeholders as written, for the digest; 1: filled from the environment."""
    sections = {key: build(**values.get(key, {})) for key, build in _SECTIONS.items()}
    shops = tuple(key for key, raw in values["systems"].items() if raw["role"] == "shop")
    return Setup(
        name=values["name"],
        merchant=Merchant(**values["merchant"]),
        systems={key: _system(key, raw, position, shops) for key, raw in values["systems"].items()},
        **sections,
    )


def _system(system_id: str, raw: dict[str, Any], position: int, shops: tuple[str, ...]) -> System:
    # Left out = all. A provider's events name no shop, so its adapter has to know which are meant.
    served = shops if raw["role"] in ("payment", "carrier") else ()
    return System(
        id=system_id,
        kind=raw["kind"],
        role=raw["role"],
        base_url=raw["base_url"][position].rstrip("/") if "base_url" in raw else "",
        serves=raw.get("serves") or served,
        secrets=raw.get("secrets", {}),
        options={name: pair[position] for name, pair in raw.get("options", {}).items()},
        pull=PullPolicy(
            **raw.get("pull", {}),
            is_watched=raw.get("pull", {}).get("silent_after_s") is not None,
        ),
    )
