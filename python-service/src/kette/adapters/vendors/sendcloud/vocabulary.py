"""Sendcloud's words, as data. None = says nothing about where the parcel is. Sources in README.md.

Ids are the key, texts are not: the documentation itself calls id 1 both "Announced" and "Ready to
send". An id or phase that is missing here is refused, and shown to a person, rather than guessed.
"""

from __future__ import annotations

from typing import Final

from kette.domain.facts import ParcelState

_A, _S, _DELAYED = ParcelState.ANNOUNCED, ParcelState.SHIPPED, ParcelState.DELAYED
_D, _R, _F, _C = (
    ParcelState.DELIVERED,
    ParcelState.RETURNED,
    ParcelState.FAILED,
    ParcelState.CANCELLED,
)

# v2 and v3 webhook parcel_status_changed: parcel.status.id
STATUS_BY_ID: Final[dict[int, ParcelState | None]] = {
    0: _A,  # Ready to send (seen in the documentation)
    1: _A,  # Announced
    3: _S,  # En route to sorting center
    4: _DELAYED,  # Delivery delayed
    5: _S,  # Sorted
    6: _S,  # Not sorted
    7: _S,  # Being sorted
    8: _S,  # Delivery attempt failed: another follows, or pick-up
    11: _D,  # Delivered
    12: _S,  # Awaiting customer pickup
    13: _A,  # Announced: not collected
    15: _A,  # Error collecting: the carrier does not have it
    22: _S,  # Shipment picked up by driver
    32: _S,  # Delivery date changed
    62: _S,  # At sorting centre
    80: _DELAYED,  # Unable to deliver
    91: _S,  # Parcel en route
    92: _S,  # Driver en route
    93: _D,  # Shipment collected by customer
    94: None,  # Parcel cancellation failed: it is where it was
    999: None,  # No label
    1000: _A,  # Ready to send
    1001: _A,  # Being announced
    1002: _F,  # Announcement failed
    1337: None,  # Unknown status
    1998: _C,  # Cancelled upstream
    1999: None,  # Cancellation requested
    2000: _C,  # Cancelled
    2001: None,  # Submitting cancellation request
    62989: _S,  # At Customs
    62990: _S,  # At sorting centre
    62991: _R,  # Refused by recipient
    62992: _R,  # Returned to sender
    62993: _S,  # Delivery method changed
    62994: _S,  # Delivery date changed
    62995: _S,  # Delivery address changed
    62996: _DELAYED,  # Exception
    62997: _F,  # Address invalid
}
# The same statuses by the code that v3 answers carry beside the text.
STATUS_BY_CODE: Final[dict[str, ParcelState | None]] = {
    "READY_TO_SEND": _A,
    "ANNOUNCING": _A,
    "ANNOUNCED": _A,
    "ANNOUNCED_UNCOLLECTED": _A,
    "COLLECT_ERROR": _A,
    "ANNOUNCEMENT_FAILED": _F,
    "ADDRESS_INVALID": _F,
    "PICKED_UP_BY_DRIVER": _S,
    "TO_SORTING": _S,
    "AT_SORTING_CENTRE": _S,
    "SORTING": _S,
    "SORTED": _S,
    "UNSORTED": _S,
    "AT_CUSTOMS": _S,
    "SHIPMENT_ON_ROUTE": _S,
    "DRIVER_ON_ROUTE": _S,
    "DELIVERY_DATE_CHANGED": _S,
    "DELIVERY_ADDRESS_CHANGED": _S,
    "DELIVERY_METHOD_CHANGED": _S,
    "AWAITING_CUSTOMER_PICKUP": _S,
    "DELIVERY_FAILED": _S,
    "DELAYED": _DELAYED,
    "UNDELIVERABLE": _DELAYED,
    "EXCEPTION": _DELAYED,
    "COLLECTED_BY_CUSTOMER": _D,
    "DELIVERED": _D,
    "REFUSED_BY_RECIPIENT": _R,
    "RETURNED_TO_SENDER": _R,
    "CANCELLED": _C,
    "CANCELLED_UPSTREAM": _C,
    "CANCELLING": None,
    "CANCELLING_UPSTREAM": None,
    "CANCELLATION_FAILED": None,
    "NO_LABEL": None,
    "UNKNOWN": None,
}

# v3 event parcels.event.created: data.event.phase
PHASES: Final[dict[str, ParcelState | None]] = {
    "none": None,
    "unknown": None,
    "no_label": None,
    "ready_to_send": _A,
    "announcing": _A,
    "announced": _A,
    "labelled": _A,
    "accepted": _S,
    "dropped": _S,
    "sorted": _S,
    "in_transit": _S,
    "in_delivery": _S,
    "attempted": _S,
    "pup": _S,  # at a pick-up point
    "customs": _S,
    "delivered": _D,
    "delivery_forced": _D,
    "cancelled": _C,
}
# data.event.exception outranks the phase, by how far the parcel has come: (before, after) the
# carrier has it. None = the phase stands.
EXCEPTIONS: Final[dict[str, tuple[ParcelState | None, ParcelState | None]]] = {
    "none": (None, None),
    "unknown": (None, None),
    "announcement_failed": (_F, None),
    "address_error": (_F, _DELAYED),
    "hold": (_F, _DELAYED),
    "customs_issue": (_F, _DELAYED),
    "non_conformity": (_F, _DELAYED),
    "cancelled": (_C, _C),
    "cancelled_upstream": (_C, _C),
    "cancelling": (None, None),
    "cancelling_upstream": (None, None),
    "cancellation_failed": (None, None),
    "changed": (None, None),
    "relabelled": (None, None),
    "customer_support": (None, None),
    "claim": (None, None),
    "claimable": (None, None),
    "delivery_delay": (None, _DELAYED),
    "sorting_delay": (None, _DELAYED),
    "handover_delay": (None, _DELAYED),
    "delay_unknown": (None, _DELAYED),
    "dropoff_expiration": (None, _DELAYED),
    "missing": (None, _DELAYED),
    "off_radar": (None, _DELAYED),
    "damaged": (None, _DELAYED),
    "customer_rejected": (None, _R),
    "refused": (None, _R),
    "pup_expiration": (None, _R),
    "returned_sender": (None, _R),
}

STATUS_CHANGED: Final = "parcel_status_changed"
EVENT_CREATED: Final = "parcels.event.created"
# Known, and nothing follows from them here.
IRRELEVANT_ACTIONS: Final = frozenset(
    {
        "test",
        "test_webhook",
        "webhook_test",
        "integration_connected",
        "integration_updated",
        "integration_deleted",
        "integration_disconnected",
        "integration_credentials",
        "return_created",
        "return_delivered",
        "refund_requested",
        "contact_form",
    }
)
