"""An entry of the exception list, and a task, as staff reads them in a mail: whole sentences in one
language, no JSON, and no ids but those that a person needs to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kette.adapters.mail.address import one_line
from kette.adapters.mail.model import ExceptionView
from kette.adapters.mail.phrases import Reader
from kette.adapters.mail.titles import NOT_MAILED, context_title, kind_title, role_title
from kette.adapters.mail.words import LABELS

Row = tuple[str, str]

_MOST_ROWS = 30
_MOST_ITEMS = 20
_TEXT_LIMIT = 400
_SAID = 12  # a row of so many letters is left out where the summary has said it
_NOTE = "customer_note"
# How before and after are called where the latter is no proposal.
_BESIDE = {"vat_id_name_differs": ("given", "registered")}
# Where an entry is about no order, its subject names what it is about.
_ABOUT = ("system", "workflow", "kind")


class StaffView(msgspec.Struct, frozen=True):
    """title: of the kind. about: what it concerns beside an order. points: findings or reasons, one
    a line; with findings there is no summary, for it consists of them."""

    title: str
    about: str
    summary: str
    points: tuple[str, ...]
    rows: tuple[Row, ...]
    suggestion: str


def staff_view(entry: ExceptionView | None, reason: str, reader: Reader) -> StaffView:
    """An entry as text ready for escaping. reason: what there is to say without an entry."""
    if entry is None:
        return StaffView("", "", reader.sentence(reason), (), (), "")
    context = entry.context
    findings = [x for x in _listed(context.get("findings")) if isinstance(x, Mapping)]
    reasons = [str(x) for x in _listed(context.get("reasons"))]
    points = [_finding(x, reader) for x in findings]
    points += [_capital(reader.sentence(x)) for x in reasons]
    summary = "" if findings else reader.sentence(_without(entry.summary, reasons))
    return StaffView(
        title=kind_title(entry.kind, reader.language),
        about=_about(context, reader),
        summary=summary,
        points=tuple(one_line(x, _TEXT_LIMIT) for x in points[:_MOST_ITEMS]),
        rows=tuple(_rows(entry, reader, summary)),
        suggestion=reader.sentence(entry.suggestion),
    )


def _without(summary: str, reasons: Sequence[str]) -> str:
    """A summary without the reasons that follow it as a list."""
    listed = "; ".join(reasons)
    return summary.removesuffix(listed).rstrip(": ") if listed else summary


def _about(context: Mapping[str, Any], reader: Reader) -> str:
    for key in _ABOUT:
        if value := context.get(key):
            return one_line(_value(key, value, reader), 80)
    return ""


def _rows(entry: ExceptionView, reader: Reader, summary: str) -> Iterator[Row]:
    words = LABELS[reader.language]
    yield words["kind"], f"{kind_title(entry.kind, reader.language)} ({entry.kind})"
    if entry.owner:
        yield words["owner"], one_line(role_title(entry.owner, reader.language), 60)
    if entry.due_at is not None:
        yield words["due"], reader.instant(entry.due_at)
    for key, value in list(entry.context.items())[:_MOST_ROWS]:
        if key in NOT_MAILED or key in ("findings", "reasons"):
            continue
        text = one_line(_value(key, value, reader), _TEXT_LIMIT)
        if text and not (len(text) > _SAID and text in summary):
            yield one_line(context_title(key, reader.language), 60), text


def _finding(finding: Mapping[str, Any], reader: Reader) -> str:
    """ "Straße und Hausnummer: die Hausnummer fehlt (angegeben: Hafenstr.)"; a message that names
    its field stands alone."""
    words = LABELS[reader.language]
    path = str(finding.get("field", ""))
    given, proposed = _BESIDE.get(str(finding.get("code", "")), ("given", "proposed"))
    if path == _NOTE:
        given = "quoted"
    field = reader.field(path)
    message = reader.sentence(str(finding.get("message", "")))
    before, after = (reader.value(str(finding.get(key, ""))) for key in ("before", "after"))
    told = [(words[given], before)] if before and before not in message else []
    told += [(words[proposed], after)] if after and after not in message else []
    details = ", ".join(f"{label}: {text}" for label, text in told)
    is_named = path in ("", _NOTE) or field.casefold() in message.casefold()
    text = _capital(message) if is_named else f"{field}: {message}"
    return f"{text} ({details})" if details else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(key: str, value: object, reader: Reader) -> str:
    """A value of the context in one line."""
    if isinstance(value, Mapping):
        return _mapping(value, reader)
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (_value(key, x, reader) for x in value[:_MOST_ITEMS])))
    if value is None or isinstance(value, bool) or value == 0:
        return ""
    text = str(value)
    if key == "kind":
        title = reader.action(text)
        return title if title == text else f"{title} ({text})"
    if key == "reason":
        known = reader.sentence(text)
        return known if known != text else reader.word(text) if " " not in text else text
    return reader.sentence(text) if key in ("message", "error") else reader.value(text)


def _mapping(value: Mapping[str, Any], reader: Reader) -> str:
    if set(value) == {"amount", "currency"}:
        return reader.value(f"{value['amount']} {value['currency']}")
    if "missing" in value and "name" in value:
        sku = f" ({value['sku']})" if value.get("sku") else ""
        return f"{value['missing']} × {value['name']}{sku}"
    told = (
        (context_title(str(k), reader.language), _value(str(k), v, reader))
        for k, v in list(value.items())[:_MOST_ITEMS]
    )
    return ", ".join(f"{label}: {text}" for label, text in told if text)


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []
