"""WooCommerce: stock, told by webhooks and in answers to our own questions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.facts import ActionReported, ProductReported, StockLine
from support.vendor_deliveries import recorded_step, woo_delivery

ADAPTER = WooCommerceAdapter()


class TestProducts:
    PRODUCT: dict[str, Any] = recorded_step("b2c-19", "checkout", "product.updated").body

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({}, (498, True, False)),
            ({"stock_quantity": -1, "stock_status": "outofstock"}, (-1, False, False)),
            ({"manage_stock": False, "stock_quantity": 7}, (None, True, False)),
            ({"manage_stock": "parent", "stock_quantity": "4"}, (4, True, False)),
            ({"stock_quantity": None}, (None, True, False)),
            ({"stock_quantity": 1.9}, (1, True, False)),
            ({"stock_status": "onbackorder", "backorders": "notify"}, (498, True, True)),
        ],
    )
    def test_stock(self, change: dict[str, Any], expected: tuple[int | None, bool, bool]) -> None:
        (draft,) = ADAPTER.translate(woo_delivery(self.PRODUCT | change, "product.updated")).facts
        body = draft.body
        assert isinstance(body, ProductReported)
        assert (body.stock_quantity, body.in_stock, body.backorders_allowed) == expected

    def test_the_same_stock_told_twice_is_one_fact(self) -> None:
        told = [
            ADAPTER.translate(woo_delivery(self.PRODUCT | {"total_sales": n}, topic)).facts
            for n, topic in ((1, "product.created"), (2, "product.updated"))
        ]
        assert told[0] == told[1]

    def test_a_deleted_product_cannot_be_sold(self) -> None:
        delivery = woo_delivery({"id": 18}, "product.deleted")
        (draft,) = ADAPTER.translate(delivery).facts
        assert isinstance(draft.body, ProductReported)
        assert not draft.body.in_stock


def stock_report(products: list[Any], *lines: tuple[str, int, int]) -> tuple[StockLine, ...]:
    told = [
        {"line_id": line, "product_id": str(product), "quantity": quantity}
        for line, product, quantity in lines
    ]
    answer = {"products": products, "lines": told}
    report = ActionReported(key="check_stock:1", kind="check_stock", done=True, answer=answer)
    return ADAPTER.translate_report(report).stock


def product(product_id: int, quantity: int | None, status: str = "instock") -> dict[str, Any]:
    return {
        "id": product_id,
        "manage_stock": quantity is not None,
        "stock_quantity": quantity,
        "stock_status": status,
    }


class TestReports:
    @pytest.mark.parametrize(
        ("stock", "quantity", "available"),
        [
            (product(18, 0, "outofstock"), 2, 2),  # the order itself took the last pieces
            (product(18, 5), 2, 2),
            (product(18, -1, "outofstock"), 2, 1),
            (product(18, -7, "onbackorder"), 2, 0),
            (product(18, None), 2, 2),
            (product(18, None, "outofstock"), 2, 0),
        ],
    )
    def test_stock_of_a_line(self, stock: Any, quantity: int, available: int) -> None:
        assert stock_report([stock], ("9", 18, quantity)) == (StockLine("9", available),)

    def test_missing_pieces_are_taken_from_the_last_line_first(self) -> None:
        lines = stock_report([product(18, -3)], ("1", 18, 2), ("2", 18, 2), ("3", 18, 2))
        assert lines == (StockLine("1", 2), StockLine("2", 1), StockLine("3", 0))

    def test_a_variation_has_a_stock_of_its_own(self) -> None:
        products = [product(35, None), product(36, -1)]
        line = {"line_id": "1", "product_id": 35, "variation_id": 36, "quantity": 1}
        report = ActionReported(
            key="c", kind="check_stock", done=True, answer={"products": products, "lines": [line]}
        )
        assert ADAPTER.translate_report(report).stock == (StockLine("1", 0),)

    def test_an_unknown_product_is_not_guessed(self) -> None:
        assert stock_report([product(18, 5)], ("1", 19, 1)) == ()

    @pytest.mark.parametrize("kind", ["add_shop_note", "update_shop_order", "refund_payment"])
    def test_the_id_of_the_answer_is_the_reference(self, kind: str) -> None:
        report = ActionReported(key=f"{kind}:1", kind=kind, done=True, answer={"id": 141})
        assert ADAPTER.translate_report(report).reference == "141"
        kept = msgspec.structs.replace(report, reference="mine")
        assert ADAPTER.translate_report(kept).reference == "mine"


def test_a_refusal_names_nothing_that_was_made() -> None:
    answer = {"code": "woocommerce_rest_shop_order_invalid_id", "id": 7, "products": []}
    for kind in ("add_shop_note", "check_stock"):
        report = ActionReported(key="k", kind=kind, done=False, answer=answer, error="404")
        assert ADAPTER.translate_report(report) == report
