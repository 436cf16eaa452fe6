"""The parts of an order as the templates show them: text, ready for escaping."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from kette.adapters.mail.address import one_line
from kette.adapters.mail.model import MailContext, Problem
from kette.adapters.mail.words import FIELDS, LABELS, PROBLEMS, UNCLEAR, charge_name
from kette.domain.money import total_of
from kette.domain.order import Address, LineItem, LineKind, Order
from kette.domain.policy import Setup
from kette.domain.wording import (
    Language,
    country_name,
    format_date,
    format_money,
    format_rate,
)

Row = tuple[str, str]

_TEXT_LIMIT = 200
_MOST_LINES = 100


class OrderView(msgspec.Struct, frozen=True):
    number: str
    placed_on: str
    customer: str
    lines: tuple[tuple[str, str, str], ...]  # name, quantity ("" for a charge), amount
    more_lines: int  # not shown
    totals: tuple[Row, ...]
    total: str
    address: tuple[str, ...]
    payment: str  # paid, prepayment, later, open
    payment_title: str
    is_physical: bool
    is_on_delivery: bool
    due: str  # what is to be paid

    @staticmethod
    def of(order: Order, context: MailContext, language: Language, setup: Setup) -> OrderView:
        zone = ZoneInfo(setup.merchant.time_zone)
        gross = order.prices_include_tax
        lines = tuple(
            (
                one_line(_name(line, language), _TEXT_LIMIT),
                str(line.quantity) if line.kind is LineKind.ITEM else "",
                format_money(line.net + line.tax if gross else line.net, language),
            )
            for line in order.lines[:_MOST_LINES]
        )
        home = setup.merchant.address.country_code.upper()
        return OrderView(
            number=one_line(order.number, 60),
            placed_on=format_date(order.placed_at.astimezone(zone).date(), language),
            customer=one_line(order.billing.name or order.billing.company, 120),
            lines=lines,
            more_lines=len(order.lines) - len(lines),
            totals=_totals(order, language),
            total=format_money(order.total, language),
            address=_address(context.address or order.delivery_address, home, language),
            payment=context.payment or payment_variant(order, setup),
            payment_title=one_line(order.payment_title, 80),
            is_physical=bool(order.physical_lines),
            is_on_delivery=order.payment_method == "cod",
            due=format_money(context.amount or order.total, language),
        )


def _name(line: LineItem, language: Language) -> str:
    return line.name if line.kind is LineKind.ITEM else charge_name(line, language)


def payment_variant(order: Order, setup: Setup) -> str:
    """How a confirmation speaks of the payment: paid, prepayment, later or open."""
    policy = setup.payment
    if order.paid_at is not None or order.total.minor == 0:
        return "paid"
    if order.payment_method in policy.pay_later_methods:
        return "later"
    return "prepayment" if order.payment_method in policy.prepaid_methods else "open"


def _totals(order: Order, language: Language) -> tuple[Row, ...]:
    words = LABELS[language]
    gross = order.prices_include_tax
    label = words["incl_tax" if gross else "plus_tax"]
    taxes = [
        (label.format(rate=format_rate(share.rate, language)), format_money(share.tax, language))
        for share in order.tax_by_rate
        if share.tax.minor
    ]
    printed = total_of(
        ((line.net + line.tax if gross else line.net) for line in order.lines), order.currency
    )
    added = total_of((share.tax for share in order.tax_by_rate), order.currency)
    rest = order.total - printed if gross else order.total - printed - added
    rounding = [(words["rounding"], format_money(rest, language))] if rest.minor else []
    total = [(words["total"], format_money(order.total, language))]
    return tuple([*rounding, *total, *taxes] if gross else [*taxes, *rounding, *total])


def _address(address: Address, home: str, language: Language) -> tuple[str, ...]:
    town = f"{address.postal_code} {address.city}"
    country = address.country_code.upper()
    abroad = country_name(country, language) if country and country != home else ""
    lines = (address.company, address.name, address.line1, address.line2, town, abroad)
    return tuple(one_line(line, 120) for line in lines if line.strip())


def problem_lines(problems: Sequence[Problem], language: Language) -> tuple[str, ...]:
    """Each problem once, in the customer's words."""
    lines = []
    for problem in problems[:20]:
        text = PROBLEMS[language].get(problem.code, UNCLEAR[language])
        field = FIELDS[language].get(problem.field.rpartition(".")[2], "")
        lines.append(f"{field}: {text}" if field else text)
    return tuple(dict.fromkeys(lines))
