"""Invoice numbers: without gaps, each once, whatever fails and however many ask at once."""

from __future__ import annotations

from typing import Any

import pytest
from kette.domain.documents import DocumentError
from support.service_box import ServiceBox, card_order, ready_setup, woo_id
from support.threads import at_once


def invoice(number: int) -> str:
    return f"issue_invoice:{woo_id(number)}"


def shipped_orders(box: ServiceBox, *numbers: int) -> list[str]:
    """Orders whose goods are out: the shop says completed and paid."""
    for number in numbers:
        box.woo(
            card_order(
                number,
                status="completed",
                payment_method="bacs",
                date_paid_gmt="2026-11-23T20:20:00",
                billing={"email": f"c{number}@example.org", "last_name": f"C{number}"},
            )
        )
    keys = [invoice(number) for number in numbers]
    assert set(keys) <= set(box.actions())
    return keys


def numbers_of(box: ServiceBox) -> list[str]:
    with box.kernel.store.read() as tx:
        rows, _ = tx.orders.find(limit=1000)
        return sorted(
            document["number"] for row in rows for document in tx.documents.of_order(row.id)
        )


def test_parallel_calls_number_without_gaps(box: ServiceBox) -> None:
    keys = shipped_orders(box, *range(500, 516))
    issue = box.service.documents
    at_once([lambda k=keys[n::4]: issue(k) for n in range(4)])  # type: ignore[misc]
    assert numbers_of(box) == [f"RE-2026-{n:06d}" for n in range(1, 17)]
    assert {box.action(key).state for key in keys} == {"done"}


def test_the_same_invoice_asked_for_at_once_is_issued_once(box: ServiceBox) -> None:
    """Failure case 15: two events set "paid" at one moment, two workers ask for the invoice."""
    keys = shipped_orders(box, 500)
    answers = at_once([lambda: box.service.documents(keys)] * 8)
    assert {answer[0].number for answer in answers} == {"RE-2026-000001"}
    assert numbers_of(box) == ["RE-2026-000001"]


@pytest.mark.parametrize(
    "error", [DocumentError("no_items", "the order has no line"), ValueError("font broken")]
)
def test_a_document_that_cannot_be_made_uses_no_number_and_stops_no_other(
    error: Exception, box: ServiceBox
) -> None:
    keys = shipped_orders(box, 500, 501, 502)
    render = box.service.documents._render_pdf

    def break_second(document: Any) -> bytes:
        if document.order_number == "501":
            raise error
        return render(document)

    box.service.documents._render_pdf = break_second  # type: ignore[method-assign]
    results = box.service.documents(keys)
    assert [result.number for result in results] == ["RE-2026-000001", "", "RE-2026-000002"]
    assert results[1].error
    assert numbers_of(box) == ["RE-2026-000001", "RE-2026-000002"]
    (entry,) = box.exceptions().values()
    assert entry.kind == "invoice_failed"
    # Repaired, and resolved by a person: the next number in turn.
    box.service.documents._render_pdf = render  # type: ignore[method-assign]
    box.service.people.resolve(entry.id, "fixed", "Ida", "the font is back")
    (result,) = box.service.documents([keys[1]])
    assert result.number == "RE-2026-000003"
    assert box.exceptions() == {}


def test_failures_among_parallel_calls_leave_no_gap(box: ServiceBox) -> None:
    keys = shipped_orders(box, *range(500, 512))
    render = box.service.documents._render_pdf

    def break_odd(document: Any) -> bytes:
        if int(document.order_number) % 2:
            raise DocumentError("odd", "odd orders fail here")
        return render(document)

    box.service.documents._render_pdf = break_odd  # type: ignore[method-assign]
    at_once([lambda k=keys[n::4]: box.service.documents(k) for n in range(4)])  # type: ignore[misc]
    assert numbers_of(box) == [f"RE-2026-{n:06d}" for n in range(1, 7)]


def test_a_death_before_the_commit_leaves_number_and_action_free(box: ServiceBox) -> None:
    class Died(BaseException):
        pass

    keys = shipped_orders(box, 500)
    render = box.service.documents._render_pdf

    def die(_document: Any) -> bytes:
        raise Died

    box.service.documents._render_pdf = die  # type: ignore[method-assign]
    with pytest.raises(Died):
        box.service.documents(keys)
    box.service.documents._render_pdf = render  # type: ignore[method-assign]
    assert box.service.documents(keys)[0].number == "RE-2026-000001"


def test_repeating_the_call_answers_the_same(box: ServiceBox) -> None:
    keys = shipped_orders(box, 500)
    first = box.service.documents(keys)
    assert box.service.documents(keys) == first
    assert box.statuses(woo_id(500))["accounting"] == "invoiced"


def test_what_is_no_longer_wanted_or_unknown_is_said(box: ServiceBox) -> None:
    box.paid_order(102)
    results = box.service.documents(
        ["issue_invoice:ord_nobody", f"check_stock:{woo_id(102)}:1", "x"]
    )
    assert [result.status for result in results] == ["unknown"] * 3


def test_a_range_starts_anew_with_the_business_year(box: ServiceBox) -> None:
    """Failure case 46: the year is that of the merchant's place, not of UTC."""
    keys = shipped_orders(box, 500, 501)
    box.clock.at = box.clock.at.replace(month=12, day=31, hour=22, minute=59)
    assert box.service.documents(keys[:1])[0].number == "RE-2026-000001"
    box.clock.at = box.clock.at.replace(hour=23, minute=30)  # half past midnight in Hamburg
    assert box.service.documents(keys[1:])[0].number == "RE-2027-000001"


def test_a_pattern_without_year_counts_on(database_url: str) -> None:
    setup = ready_setup(accounting={"invoice_number": "R{n:05d}"})
    box = ServiceBox(database_url, setup=setup)
    try:
        keys = shipped_orders(box, 500, 501)
        box.service.documents(keys[:1])
        box.clock.at = box.clock.at.replace(year=2027)
        assert box.service.documents(keys[1:])[0].number == "R00002"
    finally:
        box.close()
