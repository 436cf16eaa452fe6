"""What people said: corrections, approvals, cancellations, resolved exceptions."""

from __future__ import annotations

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.fold import fold
from kette.domain.order import ShopClaim
from support.intake_orders import ANKE, PLACED_AT, address
from support.order_facts import (
    MINUTE,
    corrected,
    document,
    done,
    fact,
    file_of,
    resolved,
    snapshot,
    told,
)

OLD = {"shipping": address(line1="Hafenstr. 3")}
NEW = {"shipping": address(line1="Elbchaussee 9")}


def street(*bodies: f.FactBody) -> str:
    return file_of(*bodies).delivery_address.line1


def test_a_correction_replaces_the_shops_address() -> None:
    assert street(snapshot(**OLD), corrected(line1="Hafenstr. 33")) == "Hafenstr. 33"


def test_the_last_correction_counts() -> None:
    bodies = (snapshot(**OLD), corrected(line1="A 1"), corrected(line1="B 2"))
    assert street(*bodies) == "B 2"


def test_the_shop_saving_the_same_address_again_keeps_the_correction() -> None:
    bodies = (snapshot(**OLD), corrected(line1="A 1"), snapshot(version=2, **OLD))
    assert street(*bodies) == "A 1"


def test_a_later_change_in_the_shop_outdates_the_correction() -> None:
    bodies = (snapshot(**OLD), corrected(line1="A 1"), snapshot(version=2, **NEW))
    assert street(*bodies) == "Elbchaussee 9"


def test_an_earlier_change_in_the_shop_does_not() -> None:
    bodies = (snapshot(**OLD), snapshot(version=2, **NEW), corrected(line1="A 1"))
    assert street(*bodies) == "A 1"


def test_the_old_address_typed_again_outdates_the_correction() -> None:
    """There and back in the shop: a person at the shop has decided twice since the correction,
    which came back to life once the address was the first one again."""
    bodies = (
        snapshot(**OLD),
        corrected(line1="A 1"),
        snapshot(version=2, **NEW),
        snapshot(version=3, **OLD),
    )
    assert street(*bodies) == "Hafenstr. 3"


def test_a_correction_without_an_order_is_kept() -> None:
    assert street(corrected(line1="A 1")) == "A 1"


def test_billing_stands_in_for_a_missing_shipping_address() -> None:
    empty = f.OrderSnapshot(msgspec.structs.replace(snapshot().order, shipping=type(ANKE)()))
    assert street(empty) == ANKE.line1


def test_approvals_by_subject_the_last_word_counts() -> None:
    file = file_of(
        f.ApprovalGiven("risk", True, "Ida", "known customer"),
        f.ApprovalGiven("risk", False, "Jan", "not that one"),
        f.ApprovalGiven("refund_payment:x", True, "Ida", "fine"),
    )
    assert {name: word.approved for name, word in file.approvals.items()} == {
        "risk": False,
        "refund_payment:x": True,
    }


def test_the_first_cancellation_is_kept() -> None:
    file = file_of(f.CancelRequested("Ida", "first"), f.CancelRequested("Jan", "second"))
    assert file.cancel == f.CancelRequested("Ida", "first")
    assert file.cancel_at == PLACED_AT


def test_resolved_exceptions_are_handled_assigned_and_snoozed_ones_are_not() -> None:
    file = file_of(
        resolved("invalid_address:x"),
        f.ExceptionHandled("risk_review:y", "assign", "Ida", "yours", owner="fraud"),
        f.ExceptionHandled("payment_open:z", "snooze", "Ida", "later", until=PLACED_AT),
    )
    assert [(h.resolution, h.by, h.at) for h in file.handled.values()] == [
        ("accepted", "Ida", PLACED_AT)
    ]


def test_the_last_resolution_counts() -> None:
    file = file_of(resolved("out_of_stock:1", "fixed"), resolved("out_of_stock:1", "done"))
    assert [(h.resolution, h.at) for h in file.handled.values()] == [("done", PLACED_AT + MINUTE)]


REMOVED, RESTORED = f.OrderRemoved(), f.OrderRestored()


@pytest.mark.parametrize(
    ("bodies", "is_removed"),
    [
        ((REMOVED,), True),
        ((REMOVED, RESTORED), False),
        ((RESTORED, REMOVED), False),  # the removal had no time and was told late
        ((REMOVED, RESTORED, REMOVED), True),
        ((REMOVED, REMOVED, RESTORED), False),  # set back over the shop's API between the two
        ((REMOVED, RESTORED, REMOVED, RESTORED), False),
        ((REMOVED, RESTORED, REMOVED, REMOVED, RESTORED), False),
    ],
)
def test_trash_and_back(bodies: tuple[f.FactBody, ...], is_removed: bool) -> None:
    assert file_of(snapshot(), *bodies).is_removed is is_removed


@pytest.mark.parametrize(("minutes", "is_removed"), [(-1, True), (9, True), (11, False)])
def test_an_order_that_is_changed_long_after_its_removal_is_out_of_the_trash(
    minutes: int, is_removed: bool
) -> None:
    """Set back over the shop's API, which no webhook tells: the next change shows it. Within
    minutes it may be the shop's clock that is ahead."""
    removal = told(snapshot(), REMOVED)
    change = fact(snapshot(version=2), removal[-1].occurred_at + minutes * MINUTE, "later")
    assert fold([*removal, change]).is_removed is is_removed


def test_documents_and_notes_are_kept() -> None:
    note = f.NoteAdded("Ida", "customer called")
    file = file_of(document(), note)
    assert (file.documents, file.notes) == ((document(),), (note,))


def test_a_cancellation_that_the_shop_undid_is_seen() -> None:
    bodies = (
        snapshot(ShopClaim.PENDING, version=1),
        done("cancel_order:unpaid"),
        snapshot(ShopClaim.CANCELLED, version=2),
    )
    assert not file_of(*bodies).is_reopened
    assert file_of(*bodies, snapshot(ShopClaim.PROCESSING, version=3)).is_reopened
    assert not file_of(snapshot()).is_reopened
