"""Put an action into the words that its workflow works with.

Everything the workflow needs is in the item: target system, shop, order header, and the data of the
kind, read fresh from the order when the action is handed out. The shape is described in
docs/workflows/actions.md and pinned by tests/contract.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kette.adapters.vendors.stripe.amounts import to_stripe
from kette.domain.actions import idempotency_key
from kette.domain.address import normalize_address
from kette.domain.intake_data import IntakeData
from kette.domain.money import Money
from kette.domain.policy import System
from kette.domain.state import OrderFile
from kette.use_cases.decide_order import load_file
from kette.use_cases.kernel import Kernel
from kette.use_cases.lease import PresentationError
from kette.use_cases.ports import ActionRow, Transaction

# (kernel, transaction, action, file) -> the mail that the action is about; raises PresentationError
WriteMail = Callable[[Kernel, Transaction, ActionRow, OrderFile], dict[str, Any]]

MAIL_KINDS = frozenset({"notify", "request_correction", "create_task", "notify_owner", "escalate"})


class Presenter:
    def __init__(self, kernel: Kernel, data: IntakeData, write_mail: WriteMail) -> None:
        self._kernel = kernel
        self._data = data
        self._write_mail = write_mail

    def __call__(self, tx: Transaction, row: ActionRow) -> dict[str, Any]:
        file = load_file(tx, row.order_id) if row.order_id is not None else OrderFile()
        payload = {k: v for k, v in row.payload.items() if k != "system_id"}
        action = {
            "key": row.key,
            "kind": row.kind,
            "stage": row.stage,
            "attempt": row.attempt,
            "max_attempts": self._kernel.setup.actions.max_attempts,
            "idempotency_key": idempotency_key(row.key),
            "lease_id": row.lease_id,
            "leased_until": row.leased_until.isoformat() if row.leased_until else None,
            "order_id": row.order_id,
            "reasons": row.reasons,
            "system": self._system(row),
            **self._order_header(file),
        }
        if "amount_minor" in payload:
            payload["amount_minor"] = self._amount_minor(row)
        if row.kind in MAIL_KINDS:
            payload["mail"] = self._write_mail(self._kernel, tx, row, file)
        elif row.kind == "create_shipment":
            payload |= self._shipment(row, file)
        elif row.kind == "archive_document":
            payload |= self._archive(row)
        return {**action, "data": payload}

    def _system(self, row: ActionRow) -> dict[str, str]:
        system_id = str(row.payload.get("system_id", ""))
        system = self._kernel.setup.systems.get(system_id)
        if system is None and system_id:
            raise PresentationError(f"the setup has no system {system_id!r} any more")
        return _public_system(system)

    def _amount_minor(self, row: ActionRow) -> str:
        """In the unit that the provider counts in: Stripe's list of decimals is its own."""
        told = row.payload["amount"]
        amount = Money.parse(told["amount"], told["currency"])
        system = self._kernel.setup.systems.get(str(row.payload.get("system_id", "")))
        is_stripe = system is not None and system.kind == "stripe"
        return str(to_stripe(amount) if is_stripe else amount.minor)

    def _order_header(self, file: OrderFile) -> dict[str, Any]:
        order = file.order
        if order is None:
            return {"shop": {}, "order": {}}
        shop = _public_system(self._kernel.setup.systems.get(order.channel))
        return {
            "shop": {**shop, "order_id": order.external_id, "order_number": order.number},
            "order": {
                "number": order.number,
                "total": order.total.public(),
                "language": order.language or self._kernel.setup.customer.default_language,
            },
        }

    def _archive(self, row: ActionRow) -> dict[str, str]:
        year, month = str(row.payload["issued_on"]).split("-")[:2]
        number = str(row.payload["number"])
        system = self._kernel.setup.systems.get(str(row.payload.get("system_id", "")))
        options = system.options if system is not None else {}
        return {
            "pdf": f"/v1/invoices/{number}.pdf",
            "file_name": f"{number}.pdf",
            "folder": f"{year}/{month}",
            **{name: options[name] for name in ("path", "bucket", "prefix") if name in options},
        }

    def _shipment(self, row: ActionRow, file: OrderFile) -> dict[str, Any]:
        check = self._kernel.setup.intake.check_house_number
        address = normalize_address(
            file.delivery_address, self._data.address, check_house_number=check
        )
        mail = address.email or (file.order.billing.email if file.order else "")
        phone = address.phone or (file.order.billing.phone if file.order else "")
        weight_g = int(row.payload.get("weight_g", 0))
        return {
            "address": {
                "name": address.name,
                "company": address.company,
                "street": address.street,
                # A parcel locker's number stands where carriers expect a house number.
                "house_number": address.house_number or address.locker_number,
                "addition": address.addition,
                "line1": file.delivery_address.line1,
                "line2": file.delivery_address.line2,
                "postal_code": address.postal_code,
                "city": address.city,
                "region": address.region,
                "country_code": address.country_code,
                "kind": address.kind.value,
                "locker_number": address.locker_number,
                "post_number": address.post_number,
                "phone": phone,
                "email": mail,
            },
            "weight_kg": f"{weight_g // 1000}.{weight_g % 1000:03d}",
            "external_reference": idempotency_key(row.key),
            "order_ref": row.order_id,
        }


def _public_system(system: System | None) -> dict[str, str]:
    if system is None:
        return {}
    return {"id": system.id, "kind": system.kind, "base_url": system.base_url.rstrip("/")}
