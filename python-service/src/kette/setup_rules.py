"""Checks of a setup that concern more than one field. Positions come from the reading."""

from __future__ import annotations

import re
from typing import Any

from kette.domain.policy import AccountingPolicy, CustomerPolicy, PaymentPolicy, RiskPolicy
from kette.domain.vat_check import OFF, REQUIRED, WARN
from kette.policies import load_intake_data
from kette.setup_fields import KINDS, KindRule
from kette.setup_schema import Reading, did_you_mean
from kette.web_address import fault_of_address


def check_across_fields(values: dict[str, Any], reading: Reading) -> None:
    """Report what single fields cannot show. values may lack whatever was reported before."""
    _check_merchant(values.get("merchant", {}), reading)
    if "systems" in values:
        _check_systems(values["systems"], reading)
        _check_mail(values, reading)
        _check_vat(values, reading)
    _check_limits(values, reading)
    _check_countries(values.get("intake", {}), reading)
    _check_number_ranges(values.get("accounting", {}), reading)


def _check_merchant(merchant: dict[str, Any], reading: Reading) -> None:
    if merchant and "tax_number" not in merchant and "vat_id" not in merchant:
        # § 14 (4) no. 2 UStG: an invoice names one of the two.
        if reading.knows("merchant.tax_number") or reading.knows("merchant.vat_id"):
            return
        message = "neither tax_number nor vat_id is given"
        reading.report_at("merchant", message, "an invoice must name one of them")


def _check_systems(systems: dict[str, dict[str, Any]], reading: Reading) -> None:
    shops = [key for key, system in systems.items() if system.get("role") == "shop"]
    if not shops:
        reading.report_at("systems", "no system has the role shop", "add the shop")
    for system_id, system in systems.items():
        path = f"systems.{system_id}"
        for number, served in enumerate(system.get("serves", ())):
            if served not in shops:
                message = f"{served!r} is not a shop of this file"
                hint = did_you_mean(served, shops)
                reading.report_at(f"{path}.serves[{number}]", message, hint)
        rule = KINDS.get(system.get("kind", ""))
        if rule is not None:
            _check_kind(path, system, rule, reading)


def _check_kind(path: str, system: dict[str, Any], rule: KindRule, reading: Reading) -> None:
    kind = system["kind"]
    if "role" in system and system["role"] != rule.role:
        message = f"a {kind} system cannot be {system['role']!r}"
        reading.report_at(f"{path}.role", message, f"write role: {rule.role}")
    _check_base_url(path, system, rule, reading)
    for key in ("overlap", "first_window", "page_size"):
        if rule.role != "shop" and reading.knows(f"{path}.pull.{key}"):
            hint = "only silent_after counts where nothing is pulled"
            reading.report_at(f"{path}.pull.{key}", f"a {kind} system is not pulled", hint)
    allowed = (*rule.needs_secrets, *rule.may_have_secrets)
    _check_names(f"{path}.secrets", kind, system.get("secrets", {}), allowed, reading)
    for name in rule.needs_secrets:
        if not reading.knows(f"{path}.secrets.{name}"):
            hint = f'add "{name}: env:NAME" below secrets'
            reading.report_at(f"{path}.secrets.{name}", f"is missing for {kind}", hint)
    options = system.get("options", {})
    _check_names(f"{path}.options", kind, options, tuple(rule.options), reading)
    for name, (_, value) in options.items():
        pattern = rule.options.get(name)
        if pattern is not None and not re.fullmatch(pattern, value):
            message = f"{value!r} is not valid here"
            reading.report_at(f"{path}.options.{name}", message, f"must match {pattern}")
    for name in rule.needs_options:
        if not reading.knows(f"{path}.options.{name}"):
            hint = f'add "{name}:" below options'
            reading.report_at(f"{path}.options.{name}", f"is missing for {kind}", hint)


def _check_base_url(path: str, system: dict[str, Any], rule: KindRule, reading: Reading) -> None:
    kind = system["kind"]
    if "base_url" not in system:
        if rule.needs_base_url and not reading.knows(f"{path}.base_url"):
            reading.report_at(f"{path}.base_url", f"is missing for {kind}", 'add "base_url:"')
        return
    url = system["base_url"][1]
    if not rule.base_url:
        message = f"a {kind} system has no base_url"
        reading.report_at(f"{path}.base_url", message, "remove it")
    elif not re.fullmatch(rule.base_url, url):
        example = "smtp://mail.example:587" if rule.role == "mail" else "https://shop.example"
        message = f"{url!r} is not an address without query, user or password"
        reading.report_at(f"{path}.base_url", message, f"write it like {example}")
    elif fault := fault_of_address(url):
        reading.report_at(f"{path}.base_url", f"{url!r} {fault}", "check host and port")


def _check_names(
    path: str, kind: str, given: dict[str, Any], known: tuple[str, ...], reading: Reading
) -> None:
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) if known else f"{kind} has none"
            reading.report_at(f"{path}.{name}", f"unknown for {kind}", hint)


def _check_mail(values: dict[str, Any], reading: Reading) -> None:
    """What must be known as soon as mails can be sent."""
    if not any(system.get("role") == "mail" for system in values["systems"].values()):
        return
    customer = values.get("customer", {})
    notices = customer.get("notices", CustomerPolicy().notices)
    if notices and not reading.knows("customer.mail_from"):
        hint = 'add "mail_from:" or set notices: []'
        reading.report_at("customer.mail_from", "is missing: customers get mails", hint)
    cases = values.get("exceptions", {})
    mails = cases.get("owner_mails", {})
    for kind, owner in cases.get("owners", {}).items():
        if owner not in mails:
            message = f"{owner!r} has no address in exceptions.owner_mails"
            reading.report_at(f"exceptions.owners.{kind}", message, "add the address")
    default = cases.get("default_owner", "operations")
    if default not in mails and not reading.knows(f"exceptions.owner_mails.{default}"):
        message = f"the default owner {default!r} has no address in exceptions.owner_mails"
        path = "exceptions.default_owner" if "default_owner" in cases else "exceptions"
        reading.report_at(path, message, "add the address")


def _check_vat(values: dict[str, Any], reading: Reading) -> None:
    """A check that is wanted needs somebody to ask, and proof needs one's own id."""
    has_register = any(system.get("role") == "tax" for system in values["systems"].values())
    mode = values.get("intake", {}).get("vat_check")
    if mode in (WARN, REQUIRED) and not has_register:
        message = "nobody can be asked about VAT ids"
        reading.report_at("intake.vat_check", message, "add a system of kind vies, or write off")
    is_on = has_register and mode != OFF
    if is_on and values.get("merchant") and not reading.knows("merchant.vat_id"):
        message = "is missing: without it VIES gives no consultation number, which is the proof"
        reading.report_at("merchant.vat_id", message, "add it, or set intake.vat_check: off")


def _check_limits(values: dict[str, Any], reading: Reading) -> None:
    risk = values.get("risk", {})
    review = risk.get("review_from", RiskPolicy().review_from)
    block = risk.get("block_from", RiskPolicy().block_from)
    if review > block:
        message = f"review_from {review} is above block_from {block}"
        reading.report_at("risk.review_from", message, "block only what is also reviewed")
    limits = {**load_intake_data().risk.limits, **risk.get("limits", {})}
    if limits["provider_elevated"] > limits["provider_highest"]:
        message = f"provider_elevated {limits['provider_elevated']} is above provider_highest"
        reading.report_at("risk.limits", message, "write the lower score as elevated")
    payment = values.get("payment", {})
    reminders = payment.get("reminders_after_s", PaymentPolicy().reminders_after_s)
    cancel = payment.get("cancel_after_s", PaymentPolicy().cancel_after_s)
    if list(reminders) != sorted(reminders):
        message = "the times do not rise"
        reading.report_at("payment.reminders_after", message, "write the earliest first")
    elif reminders and cancel is not None and reminders[-1] >= cancel:
        message = "the last reminder is not before cancel_after"
        reading.report_at("payment.reminders_after", message, "cancel later or remind earlier")
    methods = set(payment.get("pay_later_methods", PaymentPolicy().pay_later_methods))
    for method in payment.get("prepaid_methods", PaymentPolicy().prepaid_methods):
        if method in methods:
            message = f"{method!r} is both prepaid and pay-later"
            reading.report_at("payment.prepaid_methods", message, "keep it in one list")


def _check_countries(intake: dict[str, Any], reading: Reading) -> None:
    for number, code in enumerate(intake.get("restricted_countries", ())):
        if code in intake.get("allowed_countries", ()):
            path = f"intake.restricted_countries[{number}]"
            reading.report_at(path, f"{code} is allowed and restricted", "keep it in one list")


def _check_number_ranges(accounting: dict[str, Any], reading: Reading) -> None:
    defaults = AccountingPolicy()
    invoice = accounting.get("invoice_number", defaults.invoice_number)
    credit_note = accounting.get("credit_note_number", defaults.credit_note_number)
    # Leading zeros do not tell two ranges apart once the counter has outgrown them.
    if re.sub(r"\{n[^{}]*\}", "{n}", invoice) == re.sub(r"\{n[^{}]*\}", "{n}", credit_note):
        path = "accounting.credit_note_number"
        reading.report_at(path, "makes the same numbers as invoice_number", "use another prefix")
