"""Lists in the documentation are the lists of the code: errors, exceptions, statuses, events."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest
from kette.api.problems import TITLES
from kette.domain import facts as f
from kette.domain import fold_money, fold_parcels, status
from kette.setup_fields import EXCEPTION_KINDS
from support.markdown import DOCS, ROOT, coded, headings, rows, section

CODE = ROOT / "python-service" / "src" / "kette"
ERRORS = DOCS / "errors"
EXCEPTIONS = (DOCS / "exceptions.md").read_text("utf-8")
STATUSES = (DOCS / "statuses.md").read_text("utf-8")
OPERATIONS = (DOCS / "operations.md").read_text("utf-8")

# The exception kinds that the product promises; a kind that is dropped or added is decided here.
KINDS = (
    *("missing_field", "invalid_address", "special_note", "duplicate_order"),
    *("amount_mismatch", "tax_mismatch", "vat_id_invalid", "risk_review"),
    *("dispute_inquiry", "payment_open", "payment_failed", "chargeback"),
    *("out_of_stock", "fulfillment_blocked", "shipment_late", "changed_after_fulfillment"),
    *("cancelled_after_shipment", "return_overdue", "return_differs", "refund_needs_approval"),
    *("invoice_failed", "payout_mismatch", "payout_unmatched", "action_failed"),
    *("payload_unknown", "source_silent", "order_stuck", "restricted_destination"),
)


def sources(*folders: str) -> str:
    return "\n".join(
        path.read_text("utf-8")
        for folder in folders
        for path in sorted((CODE / folder).rglob("*.py"))
    )


class TestErrors:
    def test_every_code_has_a_page_and_every_page_a_code(self) -> None:
        pages = {page.stem for page in ERRORS.glob("*.md")} - {"README"}
        assert pages == set(TITLES)

    def test_the_index_lists_every_code(self) -> None:
        index = (ERRORS / "README.md").read_text("utf-8")
        listed = [re.sub(r"\[(\w+)\].*", r"\1", row[0]) for row in rows(index)][1:]
        assert sorted(listed) == sorted(TITLES)

    @pytest.mark.parametrize("code", TITLES)
    def test_a_page_says_what_happened_why_and_what_to_do(self, code: str) -> None:
        text = (ERRORS / f"{code}.md").read_text("utf-8")
        assert headings(text)[0] == (1, code)
        for part in ("**What happened.**", "**Why.**", "**What to do.**"):
            assert text.count(part) == 1, part

    @pytest.mark.parametrize("code", TITLES)
    def test_the_status_is_the_one_that_the_code_answers(self, code: str) -> None:
        index = (ERRORS / "README.md").read_text("utf-8")
        row = next(row for row in rows(index) if row[0].startswith(f"[{code}]"))
        calls = sources("api")
        answered = set(re.findall(rf'\(\s*(\d{{3}}),\s*"{code}"', calls))
        by_http = re.search(r"codes = \{([^}]*)\}", calls)
        assert by_http is not None
        answered |= set(re.findall(rf'(\d{{3}}): "{code}"', by_http[1]))
        assert answered == {row[1]}
        page = (ERRORS / f"{code}.md").read_text("utf-8")
        assert f"Status {row[1]}, " + ("retryable" if row[2] == "yes" else "not retryable") in page


class TestExceptions:
    def test_every_kind_has_a_section_and_every_section_a_kind(self) -> None:
        titles = [title for level, title in headings(EXCEPTIONS) if level == 3]
        assert sorted(titles) == sorted(KINDS)

    def test_the_setup_knows_the_same_kinds(self) -> None:
        assert sorted(EXCEPTION_KINDS) == sorted(KINDS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_section_says_when_who_what_and_what_resolving_does(self, kind: str) -> None:
        text = section(EXCEPTIONS, kind)
        told = re.findall(r"^- \*\*([^*]+):\*\*", text, re.M)
        assert told == ["When", "Suggested owner", "What to do", "Resolutions"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_kinds_that_no_rule_opens_are_named_so(self, kind: str) -> None:
        opened = re.search(rf'"{kind}"', sources("domain", "use_cases")) is not None
        said_not = "not opened in this version" in section(EXCEPTIONS, kind)
        assert said_not is not opened


def table(title: str) -> list[list[str]]:
    """Rows of a section's table without its head."""
    return list(rows(section(STATUSES, title)))[1:]


class TestStatuses:
    @pytest.mark.parametrize(
        ("axis", "rules"),
        [("payment", status.PAYMENT_RULES), ("fulfillment", status.FULFILLMENT_RULES)],
        ids=["payment", "fulfillment"],
    )
    def test_a_table_follows_its_rules(
        self, axis: str, rules: tuple[tuple[StrEnum, object], ...]
    ) -> None:
        assert [row[1] for row in table(axis)] == [value.value for value, _ in rules]
        assert [row[0] for row in table(axis)] == [str(n) for n in range(1, len(rules) + 1)]

    @pytest.mark.parametrize(
        ("axis", "values"),
        [
            ("order", status.OrderStatus),
            ("payment", status.PaymentStatus),
            ("risk", status.RiskStatus),
            ("fulfillment", status.FulfillmentStatus),
            ("return", status.ReturnStatus),
            ("accounting", status.AccountingStatus),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_an_axis_names_all_its_statuses_and_no_other(
        self, axis: str, values: type[StrEnum]
    ) -> None:
        known = {value.value for value in values}
        text = section(STATUSES, axis)
        assert {row[1] for row in table(axis)} <= known
        assert [v for v in sorted(known) if not re.search(rf"\b{v}\b", text)] == []

    def test_ranks_are_those_of_the_code(self) -> None:
        ranks: dict[str, dict[str, int]] = {
            "payment": {},
            "refund": {},
            "dispute": {},
            "parcel": {},
        }
        for row in table("Things with a life of their own"):
            for kind, name, rank in zip(ranks, row[::2], row[1::2], strict=True):
                if name:
                    ranks[kind][name] = int(rank)
        assert ranks == {
            "payment": {state.value: rank for state, rank in fold_money.PAYMENT_RANK.items()},
            "refund": {state.value: rank for state, rank in fold_money.REFUND_RANK.items()},
            "dispute": {state.value: rank for state, rank in fold_money.DISPUTE_RANK.items()},
            "parcel": {state.value: rank for state, rank in fold_parcels.PARCEL_RANK.items()},
        }
        assert f.ParcelState.DELAYED not in fold_parcels.PARCEL_RANK  # told as a word below it


class TestWhatOperatorsSee:
    def test_every_log_event_is_explained_and_every_explained_one_is_logged(self) -> None:
        logged = set(
            re.findall(r'log\.(?:info|warning|error|exception)\(\s*"([a-z_.]+)"', sources(""))
        )
        assert len(logged) > 10
        explained = {row[0].strip("`") for row in rows(section(OPERATIONS, "Log events"))} - {
            "event"
        }
        assert explained == logged

    def test_every_metric_is_explained(self) -> None:
        made = set(re.findall(r'(?:Gauge|Counter|Histogram)\(\s*"(\w+)"', sources("api")))
        explained = {row[0].strip("`") for row in rows(section(OPERATIONS, "Metrics"))} - {"metric"}
        assert explained == made != set()

    def test_every_table_is_described(self) -> None:
        from kette.adapters.database.tables import metadata

        text = section((DOCS / "architecture.md").read_text("utf-8"), "The data")
        named = {name for row in rows(text) for name in row[0].split(", ")} - {"table"}
        assert named == set(metadata.tables)

    def test_the_gateway_s_states_are_named(self) -> None:
        from kette.adapters.mail.store import MailState

        text = section(OPERATIONS, "Metrics")
        assert [s.value for s in MailState if s.value not in text] == []


def test_the_reader_of_tables_reads_tables() -> None:
    text = "| a | b |\n|---|---|\n| `x` | y \\| z |\n"
    assert list(rows(text)) == [["a", "b"], ["`x`", "y \\| z"]]
    assert coded(text) == ["x"]
