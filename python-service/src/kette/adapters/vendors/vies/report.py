"""What VIES answered about a VAT id, as the canonical fields of the report. Never raises.

VIES answers errors with status 200 and `actionSucceed: false`, or with 4xx and 5xx; the older form
answers `isValid: false` with the error as `userError`. A state whose register is down, a limit of
questions, a time-out, an answer about another number: no answer, and asking was done all the same,
so the rules decide when to ask again. What asking again cannot cure (our own VAT id is unknown, our
address is blocked) stays a failure for a person. "Invalid" is only what VIES says without an error
anywhere in the answer, and without contradicting itself: proxies and gateways in front of VIES put
an error beside `valid: false`, and write booleans as words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kette.adapters.vendors.fields import line_of_text, mapping, objects
from kette.domain.facts import ActionReported, VatAnswer, VatOutcome

_CODES: Final = re.compile(
    r"\b(MS_UNAVAILABLE|MS_MAX_CONCURRENT_REQ(?:_TIME)?|GLOBAL_MAX_CONCURRENT_REQ(?:_TIME)?|TIMEOUT"
    r"|SERVICE_UNAVAILABLE|SERVER_BUSY|INVALID_INPUT|INVALID_REQUESTER_INFO|VAT_BLOCKED|IP_BLOCKED"
    r"|VOW-ERR-\d{1,5})\b"
)
_CURELESS: Final = {
    "INVALID_INPUT": "VIES takes this for no VAT id",
    "VOW-ERR-11": "VIES misses a field",
    "VOW-ERR-2500": "VIES knows no such member state; check merchant.vat_id",
    "VOW-ERR-2600": "VIES takes this for no VAT id of its state",
    "VOW-ERR-2700": "VIES takes the merchant's own for no VAT id; check merchant.vat_id",
    "INVALID_REQUESTER_INFO": "VIES does not know the merchant's own VAT id; check merchant.vat_id",
    "VAT_BLOCKED": "VIES has blocked the merchant's VAT id",
    "IP_BLOCKED": "VIES has blocked the address of this n8n",
}
_WORDS: Final = {"true": True, "false": False}
_VERDICTS: Final = {"VALID": True, "INVALID": False}
_STATUSES: Final = ("statusCode", "httpStatusCode", "httpCode", "status")
_ERRORS: Final = ("errorWrappers", "errors", "error", "fault")
_NOT_IN_NUMBER: Final = re.compile(r"[\s.\-/]")
# What states write that give no names.
_NOTHING: Final = frozenset({"", "---", "n/a"})


def translate_report(report: ActionReported) -> ActionReported:
    """Read {"valid": ...}, {"errorWrappers": [...]} and failures of the way there."""
    if report.kind != "check_vat_id":
        return report
    vat_id = line_of_text(report.answer.get("vat_id"))[:40]
    said = _body(report.answer)
    code = _error(said, report) or _about_another(said, vat_id)
    if code in _CURELESS:
        return msgspec.structs.replace(
            report, done=False, retryable=False, error=f"{code}: {_CURELESS[code]}"
        )
    valid = _verdict(said)
    if report.done and not code and valid is not None:
        number = line_of_text(said.get("requestIdentifier"))[:100]
        return msgspec.structs.replace(
            report,
            reference=number or report.reference,
            vat=VatAnswer(
                vat_id=vat_id or line_of_text(said.get("countryCode")) + _number(said),
                outcome=VatOutcome.VALID if valid else VatOutcome.INVALID,
                consultation=number,
                asked_at=line_of_text(said.get("requestDate"))[:40],
                name=_shown(said.get("name")) or _shown(said.get("traderName")),
                address=_shown(said.get("address")),
                name_match=line_of_text(said.get("traderNameMatch"))[:20],
            ),
        )
    if not report.done and not report.retryable and not code:
        return report
    missing = VatAnswer(
        vat_id, VatOutcome.UNAVAILABLE, error=code or report.error[:200] or "no readable answer"
    )
    return msgspec.structs.replace(report, done=True, error="", vat=missing)


def _body(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = mapping(answer.get("body")) or mapping(answer.get("error"))
    return inner if "valid" in inner or "errorWrappers" in inner else answer


def _error(said: Mapping[str, Any], report: ActionReported) -> str:
    """The code of an error, else a word for it; empty where nothing speaks of one."""
    told = next((name for name in _ERRORS if _is_told(said.get(name))), "")
    if code := _code(said.get("errorWrappers")) or (told and _code(said.get(told))):
        return code
    if told:
        return f"{told} beside the verdict"
    if (succeeded := said.get("actionSucceed")) is not None and _boolean(succeeded) is not True:
        return "actionSucceed is not true"
    if status := _failed_status(said) or _failed_status(report.answer):
        return f"status {status}"
    # The older form: a word that is neither verdict is an error, known or not.
    word = line_of_text(said.get("userError"))[:60].upper()
    if word and word not in _VERDICTS:
        return word
    if report.done:
        return ""
    found = _CODES.search(f"{report.error} {msgspec.json.encode(report.answer).decode()[:4000]}")
    return found[1] if found else ""


def _code(errors: object) -> str:
    """The first code in a list of wrappers, one wrapper, a text or a nested error."""
    rows = [errors] if isinstance(errors, dict) else objects(errors)
    for row in rows:
        if code := line_of_text(row.get("error"))[:60] or line_of_text(row.get("code"))[:60]:
            return code.upper()
    found = _CODES.search(msgspec.json.encode(errors).decode()[:4000].upper())
    return found[1] if found else ""


def _is_told(value: object) -> bool:
    """Whether a field for errors holds one: `error: false`, `errors: []` and `null` do not."""
    return bool(value) and _boolean(value) is not False


def _failed_status(said: Mapping[str, Any]) -> int:
    """An HTTP status of 400 or more that stands inside the answer, else 0."""
    for name in _STATUSES:
        written = line_of_text(said.get(name))
        if len(written) == 3 and written.isdecimal() and written >= "400":
            return int(written)
    return 0


def _verdict(said: Mapping[str, Any]) -> bool | None:
    """What all fields that give a verdict agree upon; None for no verdict and for a quarrel."""
    given = [_boolean(said[name]) for name in ("valid", "isValid") if name in said]
    word = _VERDICTS.get(line_of_text(said.get("userError")).upper())
    if not given or (word is not None and word is not given[0]):
        return None
    return given[0] if all(one is given[0] for one in given) else None


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _WORDS.get(line_of_text(value).casefold())


def _about_another(said: Mapping[str, Any], vat_id: str) -> str:
    """An answer that names a number which was not asked about proves nothing."""
    named = _NOT_IN_NUMBER.sub("", _number(said)).upper()
    asked = _NOT_IN_NUMBER.sub("", vat_id).upper()
    state = line_of_text(said.get("countryCode")).upper().replace("GR", "EL")
    if state and asked and asked[:2].replace("GR", "EL") != state:
        return "another state"
    return "" if not named or not asked or asked.endswith(named) else "another number"


def _number(said: Mapping[str, Any]) -> str:
    return line_of_text(said.get("vatNumber"))[:30]


def _shown(value: object) -> str:
    found = line_of_text(value)[:300]
    return "" if found.casefold() in _NOTHING else found
