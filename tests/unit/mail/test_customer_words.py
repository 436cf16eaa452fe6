"""What a customer is told: names that people use, and nothing that staff wrote for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kette.adapters.mail.words import carrier_name, charge_name
from kette.domain.money import Money
from kette.domain.order import LineItem, LineKind
from support.service_box import ServiceBox, sqlite_url


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ServiceBox]:
    opened = ServiceBox(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("dhl", "DHL"),
        ("dhl_de", "DHL"),
        ("dpd-classic", "DPD"),
        ("deutsche_post", "Deutsche Post"),
        ("DHL", "DHL"),
        ("", ""),
        ("Radbote Nord", "Radbote Nord"),
        ("dhlx", "dhlx"),
    ],
)
def test_a_carrier_has_the_name_that_people_know(code: str, name: str) -> None:
    assert carrier_name(code) == name


def test_why_staff_cancelled_is_not_mailed_to_the_customer(box: ServiceBox) -> None:
    order_id = box.paid_order()
    (confirmation,) = box.lease("customer")
    box.report(confirmation["key"])
    box.service.people.cancel(order_id, "anna", "Smells of fraud, see note")

    (notice,) = box.lease("customer")

    mail = notice["data"]["mail"]
    assert notice["data"]["notice"] == "cancelled"
    assert "storniert" in mail["subject"]
    assert "fraud" not in mail["text"] + mail["html"]
    assert "Grund" not in mail["text"]


@pytest.mark.parametrize(
    ("kind", "name", "german", "english"),
    [
        (LineKind.SHIPPING, "DHL Paket", "Versand (DHL Paket)", "Shipping (DHL Paket)"),
        (LineKind.SHIPPING, "Kostenloser Versand", "Kostenloser Versand", ""),
        (LineKind.SHIPPING, "Abholung im Laden", "Abholung im Laden", ""),
        (LineKind.SHIPPING, "", "Versand", "Shipping"),
        (LineKind.SHIPPING, "Shipping", "Versand", "Shipping"),
        (LineKind.FEE, "Nachnahmegebühr", "Nachnahmegebühr", ""),
        (LineKind.FEE, "Gift card 4F2A", "Gutschein 4F2A", "Gift card 4F2A"),
        (LineKind.FEE, "Duties", "Zoll und Einfuhrabgaben", "Duties"),
        (LineKind.TIP, "Tip", "Trinkgeld", "Tip"),
    ],
)
def test_a_charge_has_a_name(kind: LineKind, name: str, german: str, english: str) -> None:
    zero = Money.zero("EUR")
    line = LineItem("1", kind, name, 1, zero, zero, None)
    assert charge_name(line, "de") == german
    assert charge_name(line, "en") == (english or name)
