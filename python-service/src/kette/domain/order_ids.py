"""The id of an order: derived from its shop and the shop's id, never drawn (ADR 0003).

Shops count their orders, so new ids land side by side in every index that has an order's id in it:
a commit writes few pages, and a large ledger stays as quick as a small one.
"""

from __future__ import annotations

import hashlib
import re

_COUNTED = re.compile(r"[0-9]{1,18}")
# UUID version 7 begins with 48 bits of time; of other UUIDs these are as good as a digest.
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_RANK_DIGITS = 12


def order_id_for(channel: str, external_id: str) -> str:
    """`ord_`, 4 hex digits of the shop, 12 that follow the shop's count, 16 of a digest of both.

    Payment events that come before the order, and a replay of the ledger, name the same order.
    """
    shop = hashlib.sha256(channel.encode("utf-8", "surrogatepass")).hexdigest()
    name = "\x1f".join((channel, external_id)).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(name).hexdigest()
    return f"ord_{shop[:4]}{_rank(external_id) or digest[-_RANK_DIGITS:]}{digest[:16]}"


def _rank(external_id: str) -> str:
    """Where in its shop's count an order stands; empty where nothing is counted."""
    if _COUNTED.fullmatch(external_id):
        return f"{int(external_id) % 16**_RANK_DIGITS:0{_RANK_DIGITS}x}"
    if _UUID.fullmatch(external_id):
        return external_id.replace("-", "")[:_RANK_DIGITS]
    return ""
