"""Is the buyer's VAT id registered? Asked of the states' register (VIES) before goods go tax-free.

A supply to a business of another member state is free of tax only if its VAT id was valid at the
time of the supply (§ 6a (1) no. 4 UStG, Art. 138 Directive 2006/112/EC). The form can be checked
here, the registration cannot: the answer is asked for by an action and comes back as a fact, with
the consultation number that proves it. A register that does not answer says nothing about the
customer: it is asked again with growing pauses, and only a tax-free order waits for it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import msgspec
from stdnum.ch import vat as ch_vat
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as gb_vat

from kette.domain.facts import VatAnswer, VatOutcome
from kette.domain.findings import Finding, Severity
from kette.domain.order import Address, Order
from kette.domain.policy import IntakePolicy, Setup, seconds
from kette.domain.state import OrderFile
from kette.domain.tax_place import Area, TaxTable, tax_place

KIND = "vat_id_invalid"
REQUIRED, WARN, OFF = "required_for_reverse_charge", "warn", "off"
MODES = (OFF, WARN, REQUIRED)
# Pauses after answers that were none; a state's register may be down for a night.
ASK_AGAIN_AFTER = (
    *(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=6)),
)
MAX_QUESTIONS = 40  # per order and id: a week of silence, then it is a person's
_LONG = 5  # letters that a word needs to count as a part of another
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "đ": "dj"})
# Letters that Unicode does not take apart into one of a to z and its mark.
_ONE_LETTER = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ħ": "h"}
)
_LEGAL_FORM = re.compile(
    r"\b(?:gmbh|mbh|gesmbh|gesellschaft|firma|company|und|and|co|kg|ag|ug|ohg|gbr|e\s?k|e\s?u|kft|bt|zrt|sarl|sas|sa|srl|spa|sl|bv|nv|vof|oy"
    r"|ab|as|aps|ltd|limited|llc|plc|inc|sro|sp\s?z\s?o\s?o|doo|dba|the)\b"
)


class VatId(msgspec.Struct, frozen=True):
    """A VAT id that is right by form and check digit. country: of its prefix, GR for EL."""

    text: str
    country: str
    is_in_register: bool  # a member state's or Northern Ireland's; Swiss and British are not


class VatQuestion(msgspec.Struct, frozen=True):
    """What is to be asked about an order. is_tax_free: the id is what frees it of tax."""

    vat_id: str
    is_tax_free: bool
    company: str


class VatState(StrEnum):
    NOT_ASKED = "not_asked"
    VALID = "valid"
    INVALID = "invalid"
    MISMATCH = "mismatch"  # registered, to a name that has nothing in common with the buyer's
    UNAVAILABLE = "unavailable"  # asked, and nobody answered; says nothing about the id


class Standing(msgspec.Struct, frozen=True):
    """How far asking has come. answer: the newest that says something. name: of the question that
    is to be asked, or was asked and is not answered; ask_from: not before then. silences: how often
    nobody answered since."""

    answer: VatAnswer | None
    name: str
    ask_from: datetime | None
    silences: int


@lru_cache(maxsize=2048)
def read_vat_id(typed: str) -> VatId | None:
    """The id in its compact form, None where form or check digit is wrong.

    >>> read_vat_id("atu 13585627").text, read_vat_id("EL094259216").country
    ('ATU13585627', 'GR')
    >>> read_vat_id("DE123456789"), read_vat_id("CHE-107.787.577 MWST").is_in_register
    (None, False)
    """
    text = typed.strip()
    if len(text) > 40:
        return None
    start = text[:3].upper()
    try:
        if start == "CHE":
            return VatId(str(ch_vat.validate(text)), "CH", False)
        if start[:2] == "GB":
            return VatId("GB" + str(gb_vat.validate(text)), "GB", False)
        found = str(eu_vat.validate(text))
    except (ValidationError, ValueError, AttributeError, ImportError):
        return None
    prefix = "EL" if found[:2] == "GR" else found[:2]
    return VatId(prefix + found[2:], "GR" if prefix == "EL" else prefix, True)


def vat_question(
    order: Order, delivery: Address, setup: Setup, table: TaxTable, on: date
) -> VatQuestion | None:
    """What to ask about an order, None for nothing: only an id of another member state that meets
    a supply to another member state matters to anybody's tax."""
    if not order.vat_id or order.is_test or setup.intake.vat_check == OFF:
        return None
    if setup.system_for("tax", order.channel) is None:
        return None
    vat_id = read_vat_id(order.vat_id)
    home = setup.merchant.address.country_code
    if vat_id is None or not vat_id.is_in_register or vat_id.country == home:
        return None
    is_named = bool(order.billing.country_code.strip())
    ends_at = delivery if order.physical_lines or not is_named else order.billing
    country = ends_at.country_code.strip().upper()
    place = tax_place(country, ends_at.postal_code, on, table)
    if place.area is not Area.MEMBER or place.country == home:
        return None
    is_tax_free = order.total.minor > 0 and not any(line.tax.minor for line in order.lines)
    return VatQuestion(vat_id.text, is_tax_free, order.billing.company or ends_at.company)


def standing_of(
    question: VatQuestion, order_id: str, file: OrderFile, policy: IntakePolicy
) -> Standing:
    """Read the answers so far off the reports. A person who says that the id was put right makes
    the next question due; so does an answer that has grown old before the goods went."""
    digest = hashlib.sha256(question.vat_id.encode()).hexdigest()[:12]
    put_right = [
        handled.at
        for key, handled in file.handled.items()
        if key.startswith(f"{KIND}:{order_id}:") and handled.resolution == "fixed"
    ]
    answer: VatAnswer | None = None
    ask_from: datetime | None = None
    silences = 0
    for number in range(1, MAX_QUESTIONS + 1):
        name = f"{digest}-{number}"
        key = action_key(order_id, name)
        report = file.reports.get(key)
        if report is None or report.vat is None:
            return Standing(answer, name, ask_from, silences)
        at = file.report_times[key]
        if report.vat.outcome is VatOutcome.UNAVAILABLE:
            ask_from = at + ASK_AGAIN_AFTER[min(silences, len(ASK_AGAIN_AFTER) - 1)]
            silences += 1
            continue
        answer, silences = report.vat, 0
        doubted = [moment for moment in put_right if moment > at]
        ask_from = min([*doubted, at + seconds(policy.vat_check_max_age_s)])
    return Standing(answer, "", None, silences)


def action_key(order_id: str, name: str) -> str:
    return f"check_vat_id:{order_id}:{name}"


def vat_state(question: VatQuestion, standing: Standing) -> VatState:
    """One word for how the id stands. A mismatch is a registered id of somebody else."""
    answer = standing.answer
    if answer is None:
        return VatState.UNAVAILABLE if standing.silences else VatState.NOT_ASKED
    if answer.outcome is VatOutcome.INVALID:
        return VatState.INVALID
    if answer.name and question.company and are_strangers(answer.name, question.company):
        return VatState.MISMATCH
    return VatState.VALID


def vat_findings(question: VatQuestion, standing: Standing, mode: str) -> Iterator[Finding]:
    """What the register's answer means for the order. Not yet asked: nothing."""
    state, answer = vat_state(question, standing), standing.answer
    if state is VatState.UNAVAILABLE:
        message = f"the VAT register gave no answer about {question.vat_id}; it is asked again"
        yield Finding("vat_id_unconfirmed", "vat_id", Severity.INFO, message, question.vat_id)
    if answer is None:
        return
    told = f" ({answer.asked_at[:10]})" if answer.asked_at else ""
    kind = KIND if question.is_tax_free else ""
    if state is VatState.INVALID:
        message = f"the VAT register knows no {question.vat_id}{told}"
        if not question.is_tax_free:
            message += "; the order carries VAT, so nothing follows"
        must_hold = question.is_tax_free and mode == REQUIRED
        severity = Severity.ERROR if must_hold else Severity.WARNING
        yield Finding(
            "vat_id_not_registered", "vat_id", severity, message, question.vat_id, "", kind
        )
        return
    proof = f"consultation number {answer.consultation}" if answer.consultation else "no proof"
    message = f"{question.vat_id} is registered{told}, {proof}"
    yield Finding("vat_id_confirmed", "vat_id", Severity.INFO, message, question.vat_id)
    if state is VatState.MISMATCH:
        message = "the VAT id is registered to another name"
        names = (question.company[:100], answer.name[:100])
        yield Finding("vat_id_name_differs", "vat_id", Severity.WARNING, message, *names, kind)


def are_strangers(one: str, other: str) -> bool:
    """Whether two names have nothing in common. Names of one firm differ in legal form, order and
    abbreviations. A name in other letters than Latin ones, or in both, cannot be compared.

    >>> are_strangers("HUBER HOLZBAU GESELLSCHAFT M.B.H.", "Holzbau Huber GmbH")
    False
    >>> are_strangers("Jörg Müller e.K.", "MUELLER J."), are_strangers("Huber GmbH", "Wok Imbiss")
    (False, True)
    >>> are_strangers("SØRENSEN APS", "Sorensen"), are_strangers("ФИРМА AUTO PLUS", "Avtoplus")
    (False, False)
    """
    if not (_is_latin(one) and _is_latin(other)):
        return False
    first, second = _names_in(one), _names_in(other)
    if not first or not second:
        return False
    return not any(
        a == b or (min(len(a), len(b)) >= _LONG and (a in b or b in a))
        for a in first
        for b in second
    )


def _is_latin(text: str) -> bool:
    return all(unicodedata.name(c, "LATIN").startswith("LATIN") for c in text[:300] if c.isalpha())


def _names_in(text: str) -> set[str]:
    """Words of a name, each with its umlauts as two letters and as one."""
    plain = _LEGAL_FORM.sub(" ", text[:300].casefold().replace(".", ""))
    found = set()
    for spelled in (plain.translate(_TWO_LETTERS), plain):
        spelled = spelled.translate(_ONE_LETTER)
        bare = "".join(c for c in unicodedata.normalize("NFKD", spelled) if c.isascii())
        found |= set(re.findall(r"[a-z0-9]{2,}", bare))
    return found
