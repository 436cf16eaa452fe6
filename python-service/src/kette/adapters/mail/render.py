"""Mails of the chain, German and English, each as HTML and as plain text from one template.

A template says what to tell; templates/html.j2 and templates/text.j2 say how a paragraph, a table
or a link looks. HTML is escaped automatically; links are dropped unless they are http(s); nothing
from an order can reach a header with a line break in it. The head of the HTML names the action, by
which the mail gateway knows the mail again.
"""

from __future__ import annotations

import re
import textwrap
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kette.adapters.mail.address import checked, one_line, sender
from kette.adapters.mail.model import Mail, MailContext, UnknownNoticeError
from kette.adapters.mail.phrases import Reader
from kette.adapters.mail.staff import staff_view
from kette.adapters.mail.views import OrderView, problem_lines
from kette.adapters.mail.words import LABELS
from kette.domain.document_notes import format_iban
from kette.domain.policy import Setup
from kette.domain.wording import Language, country_name, format_date, format_money

CUSTOMER_NOTICES = (
    "confirmation",
    "payment_reminder",
    "shipped",
    "tracking",
    "partially_shipped",
    "delayed",
    "delivered",
    "cancelled",
    "return_received",
    "refunded",
    "request_correction",
)
STAFF_NOTICES = ("notify_owner", "escalate", "create_task")

_WIDTH = 72
_SUBJECT = 100  # what a list of mails shows of a subject, and some more
_BLANK_LINES = re.compile(r"\n{3,}")

Form = Literal["html", "text"]


def render_mail(notice: str, context: MailContext, language: Language, setup: Setup) -> Mail:
    """The mail of a notice. Raises UnknownNoticeError, MailAddressError.

    Goes to context.to if given, else to the order's mail address. Missing details leave their
    sentence out; only addresses must be there.
    """
    if notice not in CUSTOMER_NOTICES and notice not in STAFF_NOTICES:
        raise UnknownNoticeError(notice)
    order = context.order
    customer = (order.billing.email or order.shipping.email) if order is not None else ""
    merchant = setup.merchant
    policy = setup.customer
    values = _values(notice, context, language, setup)
    subject, text = _render("text", notice, language, values)
    _, html = _render("html", notice, language, values)
    return Mail(
        to=checked(context.to or customer, "to"),
        sender=sender(
            policy.mail_from or merchant.address.email, merchant.name, "customer.mail_from"
        ),
        reply_to=checked(policy.reply_to, "customer.reply_to") if policy.reply_to else "",
        subject=_short(one_line(subject, 2 * _SUBJECT)),
        html=html,
        text=text,
    )


def _values(notice: str, context: MailContext, language: Language, setup: Setup) -> dict[str, Any]:
    merchant = setup.merchant
    order = context.order
    currency = order.currency if order is not None else ""
    reader = Reader(language, ZoneInfo(merchant.time_zone), currency)
    view = OrderView.of(order, context, language, setup) if order is not None else None
    return {
        "notice": notice,
        "language": language,
        "c": context,
        "order": view,
        "words": LABELS[language],
        "merchant": merchant,
        "home": country_name(merchant.address.country_code, language),
        "iban": format_iban(merchant.iban),
        "amount": format_money(context.amount, language) if context.amount else "",
        "problems": problem_lines(context.problems, language),
        "entry": staff_view(context.exception, context.reason, reader),
        "task_title": reader.sentence(context.subject),
        "task": reader.sentence(context.task or context.subject or context.reason),
        "expected_on": format_date(context.expected_on, language) if context.expected_on else "",
        "is_staff": notice in STAFF_NOTICES,
    }


def _render(form: Form, notice: str, language: Language, values: dict[str, Any]) -> tuple[str, str]:
    """Subject and whole mail in one form."""
    environment = _environment(form)
    module = environment.get_template(f"{language}/{notice}.j2").make_module(
        {**values, "form": form}
    )
    # Subjects are taken from the text form, where nothing is escaped.
    subject = str(getattr(module, "subject"))  # noqa: B009
    body = str(module)
    layout = environment.get_template(f"{form}_layout.j2")
    page = layout.render({**values, "form": form, "subject": subject, "body": _as_is(body, form)})
    return subject, page if form == "html" else _tidy(page)


def _as_is(body: str, form: Form) -> str:
    return Markup(body) if form == "html" else body  # noqa: S704 - rendered with autoescape


@lru_cache(maxsize=2)
def _environment(form: Form) -> Environment:
    environment = Environment(
        loader=PackageLoader("kette.adapters.mail", "templates"),
        autoescape=form == "html",  # noqa: S701 - the other form is plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = _wrap
    environment.filters["one_line"] = one_line
    environment.filters["safe_url"] = safe_url
    environment.filters["day"] = _day
    return environment


def _day(instant: datetime, language: Language, zone: str) -> str:
    return format_date(instant.astimezone(ZoneInfo(zone)).date(), language)


def _wrap(text: str, indent: str = "") -> str:
    """A paragraph of plain text; addresses and links stay in one piece."""
    return textwrap.fill(
        text.strip(),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _short(subject: str) -> str:
    """Cut between two words."""
    if len(subject) <= _SUBJECT:
        return subject
    head, _, rest = subject[:_SUBJECT].rpartition(" ")
    return (head or rest).rstrip(" ,;:(") + "…"


def _tidy(page: str) -> str:
    lines = "\n".join(line.rstrip() for line in page.replace("\u00a0", " ").split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip() + "\n"


def safe_url(url: str) -> str:
    """The link if it is http(s) with a host, else nothing: no javascript:, no line break.

    >>> safe_url("https://pay.example/1"), safe_url("javascript:alert(1)")
    ('https://pay.example/1', '')
    """
    text = url.strip()
    if not text.isprintable() or any(char in text for char in " \"'<>`") or len(text) > 2000:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname else ""
