"""Invoice documents: everything that is printed, frozen at the moment of issue.

A document is built once from the order and then only read: the picture can be made again
identically, whatever happens later to the order, the setup or the texts. All amounts are the shop's
own cents (Order.lines, Order.tax_by_rate); nothing is computed from a rate. What the shop's figures
do not add up to is shown as a rounding line and, above a small limit, refused.

Law: § 14 (4), § 14a, § 19, § 33 UStDV; the texts are in `document_notes`. Corrections of an invoice
are in `credit_notes`. See docs/algorithms/invoice-documents.md.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from kette.domain import document_notes
from kette.domain.facts import DocumentKind
from kette.domain.money import Money, total_of
from kette.domain.order import Address, LineItem, LineKind, Order, TaxShare
from kette.domain.policy import Merchant, Setup
from kette.domain.wording import Language, charge_word, country_name, pick_language

TEMPLATE = (
    "1"  # version of layout and labels; a new layout gets a new number, old documents keep theirs
)

# § 33 UStDV: up to this gross an invoice need not name the buyer.
SMALL_AMOUNT_MINOR = 25_000

_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,36}\Z", re.ASCII)
_SPEC = re.compile(r"(0\d{1,2})?d?\Z", re.ASCII)


class DocumentError(ValueError):
    """A document that must not be issued. `code` is stable, `detail` says what to repair."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Party(msgspec.Struct, frozen=True, omit_defaults=True):
    """A block of address lines as printed, the name first."""

    lines: tuple[str, ...]
    country_code: str = ""
    vat_id: str = ""


class Seller(msgspec.Struct, frozen=True, omit_defaults=True):
    """The merchant's letterhead and footer at the time of issue."""

    name: str
    lines: tuple[str, ...]  # street, town, country; without the name
    country_code: str
    tax_number: str = ""
    vat_id: str = ""
    register: str = ""
    iban: str = ""
    bank_name: str = ""
    website: str = ""
    email: str = ""
    phone: str = ""


class DocumentLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One printed row. Amounts are for the whole quantity, after discount."""

    text: str
    quantity: int
    rate: str | None
    net: Money
    tax: Money
    details: tuple[str, ...] = ()
    line_id: str = ""  # the order's line; empty where a correction is split over rates

    @property
    def gross(self) -> Money:
        return self.net + self.tax


class TaxRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Net and tax of one rate, as the shop charged them."""

    rate: str | None
    net: Money
    tax: Money
    country_code: str = ""  # whose tax it is, where it is not the seller's own state

    @property
    def gross(self) -> Money:
        return self.net + self.tax


class InvoiceDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """An invoice, or the correction of one (then all amounts are negative)."""

    kind: DocumentKind
    template: str
    number: str
    language: Language
    issued_on: date
    currency: str
    seller: Seller
    buyer: Party
    lines: tuple[DocumentLine, ...]
    tax_rows: tuple[TaxRow, ...]
    total: Money  # what the customer owes, or (negative) what the correction takes back
    rounding: Money  # total minus the sum of the rates
    shows_gross: bool  # prices of the rows with tax (consumer shop) or without
    order_number: str
    ordered_on: date
    channel: str
    external_id: str
    supplied_on: date | None = None
    deliver_to: Party | None = None  # where it differs from the buyer
    payment_title: str = ""
    paid: Money | None = None
    due_on: date | None = None
    payment_notes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what the law wants said about the tax
    remarks: tuple[str, ...] = ()  # about supply and discounts; not repeated on a correction
    corrects: str = ""
    corrects_issued_on: date | None = None
    reason: str = ""

    @property
    def net(self) -> Money:
        return total_of((row.net for row in self.tax_rows), self.currency)

    @property
    def tax(self) -> Money:
        return total_of((row.tax for row in self.tax_rows), self.currency)

    @property
    def line_rounding(self) -> Money:
        """Total minus the sum of the printed rows (gross), shown below the table if not zero."""
        return self.total - total_of((line.gross for line in self.lines), self.currency)

    @property
    def file_name(self) -> str:
        return f"{self.number}.pdf"


def format_number(pattern: str, year: int, n: int) -> str:
    """Document number from the setup's pattern; {n} is required, {year} optional.

    The result is limited to letters, digits, "-" and "_": it is a file name, part of an address and
    DATEV's Belegfeld 1 (36 characters). Raises DocumentError.

    >>> format_number("RE-{year}-{n:06d}", 2026, 42)
    'RE-2026-000042'
    """
    problem = number_pattern_problem(pattern)
    if problem:
        raise DocumentError("number_pattern_invalid", problem)
    if n < 1:
        raise DocumentError("number_pattern_invalid", f"a number starts at 1, not {n}")
    number = pattern.format(year=year, n=n)
    if not _NUMBER.match(number):
        raise DocumentError(
            "number_pattern_invalid",
            f"{number[:60]!r} may hold only letters, digits, '-' and '_', at most 36 of them",
        )
    return number


def number_pattern_problem(pattern: str) -> str:
    """What is wrong with a number pattern, or "". For the check of the setup file as well."""
    try:
        fields = [part for part in string.Formatter().parse(pattern) if part[1] is not None]
    except ValueError as error:
        return f"pattern {pattern!r} is not readable: {error}"
    names = [name for _, name, _, _ in fields]
    if "n" not in names or not set(names) <= {"n", "year"}:
        return f"pattern {pattern!r} must use {{n}}, may use {{year}} and nothing else"
    if any(conversion or not _SPEC.match(spec or "") for _, _, spec, conversion in fields):
        return f"pattern {pattern!r} may pad with zeros only, as in {{n:06d}}"
    if not _NUMBER.match(pattern.format(year=2026, n=1)):
        return f"pattern {pattern!r} may hold only letters, digits, '-' and '_', at most 36"
    return ""


def build_invoice(
    order: Order,
    setup: Setup,
    *,
    number: str,
    issued_on: date,
    supplied_on: date | None,
    paid: Money,
    delivery: Address | None = None,
) -> InvoiceDocument:
    """The invoice of one order, as the shop charged it.

    delivery: the corrected delivery address, None = the order's own. supplied_on None: not yet
    supplied (invoice at payment). paid: what has been received so far, zero or more. Raises
    DocumentError when seller or buyer are incomplete, the sums do not meet, or tax and setup
    contradict each other.
    """
    seller = _seller(setup.merchant)
    language = pick_language(order.language, setup.customer.default_language)
    ship_to = delivery or order.delivery_address
    buyer = _buyer(order, ship_to, seller, language)
    _check_buyer(order, buyer)
    rows = _tax_rows(order, ship_to, seller)
    lines = tuple(_line(line, language) for line in order.lines)
    rounding = order.total - total_of((row.gross for row in rows), order.currency)
    _check_sums(order, lines, rounding, setup)
    if setup.merchant.small_business and any(row.tax.minor for row in rows):
        raise DocumentError(
            "small_business_with_tax",
            "the setup says small business (§ 19 UStG), but the shop charged tax on this order",
        )
    due_on = issued_on + timedelta(days=setup.accounting.payment_term_days)
    is_open = order.total.minor > paid.minor
    return InvoiceDocument(
        kind=DocumentKind.INVOICE,
        template=TEMPLATE,
        number=number,
        language=language,
        issued_on=issued_on,
        currency=order.currency,
        seller=seller,
        buyer=buyer,
        lines=lines,
        tax_rows=rows,
        total=order.total,
        rounding=rounding,
        shows_gross=order.prices_include_tax,
        order_number=order.number,
        ordered_on=order.placed_at.astimezone(ZoneInfo(setup.merchant.time_zone)).date(),
        channel=order.channel,
        external_id=order.external_id,
        supplied_on=supplied_on,
        deliver_to=_deliver_to(ship_to, buyer, seller, language),
        payment_title=order.payment_title,
        paid=paid,
        due_on=due_on if is_open else None,
        payment_notes=document_notes.payment_notes(order, paid, due_on, number, setup, language),
        notes=document_notes.tax_notes(
            order, rows_without_tax(rows), ship_to, setup.merchant, language
        ),
        remarks=document_notes.supply_notes(order, supplied_on, language),
    )


def rows_without_tax(rows: Iterable[TaxRow]) -> tuple[str | None, ...]:
    """Rates of the rows that carry an amount but no tax; each needs a reason on the document."""
    return tuple(row.rate for row in rows if row.net.minor and not row.tax.minor)


def seller_gaps(merchant: Merchant) -> tuple[str, ...]:
    """Fields of the setup without which no invoice may be issued (§ 14 (4) Nr. 1, 2 UStG)."""
    address = merchant.address
    required = {
        "merchant.name": merchant.name,
        "merchant.address.line1": address.line1,
        "merchant.address.postal_code": address.postal_code,
        "merchant.address.city": address.city,
        "merchant.address.country_code": address.country_code,
        "merchant.vat_id or merchant.tax_number": merchant.vat_id or merchant.tax_number,
    }
    return tuple(field for field, value in required.items() if not value.strip())


def _seller(merchant: Merchant) -> Seller:
    gaps = seller_gaps(merchant)
    if gaps:
        raise DocumentError("seller_incomplete", f"the setup lacks {', '.join(gaps)}")
    address = merchant.address
    town = f"{address.postal_code} {address.city}"
    return Seller(
        name=merchant.name,
        lines=tuple(filter(None, (address.line1, address.line2, town))),
        country_code=address.country_code.upper(),
        tax_number=merchant.tax_number,
        vat_id=merchant.vat_id,
        register=merchant.register,
        iban=merchant.iban,
        bank_name=merchant.bank_name,
        website=merchant.website,
        email=address.email,
        phone=address.phone,
    )


def _buyer(order: Order, ship_to: Address, seller: Seller, language: Language) -> Party:
    """The billing address; the delivery address fills in where a shop asks for one address only."""
    billing = order.billing
    if not (billing.line1 or billing.city):
        billing = msgspec.structs.replace(
            ship_to, name=billing.name or ship_to.name, company=billing.company or ship_to.company
        )
    party = _party(billing, seller.country_code, language)
    return msgspec.structs.replace(party, vat_id=order.vat_id)


def _party(address: Address, home: str, language: Language) -> Party:
    country = address.country_code.upper()
    town = " ".join(part for part in (address.postal_code, address.city) if part.strip())
    if country in {"US", "CA", "AU"} and address.region:
        town = " ".join(
            part for part in (address.city, address.region, address.postal_code) if part.strip()
        )
    lines = [address.company, address.name, address.line1, address.line2, town]
    if country and country != home:
        # Deutsche Post asks for the country's name in capitals, in German or English.
        lines.append(country_name(country, language).upper())
    return Party(lines=tuple(line.strip() for line in lines if line.strip()), country_code=country)


def _deliver_to(ship_to: Address, buyer: Party, seller: Seller, language: Language) -> Party | None:
    party = _party(ship_to, seller.country_code, language)
    return party if party.lines and party.lines != buyer.lines else None


def _check_buyer(order: Order, buyer: Party) -> None:
    has_tax_free_supply = bool(order.vat_id)
    if order.total.minor <= SMALL_AMOUNT_MINOR and not has_tax_free_supply:
        return
    if len(buyer.lines) < 3 or not buyer.country_code:
        raise DocumentError(
            "buyer_incomplete",
            "name, street, town and country of the buyer are required above 250.00 "
            "(§ 14 (4) Nr. 1 UStG, § 33 UStDV)",
        )


def _check_sums(
    order: Order, lines: tuple[DocumentLine, ...], rounding: Money, setup: Setup
) -> None:
    limit = setup.intake.tolerance_minor_per_line * max(1, len(lines))
    lines_total = total_of((line.gross for line in lines), order.currency)
    for name, difference in (("rates", rounding), ("lines", order.total - lines_total)):
        if abs(difference.minor) > limit:
            raise DocumentError(
                "sums_differ",
                f"total {order.total.amount} and the sum of the {name} differ by "
                f"{difference.amount} {order.currency}; rounding explains at most "
                f"{Money(limit, order.currency).amount}",
            )


def _tax_rows(order: Order, ship_to: Address, seller: Seller) -> tuple[TaxRow, ...]:
    """One row per rate; from the lines where a shop states no sums per rate."""
    parts: tuple[TaxShare | LineItem, ...] = order.tax_by_rate or order.lines
    rates = list(dict.fromkeys(part.rate for part in parts))
    rows = []
    for rate in rates:
        net = total_of((part.net for part in parts if part.rate == rate), order.currency)
        tax = total_of((part.tax for part in parts if part.rate == rate), order.currency)
        whose = document_notes.foreign_tax_country(rate, tax, ship_to, seller.country_code)
        rows.append(TaxRow(rate=rate, net=net, tax=tax, country_code=whose))
    return tuple(rows)


def _line(line: LineItem, language: Language) -> DocumentLine:
    details: tuple[str, ...] = ()
    if line.kind is LineKind.ITEM:  # the attributes of other rows are for machines
        details = tuple(f"{name}: {value}" for name, value in line.attributes if value.strip())
    if line.sku:
        details = (f"SKU {line.sku}", *details)
    return DocumentLine(
        text=line.name if line.kind is LineKind.ITEM else charge_word(line.name, language),
        quantity=line.quantity if line.kind is LineKind.ITEM else max(1, line.quantity),
        rate=line.rate,
        net=line.net,
        tax=line.tax,
        details=details,
        line_id=line.id,
    )
