"""Is the tax that the shop charged right for where the order goes? Compared, never changed.

Order of questions: may this merchant charge VAT at all, where does the supply end (ship-to, for
digital goods the customer's address), is that a territory of its own, is the buyer a business of
another state, which rates are valid there on the day. Then each rate is recomputed from its net.
Product classes are not known: every rate of the place is accepted. Sources: § 3c, § 4 Nr. 1, § 6,
§ 6a, § 19 UStG; Directive 2006/112/EC. Limits: goods leave from the merchant's country; who is
registered in a third country and charges its rates gets a warning, no error. A tip that is given
freely and passed on to the staff is no part of what is taxed (Abschnitt 10.1 (5) UStAE); who gets
it is not known here, so an untaxed tip is noted and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from kette.domain.findings import Finding, Severity
from kette.domain.money import Money
from kette.domain.order import Address, LineItem, LineKind, Order, TaxShare
from kette.domain.policy import Setup
from kette.domain.tax_place import Area, TaxPlace, TaxTable, rates_on, tax_place

_KIND = "tax_mismatch"
_VOUCHER = (
    *("gutschein", "geschenkkarte", "geschenkskarte", "wertkarte", "voucher", "gift card"),
    *("giftcard", "gift-card", "carte cadeau", "cadeaubon", "cadeaukaart", "buono regalo"),
    *("tarjeta regalo", "presentkort", "gavekort", "karta podarunkowa"),
)


def check_tax(order: Order, delivery: Address, setup: Setup, table: TaxTable) -> Iterator[Finding]:
    """Findings about the tax of an order whose amounts have one currency."""
    shares = order.tax_by_rate or _shares_of_lines(order.lines)
    yield from _recompute(order, shares, setup.intake.tolerance_minor_per_line)
    home = setup.merchant.address.country_code
    vat_id = order.vat_id.strip()
    valid_id = _valid_vat_id(vat_id) if vat_id else ""
    charged = {
        rate for share in shares if share.tax.minor and (rate := _rate(share.rate)) is not None
    }
    taxed = [share for share in shares if share.tax.minor]
    tips = sum(x.net.minor for x in order.lines if x.kind is LineKind.TIP and x.rate is None)
    untaxed = [
        share
        for share in shares
        if not share.tax.minor and share.net.minor > (tips if share.rate is None else 0)
    ]
    if vat_id and not valid_id:
        severity = Severity.WARNING if taxed or not untaxed else Severity.ERROR
        message = "the VAT id is not valid by its form"
        yield Finding(
            "vat_id_invalid", "vat_id", severity, message, vat_id[:40], "", "vat_id_invalid"
        )
    if setup.merchant.small_business:
        if taxed:
            yield _error("tax_by_small_business", "a small business (§ 19 UStG) charges no VAT", "")
        return
    if tips > 0:
        message = "a tip without tax; right where it is passed on to the staff"
        yield Finding("tip_untaxed", "tax", Severity.INFO, message)
    on = supply_date(order.placed_at, setup.merchant.time_zone)
    ends_at = delivery if order.physical_lines or not _is_named(order.billing) else order.billing
    if not ends_at.country_code.strip():
        return  # reported as an address finding
    place = tax_place(ends_at.country_code.strip().upper(), ends_at.postal_code, on, table)
    if place.area is Area.OUTSIDE:
        yield from _check_export(place, charged)
    elif place.country == home:
        yield from _check_home(order, place, charged, taxed, untaxed)
    else:
        home_rates = rates_on(home, on, table)
        if not setup.accounting.oss and charged and charged <= home_rates:
            return
        is_business = bool(valid_id) and table.aliases.get(valid_id[:2], valid_id[:2]) != home
        buyer = valid_id if is_business else ""
        yield from _check_other_member(order, place, charged, taxed, untaxed, buyer, home_rates)


def supply_date(placed_at: datetime, time_zone: str) -> date:
    """The business day on which an order was placed; stands for the day of supply at intake."""
    try:
        return placed_at.astimezone(_zone(time_zone)).date()
    except (OverflowError, ValueError):
        return placed_at.date()


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=2048)
def _rate(text: str | None) -> Decimal | None:
    """A rate as fraction; None where there is none or it cannot be one."""
    if text is None or len(text) > 20:
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and 0 <= rate < 1 else None


@lru_cache(maxsize=2048)
def _valid_vat_id(text: str) -> str:
    """The VAT id in its compact form, or "" where form or check digit is wrong."""
    if len(text) > 40:
        return ""
    try:
        return str(eu_vat.validate(text))
    except (ValidationError, ValueError, AttributeError, ImportError):
        return ""


def _is_named(address: Address) -> bool:
    return bool(address.country_code.strip())


def _shares_of_lines(lines: Iterable[LineItem]) -> tuple[TaxShare, ...]:
    """Per rate from the lines, for shops that give no summary."""
    found: dict[str | None, TaxShare] = {}
    for line in lines:
        share = found.get(line.rate)
        if share is None:
            found[line.rate] = TaxShare(line.rate, "", line.net, line.tax)
        else:
            found[line.rate] = TaxShare(line.rate, "", share.net + line.net, share.tax + line.tax)
    return tuple(found.values())


def _recompute(
    order: Order, shares: tuple[TaxShare, ...], tolerance_minor_per_line: int
) -> Iterator[Finding]:
    """Each rate's tax from its net, a cent per line tolerated: shops round per line."""
    for share in shares:
        if share.rate is None:
            if share.tax.minor:
                message = "tax is charged without a rate"
                yield _error("tax_without_rate", message, share.tax.amount)
            continue
        rate = _rate(share.rate)
        if rate is None:
            yield _error("tax_rate_unreadable", "the tax rate is not a fraction", share.rate[:20])
            continue
        lines = [line for line in order.lines if _rate(line.rate) == rate] or list(order.lines)
        tolerance = tolerance_minor_per_line * max(1, len(lines))
        expected = _times(share.net.minor, rate)
        difference = share.tax.minor - expected
        if abs(difference) > tolerance and abs(difference) > _per_piece(lines):
            message = f"{_percent(rate)} of {share.net.amount} is not {share.tax.amount}"
            yield _error("tax_differs", message, share.tax.amount, _amount(expected, share))
    if order.tax_by_rate:
        total = sum(share.tax.minor for share in shares)
        difference = order.total_tax.minor - total
        if abs(difference) > tolerance_minor_per_line * max(1, len(order.lines)):
            by = f"{Money(difference, order.currency).amount} {order.currency}"
            message = f"the total tax differs from the sum per rate by {by}"
            yield _error("total_tax_differs", message, order.total_tax.amount)


def _per_piece(lines: list[LineItem]) -> int:
    """What rounding each piece may add up to, where the lines show that pieces were rounded.

    Some shops round the tax of one piece and multiply (3 x 9.99: 8.39 + 1.60 each); such a line
    divides by its quantity without remainder in net and in tax.
    """
    allowed = 0
    for line in lines:
        pieces = abs(line.quantity)
        if pieces > 1 and line.net.minor % pieces == 0 and line.tax.minor % pieces == 0:
            allowed += pieces
        else:
            allowed += 1
    return allowed


def _check_export(place: TaxPlace, charged: set[Decimal]) -> Iterator[Finding]:
    if not charged:
        return
    where = place.territory or place.country
    shown = ", ".join(_percent(rate) for rate in sorted(charged))
    message = f"{shown} VAT is charged on a delivery to {where}, which is outside the VAT area"
    if charged <= place.rates:
        # A merchant may be registered there; the setup does not know.
        message = f"VAT of {where} is charged; right only with a registration there"
        yield Finding("foreign_vat", "tax", Severity.WARNING, message, shown, "0 %", _KIND)
    else:
        yield _error("tax_on_export", message, shown, "0 %")


def _check_home(
    order: Order,
    place: TaxPlace,
    charged: set[Decimal],
    taxed: list[TaxShare],
    untaxed: list[TaxShare],
) -> Iterator[Finding]:
    yield from _check_rates(place, charged | _zero(untaxed))
    without = [share for share in untaxed if share.rate is None]
    if without and not taxed and not _are_vouchers(order):
        yield _error("tax_missing", f"no tax is charged on a delivery in {place.country}", "0 %")
    elif without:
        yield from _check_untaxed_part(order)


def _check_other_member(
    order: Order,
    place: TaxPlace,
    charged: set[Decimal],
    taxed: list[TaxShare],
    untaxed: list[TaxShare],
    business_vat_id: str,
    home_rates: frozenset[Decimal],
) -> Iterator[Finding]:
    """business_vat_id: the buyer's, if it is valid by its form and from another state, else ""."""
    without = [share for share in untaxed if share.rate is None]
    if untaxed and not taxed:
        if business_vat_id:
            message = "tax-free supply to a business of another state; confirm its VAT id"
            yield Finding("intra_eu_supply", "vat_id", Severity.INFO, message, business_vat_id)
        elif without and len(without) == len(untaxed) and _are_vouchers(order):
            yield from _check_untaxed_part(order)
        elif without or Decimal(0) not in place.rates:
            message = (
                f"no tax is charged on a delivery to {place.country} without a VAT id of there"
            )
            yield _error("tax_missing", message, "0 %")
        return
    if without:
        yield from _check_untaxed_part(order)
    if charged and charged <= home_rates and not charged <= place.rates:
        shown = ", ".join(_percent(rate) for rate in sorted(charged))
        message = f"the seller's own {shown} is charged on a delivery to {place.country}"
        yield _error("origin_rate", message, shown, _rates(place))
        return
    yield from _check_rates(place, charged | _zero(untaxed))


def _zero(untaxed: list[TaxShare]) -> set[Decimal]:
    """{0} where something was taxed at a rate of zero, which few places have."""
    return {rate for share in untaxed if (rate := _rate(share.rate)) is not None}


def _lines_without_rate(order: Order) -> list[LineItem]:
    return [
        line
        for line in order.lines
        if line.rate is None and line.net.minor > 0 and line.kind is not LineKind.TIP
    ]


def _are_vouchers(order: Order) -> bool:
    """Whether all that no rate applies to is vouchers, taxed when they are redeemed."""
    return all(map(_is_voucher, _lines_without_rate(order)))


def _check_untaxed_part(order: Order) -> Iterator[Finding]:
    if _are_vouchers(order):
        message = "vouchers without tax; right for vouchers of more than one purpose"
        yield Finding("voucher_untaxed", "tax", Severity.INFO, message)
    else:
        message = "a part of the order carries no tax rate"
        yield Finding("line_untaxed", "tax", Severity.WARNING, message, "", "", _KIND)


def _check_rates(place: TaxPlace, charged: set[Decimal]) -> Iterator[Finding]:
    for rate in sorted(charged - place.rates):
        where = place.territory or place.country
        message = f"{_percent(rate)} is no VAT rate of {where} on this day"
        yield _error("tax_rate_wrong", message, _percent(rate), _rates(place))


def _is_voucher(line: LineItem) -> bool:
    """By the shop's own mark or by its name; other goods that do not travel, such as downloads,
    are taxed when they are sold."""
    if line.kind is not LineKind.ITEM:
        return False
    name = line.name[:300].casefold()
    return ("gift_card", "true") in line.attributes or any(word in name for word in _VOUCHER)


def _times(minor: int, rate: Decimal) -> int:
    return int((minor * rate).quantize(Decimal(1), ROUND_HALF_UP))


def _amount(minor: int, like: TaxShare) -> str:
    return type(like.tax)(minor, like.tax.currency).amount


def _rates(place: TaxPlace) -> str:
    return ", ".join(_percent(rate) for rate in sorted(place.rates, reverse=True))


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"


def _error(code: str, message: str, before: str, after: str = "") -> Finding:
    return Finding(code, "tax", Severity.ERROR, message, before, after, _KIND)
