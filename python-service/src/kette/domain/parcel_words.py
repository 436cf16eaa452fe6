"""Words by which an address says that the parcel is fetched at a counter or locker."""

from __future__ import annotations

from kette.domain.order import Address

_POINTS = ("packstation", "postfiliale", "paketshop", "parcelshop", "pick-up point")


def is_parcel_point(address: Address) -> bool:
    line = f"{address.line1[:100]} {address.line2[:100]}".casefold()
    return any(word in line for word in _POINTS)
