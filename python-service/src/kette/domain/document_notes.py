"""The sentences that the law wants on an invoice, chosen from what the shop charged.

The shop's tax is never overruled here: where no tax was charged, the reason is looked for in
destination, buyer and setup; where none is found, the document says so neutrally instead of
claiming an exemption. Sources: § 3 (15), § 4 Nr. 1, § 6, § 6a, § 13b, § 14 (4), § 14a, § 18j, § 19
UStG; facts of 2026-11.
"""

from __future__ import annotations

import re
from datetime import date

from kette.domain.money import Money
from kette.domain.order import Address, Order
from kette.domain.policy import Merchant, Setup
from kette.domain.vat_territory import vat_area
from kette.domain.wording import Language, country_name, format_date, format_money

# Rates by which another state's tax is told from the seller's own (sellers below the OSS threshold
# charge their home rate across the border).
_HOME_RATES = {"DE": ("0.19", "0.07"), "AT": ("0.2", "0.20", "0.1", "0.10", "0.13")}

# Tax rows without a rate are usually vouchers: nothing else sold at home is free of any rate.
_VOUCHER = re.compile(r"gutschein|geschenkkarte|voucher|gift.?card", re.IGNORECASE)

_TAX_TEXTS: dict[str, dict[Language, str]] = {
    "small_business": {
        "de": "Steuerfrei nach § 19 UStG (Kleinunternehmer); Umsatzsteuer wird nicht berechnet.",
        "en": "Exempt from VAT under § 19 of the German VAT Act (small business).",
    },
    "export": {
        "de": "Steuerfreie Ausfuhrlieferung (§ 4 Nr. 1 Buchst. a, § 6 UStG).",
        "en": "Export supply exempt from VAT (§ 4 no. 1 a, § 6 of the German VAT Act).",
    },
    "service_abroad": {
        "de": "Leistung im Inland nicht steuerbar: Leistungsort außerhalb der Europäischen Union.",
        "en": "Not taxable in Germany: place of supply outside the European Union.",
    },
    "intra_eu": {
        "de": "Steuerfreie innergemeinschaftliche Lieferung (§ 4 Nr. 1 Buchst. b, § 6a UStG). "
        "USt-IdNr. des Empfängers: {buyer_vat_id}; unsere USt-IdNr.: {seller_vat_id}.",
        "en": "Intra-Community supply exempt from VAT (§ 4 no. 1 b, § 6a of the German VAT Act). "
        "Customer's VAT ID: {buyer_vat_id}; our VAT ID: {seller_vat_id}.",
    },
    "reverse_charge": {
        "de": "Steuerschuldnerschaft des Leistungsempfängers. "
        "USt-IdNr. des Empfängers: {buyer_vat_id}; unsere USt-IdNr.: {seller_vat_id}.",
        "en": "Reverse charge: the customer owes the VAT. "
        "Customer's VAT ID: {buyer_vat_id}; our VAT ID: {seller_vat_id}.",
    },
    "voucher": {
        "de": "Gutscheine ohne Steuersatz: Mehrzweck-Gutscheine (§ 3 Abs. 15 UStG); "
        "Umsatzsteuer entsteht erst bei der Einlösung.",
        "en": "Vouchers without a tax rate: multi-purpose vouchers (§ 3 (15) German VAT Act); "
        "VAT falls due when they are redeemed.",
    },
    "no_tax": {
        "de": "Für Positionen ohne Steuersatz wurde keine Umsatzsteuer berechnet.",
        "en": "No VAT was charged for items without a tax rate.",
    },
    "oss": {
        "de": "Enthält Umsatzsteuer des Bestimmungslandes {country} "
        "(Verfahren One-Stop-Shop, § 18j UStG).",
        "en": "Includes VAT of the country of destination, {country} (One-Stop-Shop scheme).",
    },
}

_PAYMENT_TEXTS: dict[str, dict[Language, str]] = {
    "nothing_due": {
        "de": "Der Rechnungsbetrag ist {zero}; es ist keine Zahlung erforderlich.",
        "en": "The invoice amount is {zero}; no payment is required.",
    },
    "paid": {
        "de": "Der Rechnungsbetrag ist vollständig bezahlt.{method} Vielen Dank!",
        "en": "This invoice has been paid in full.{method} Thank you!",
    },
    "overpaid": {
        "de": "Es wurden {paid} bezahlt, {over} mehr als berechnet; "
        "den Unterschied klären wir gesondert.{method}",
        "en": "{paid} were paid, {over} more than invoiced; "
        "we will settle the difference separately.{method}",
    },
    "part_paid": {
        "de": "Davon sind {paid} bereits bezahlt; offen sind {open}.",
        "en": "{paid} of this amount have been paid; {open} are outstanding.",
    },
    "transfer": {
        "de": "Bitte überweisen Sie {open} bis zum {due} auf das Konto {iban}{bank}, "
        "Verwendungszweck {number}.",
        "en": "Please transfer {open} by {due} to account {iban}{bank}, reference {number}.",
    },
    "due": {
        "de": "Zahlbar bis zum {due}, Verwendungszweck {number}.{method}",
        "en": "Payable by {due}, reference {number}.{method}",
    },
    "on_delivery": {
        "de": "{open} sind bei der Lieferung zu zahlen.{method}",
        "en": "{open} are payable on delivery.{method}",
    },
}


def foreign_tax_country(rate: str | None, tax: Money, ship_to: Address, home: str) -> str:
    """Whose tax a row shows: the destination's code under OSS, "" for the seller's own state."""
    area = vat_area(ship_to.country_code, ship_to.postal_code)
    if not tax.minor or rate is None or area in ("", home):
        return ""
    return "" if _is_home_rate(rate, home) else area


def _is_home_rate(rate: str, home: str) -> bool:
    return rate.rstrip("0") in {known.rstrip("0") for known in _HOME_RATES.get(home, ())}


def tax_notes(
    order: Order,
    untaxed: tuple[str | None, ...],
    ship_to: Address,
    merchant: Merchant,
    language: Language,
) -> tuple[str, ...]:
    """Reasons for each amount without tax, and whose tax was charged across the border."""
    home = merchant.address.country_code.upper()
    area = vat_area(ship_to.country_code, ship_to.postal_code)
    codes: list[str] = []
    if merchant.small_business:
        codes.append("small_business")
    elif untaxed:
        codes.extend(_untaxed_codes(order, untaxed, area, home))
    if any(
        foreign_tax_country(share.rate, share.tax, ship_to, home) for share in order.tax_by_rate
    ):
        codes.append("oss")
    return tuple(
        _TAX_TEXTS[code][language].format(
            buyer_vat_id=order.vat_id,
            seller_vat_id=merchant.vat_id,
            country=country_name(area, language),
        )
        for code in dict.fromkeys(codes)
    )


def _untaxed_codes(
    order: Order, untaxed: tuple[str | None, ...], area: str, home: str
) -> list[str]:
    has_goods = bool(order.physical_lines)
    if area == "":
        return ["export" if has_goods else "service_abroad"]
    vouchers = [
        line
        for line in order.lines
        if line.rate is None and line.net.minor and _VOUCHER.search(line.name)
    ]
    codes = ["voucher"] if vouchers else []
    rest = [
        line
        for line in order.lines
        if line.rate in untaxed and line.net.minor and not line.tax.minor and line not in vouchers
    ]
    if not rest:
        return codes or ["no_tax"]
    if order.vat_id and area != home and not order.vat_id.upper().startswith(home):
        return [*codes, "intra_eu" if has_goods else "reverse_charge"]
    return [*codes, "no_tax"]


def supply_notes(order: Order, supplied_on: date | None, language: Language) -> tuple[str, ...]:
    """What the date of supply and agreed discounts need to say (§ 14 (4) Nr. 6, 7 UStG)."""
    notes: list[str] = []
    if supplied_on is None:
        paid_on = f" ({format_date(order.paid_at.date(), language)})" if order.paid_at else ""
        notes.append(
            f"Die Lieferung steht noch aus; berechnet nach Zahlungseingang{paid_on}."
            if language == "de"
            else f"Not yet delivered; invoiced on receipt of payment{paid_on}."
        )
    if order.discount_total is not None and order.discount_total.minor:
        amount = format_money(order.discount_total, language)
        notes.append(
            f"Die Preise sind bereits um den vereinbarten Rabatt gemindert (netto {amount})."
            if language == "de"
            else f"Prices already include the agreed discount (net {amount})."
        )
    return tuple(notes)


def payment_notes(
    order: Order, paid: Money, due_on: date, number: str, setup: Setup, language: Language
) -> tuple[str, ...]:
    """How the invoice is, or is to be, paid."""
    open_amount = order.total - paid
    merchant = setup.merchant
    title = order.payment_title
    label = "Zahlungsart" if language == "de" else "Payment method"
    method = f" {label}: {title}." if title else ""
    values = {
        "zero": format_money(Money.zero(order.currency), language),
        "paid": format_money(paid, language),
        "open": format_money(open_amount, language),
        "over": format_money(-open_amount, language),
        "due": format_date(due_on, language),
        "iban": format_iban(merchant.iban),
        "bank": f" ({merchant.bank_name})" if merchant.bank_name else "",
        "number": number,
        "method": method,
    }
    codes: list[str] = []
    if open_amount.minor < 0:
        codes = ["overpaid"]
    elif order.total.minor == 0:
        codes = ["nothing_due"]
    elif open_amount.minor == 0:
        codes = ["paid"]
    else:
        if paid.minor:
            codes.append("part_paid")
        if order.payment_method == "cod":
            codes.append("on_delivery")
        else:
            codes.append("transfer" if merchant.iban else "due")
    return tuple(_PAYMENT_TEXTS[code][language].format(**values) for code in codes)


def format_iban(iban: str) -> str:
    """In groups of four, as DIN 5008 wants it and people read it."""
    compact = re.sub(r"\s", "", iban)
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4))
