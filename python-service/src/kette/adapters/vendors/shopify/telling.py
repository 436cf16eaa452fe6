"""One object of a delivery, with what its readers need and what they make of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from kette.adapters.vendors import fields
from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.shopify.amounts import Told
from kette.adapters.vendors.shopify.vocabulary import Kind
from kette.domain.facts import FactBody, FactDraft, Fetch, Ref
from kette.domain.policy import System


class Telling(msgspec.Struct, frozen=True):
    """One object of a delivery with what is needed to read it."""

    kind: Kind
    told: Told
    topic: str
    delivery: Delivery

    @property
    def system(self) -> System:
        return self.delivery.system

    def at(self, *names: str) -> datetime:
        """The first time that the object tells, else when the shop sent it. A time that is still
        to come (a term that Shopify sets itself) is none at which something has happened."""
        for name in names:
            found = fields.optional_instant(self.told.get(name))
            if found is not None and found <= self.delivery.received_at:
                return found
        sent = fields.optional_instant(self.delivery.headers.get("x-shopify-triggered-at"))
        return sent or self.delivery.received_at


class Reading(msgspec.Struct, frozen=True):
    drafts: tuple[FactDraft, ...] = ()
    note: str = ""
    fetch: tuple[Fetch, ...] = ()


def own_refs(system: System, order_id: str) -> tuple[Ref, ...]:
    return (Ref(system.id, f"order:{order_id}", founds_order=True),)


def order_of(telling: Telling) -> str:
    return fields.required_name(telling.told.get("order_id"), "order_id")


def unique(drafts: Iterable[FactDraft]) -> tuple[FactDraft, ...]:
    return tuple({draft.external_id: draft for draft in drafts}.values())


def digest_of(body: FactBody) -> str:
    """Tells facts about one object apart by what they say."""
    return hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:12]
