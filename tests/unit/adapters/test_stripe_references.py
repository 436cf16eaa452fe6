"""Stripe: which order an event belongs to, who signed it, and what an answer says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from kette.adapters.vendors.base import Delivery, SignatureError
from kette.domain import facts as f
from kette.domain.facts import Ref
from support.stripe_events import ADAPTER, drafts, event
from support.vendor_deliveries import NOW, STRIPE, stripe_signature, vendor_fixture

SECRET = b"whsec_test"
BASE_REFS = (Ref("payment", "pi_3Order102"), Ref("payment", "ch_3Order102"))
SHOP_REFS = (
    Ref("woo-main", "key:wc_order_NfLZLUDwT5mdv"),
    Ref("woo-main", "order:102", founds_order=True),
)


class TestReferences:
    def test_the_surest_names_come_first(self) -> None:
        (draft,) = drafts(vendor_fixture("stripe", "charge_succeeded"))
        assert draft.refs == (*BASE_REFS, *SHOP_REFS)
        assert draft.external_id == "evt_3chargesucceeded:payment:pi_3Order102"
        assert draft.occurred_at == datetime.fromtimestamp(1795464000, UTC)

    @pytest.mark.parametrize(
        ("metadata", "refs"),
        [
            ({}, ()),
            ({"order_id": "NL-2026-7"}, (Ref("woo-main", "number:NL-2026-7"),)),
            ({"woo_order_id": 102}, (Ref("woo-main", "order:102", founds_order=True),)),
            ({"order_number": "#7"}, (Ref("woo-main", "number:7"),)),
            (
                {"order_id": "1001", "signature": "5230:0123456789abcdef0123456789abcdef"},
                (
                    Ref("woo-main", "order:5230", founds_order=True),
                    Ref("woo-main", "number:1001"),
                ),
            ),
            (
                {"order_id": "102", "signature": "102:0123456789abcdef0123456789abcdef"},
                (Ref("woo-main", "order:102", founds_order=True),),
            ),
            ({"order_id": "102", "signature": "9:x"}, SHOP_REFS[1:]),
            ({"order_id": "1" * 300}, ()),
            ({"kette_order": "ord_1"}, (Ref("kette", "ord_1"),)),
            ({"order_id": ["102"]}, ()),
            ([], ()),
        ],
    )
    def test_metadata(self, metadata: Any, refs: tuple[Ref, ...]) -> None:
        (draft,) = drafts(event("charge_succeeded", metadata=metadata))
        assert draft.refs == (*BASE_REFS, *refs)

    @pytest.mark.parametrize(
        ("system", "metadata", "expected"),
        [
            ({"serves": ()}, {"order_id": "1"}, ""),
            ({"serves": ("a", "b")}, {"order_id": "1", "kette_shop": "b"}, "b"),
            ({"serves": ("a", "b")}, {"order_id": "1", "kette_shop": "c"}, ""),
            (
                {"serves": ("a", "b"), "options": {"mode": "test", "sites": "a=x.de b=www.y.de"}},
                {"order_id": "1", "site_url": "https://y.de/shop"},
                "b",
            ),
        ],
    )
    def test_which_shop(
        self, system: dict[str, Any], metadata: dict[str, str], expected: str
    ) -> None:
        body = event("charge_succeeded", metadata=metadata)
        (draft,) = drafts(body, msgspec.structs.replace(STRIPE, **system))
        shops = [ref.system_id for ref in draft.refs if ref.name == "order:1"]
        assert shops == ([expected] if expected else [])

    def test_a_payment_link_leads_to_its_order(self) -> None:
        (draft,) = drafts(vendor_fixture("stripe", "checkout_session_completed"))
        assert draft.refs == (
            Ref("payment", "pi_3Link102"),
            Ref("payment", "cs_test_a1Order102"),
            Ref("payment", "plink_1Order102"),
            Ref("woo-main", "order:102", founds_order=True),
        )

    def test_payouts_belong_to_no_order(self) -> None:
        assert [d.refs for d in drafts(vendor_fixture("stripe", "payout_paid"))] == [()]


class TestSignature:
    BODY = b'{"id":"evt_1"}'
    T = int(NOW.timestamp())

    def verify(self, header: str | None, *secrets: bytes) -> None:
        headers = {} if header is None else {"stripe-signature": header}
        ADAPTER.verify(Delivery(STRIPE, headers, self.BODY, NOW), secrets or [SECRET])

    def signed(self, at: int, secret: bytes = SECRET) -> str:
        return stripe_signature(secret, self.BODY, at)

    @pytest.mark.parametrize("age", [0, 300, -300])
    def test_in_time(self, age: int) -> None:
        self.verify(f"t={self.T - age},v1={self.signed(self.T - age)}")

    def test_several_signatures_and_secrets_while_rolling(self) -> None:
        header = f"t={self.T}, v1={'0' * 64}, v1={self.signed(self.T, b'new')},v0=abc"
        self.verify(header, SECRET, b"new")

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (None, "no Stripe-Signature header"),
            ("", "no Stripe-Signature header"),
            ("v1=abc", "the signature header carries no time"),
            ("t=abc,v1=abc", "the signature header carries no time"),
            ("t=-5,v1=abc", "the signature header carries no time"),
            ("t={t}", "the signature header carries no v1 signature"),
            ("t={t},v0={v1}", "the signature header carries no v1 signature"),
            ("t={t},v1=ä", "the signature does not match the body"),
            ("t={t},v1={other}", "the signature does not match the body"),
            ("t={old},v1={v1old}", "the signature's time is too old (more than 300 s)"),
            ("t={new},v1={v1new}", "the signature's time is too far in the future"),
            ("t={t},v1={v1old}", "the signature does not match the body"),
        ],
    )
    def test_refused(self, header: str | None, reason: str) -> None:
        told = header and header.format(
            t=self.T,
            old=self.T - 301,
            new=self.T + 301,
            v1=self.signed(self.T),
            v1old=self.signed(self.T - 301),
            v1new=self.signed(self.T + 301),
            other=self.signed(self.T, b"other"),
        )
        with pytest.raises(SignatureError) as refused:
            self.verify(told)
        assert refused.value.reason.startswith(reason)

    def test_without_a_secret_nothing_is_proven(self) -> None:
        with pytest.raises(SignatureError, match="no webhook secret"):
            ADAPTER.verify(Delivery(STRIPE, {"stripe-signature": "t=1,v1=a"}, b"", NOW), [])


class TestReports:
    @staticmethod
    def report(kind: str, answer: dict[str, Any]) -> f.ActionReported:
        told = f.ActionReported(key=f"{kind}:1", kind=kind, done=True, answer=answer)
        return ADAPTER.translate_report(told)

    def test_a_refund(self) -> None:
        told = self.report("refund_payment", {"id": "re_1", "status": "pending"})
        assert (told.reference, told.done, told.link) == ("re_1", True, "")

    def test_a_refund_that_failed_at_once_is_not_done(self) -> None:
        answer = {"id": "re_1", "status": "failed", "failure_reason": "expired_or_canceled_card"}
        told = self.report("refund_payment", answer)
        assert (told.done, told.retryable) == (False, False)
        assert told.error == "the refund failed: expired_or_canceled_card"

    @pytest.mark.parametrize("kind", ["offer_alternative_payment", "send_payment_reminder"])
    def test_a_payment_link(self, kind: str) -> None:
        told = self.report(kind, {"id": "plink_1", "url": "https://buy.stripe.com/test_1"})
        assert (told.reference, told.link) == ("plink_1", "https://buy.stripe.com/test_1")

    def test_a_link_that_is_none_is_left_out(self) -> None:
        told = self.report("offer_alternative_payment", {"url": "javascript:alert(1)"})
        assert told.link == ""

    @pytest.mark.parametrize(
        ("code", "retryable"), [("charge_already_refunded", True), ("charge_disputed", False)]
    )
    def test_a_refund_that_is_refused(self, code: str, retryable: bool) -> None:
        """Somebody refunded at Stripe meanwhile: the event tells, and no person has to."""
        report = f.ActionReported(
            key="refund_payment:1",
            kind="refund_payment",
            done=False,
            retryable=False,
            error="400",
            answer={"error": {"type": "invalid_request_error", "code": code}},
        )
        told = ADAPTER.translate_report(report)
        assert (told.done, told.retryable, told.reference) == (False, retryable, "")
