"""What VIES answered about a VAT id, as the canonical fields of the report. Never raises.

VIES answers errors with status 200 and `actionSucceed: false`, or with 4xx and 5xx; the older form
answers `isValid: false` with the error as `userError`. A state whose register is down, a limit of
questions, a time-out, an answer about another number: no answer, and asking was done all the same,
so the rules decide when to ask again. What asking again cannot cure (our own VAT id is unknown, our
address is blocked) stays a failure for a person. "Invalid" is only what VIES says without an error.
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
    valid = said.get("valid", said.get("isValid"))
    if report.done and not code and isinstance(valid, bool):
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
    for row in objects(said.get("errorWrappers")):
        if code := line_of_text(row.get("error"))[:60]:
            return code
    if said.get("actionSucceed") is False:
        return "actionSucceed is false"
    # The older form: a word that is neither verdict is an error, known or not.
    told = line_of_text(said.get("userError"))[:60]
    if told not in ("", "VALID", "INVALID"):
        return told
    if report.done:
        return ""
    found = _CODES.search(f"{report.error} {msgspec.json.encode(report.answer).decode()[:4000]}")
    return found[1] if found else ""


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
