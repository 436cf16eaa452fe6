"""What a checkpoint says of the mails is compared with the mails that came."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox.checks import differences
from sandbox.scenario import Checkpoint


def mail(notice: str, subject: str, language: str) -> dict[str, Any]:
    return {"notice": notice, "subject": subject, "language": language}


SHIPPED = mail("shipped", "Your order 1 is on its way", "en")
CONFIRMED = mail("confirmation", "Your order 1 at Nordlicht", "en")
GERMAN = mail("confirmation", "Ihre Bestellung 1 bei Nordlicht", "de")


@pytest.mark.parametrize(
    ("expected", "mails", "found"),
    [
        ({"mail_language": "en"}, [SHIPPED, CONFIRMED], 0),
        ({"mail_language": "en"}, [SHIPPED, GERMAN], 1),
        ({"mail_language": "de"}, [SHIPPED], 1),
        ({"mail_language": "en"}, [], 1),
        ({"subjects": {"confirmation": "Your order"}}, [SHIPPED, CONFIRMED], 0),
        ({"subjects": {"confirmation": "Your order"}}, [GERMAN], 1),
        ({"subjects": {"confirmation": "Your order"}}, [CONFIRMED, GERMAN], 1),
        ({"subjects": {"confirmation": "Your order"}}, [SHIPPED], 1),
        ({}, [GERMAN], 0),
    ],
)
def test_language_and_subjects(
    expected: dict[str, Any], mails: list[dict[str, Any]], found: int
) -> None:
    effects = {"mails": mails, "refunds": [], "parcels": []}
    order = {"statuses": {}, "actions": [], "documents": []}
    texts = differences(Checkpoint(at="end", **expected), order, [], effects)
    assert len(texts) == found
