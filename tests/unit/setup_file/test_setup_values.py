"""What a good setup file becomes, its version, and secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from kette.cli.setup import app
from kette.domain.money import Money
from kette.domain.policy import (
    AccountingPolicy,
    ActionPolicy,
    CustomerPolicy,
    ExceptionPolicy,
    FulfillmentPolicy,
    IntakePolicy,
    PaymentPolicy,
    PullPolicy,
    RiskPolicy,
    Setup,
)
from kette.setup_file import SecretError, SetupError, load_setup, read_setup, resolve_secret
from typer.testing import CliRunner

SETUPS = Path(__file__).parents[3] / "fixtures" / "setups"
READY = SETUPS / "woocommerce-payment-invoice.yaml"


def ready(**environ: str) -> Setup:
    return load_setup(READY, environ)


def test_ready_setup_has_the_systems_of_the_demo() -> None:
    setup = ready()
    assert {key: (system.kind, system.role) for key, system in setup.systems.items()} == {
        "woo-main": ("woocommerce", "shop"),
        "stripe-main": ("stripe", "payment"),
        "sendcloud-main": ("sendcloud", "carrier"),
        "mail": ("smtp", "mail"),
        "archive": ("folder", "archive"),
        "vies": ("vies", "tax"),
        "n8n": ("n8n", "automation"),
    }
    assert setup.systems["woo-main"].secrets == {
        "webhook": ("env:KETTE_WOO_WEBHOOK_SECRET",),
        "consumer_key": ("env:KETTE_WOO_CONSUMER_KEY",),
        "consumer_secret": ("env:KETTE_WOO_CONSUMER_SECRET",),
    }
    assert setup.systems["stripe-main"].options == {"mode": "test"}
    assert setup.risk.high_value == Money(100_000, "EUR")
    assert setup.payment.reminders_after_s == (259_200, 604_800)
    assert setup.merchant.iban == "DE02120300000000202051"


def test_environment_fills_base_urls_without_changing_the_version() -> None:
    local = ready(KETTE_WOO_URL="http://127.0.0.1:8720/woocommerce/", KETTE_STRIPE_MODE="live")
    assert local.systems["woo-main"].base_url == "http://127.0.0.1:8720/woocommerce"
    assert ready().systems["woo-main"].base_url == "https://shop.example"
    assert local.systems["stripe-main"].options == {"mode": "live"}
    assert local.version == ready().version


def test_empty_environment_variable_counts_as_not_set() -> None:
    assert ready(KETTE_WOO_URL="").systems["woo-main"].base_url == "https://shop.example"


def test_version_ignores_comments_and_layout_but_no_value() -> None:
    text = READY.read_text(encoding="utf-8")
    relaid = text.replace("  duplicate_window: 1h", "  duplicate_window:   60m")
    same = read_setup(f"# more\n\n{relaid}".encode(), "f", {})
    other = read_setup(
        text.replace("duplicate_window: 1h", "duplicate_window: 2h").encode(), "f", {}
    )
    assert same.version == ready().version
    assert other.version != ready().version


def test_version_depends_on_the_order_of_systems() -> None:
    # The first system of a role that serves a shop is taken, so the order is part of the rules.
    text = READY.read_text(encoding="utf-8")
    mail = text[text.index("  mail:\n") : text.index("  archive:\n")]
    moved = text.replace(mail, "").replace("  stripe-main:\n", mail + "  stripe-main:\n")
    assert read_setup(moved.encode(), "f", {}).version != ready().version


def test_all_options_shows_every_option() -> None:
    """A field that is added to a policy must be added to the file that shows them all."""
    text = (SETUPS / "all-options.yaml").read_text(encoding="utf-8")
    setup = load_setup(SETUPS / "all-options.yaml", {})
    policies = {
        "intake": IntakePolicy, "risk": RiskPolicy, "payment": PaymentPolicy,
        "fulfillment": FulfillmentPolicy, "accounting": AccountingPolicy,
        "customer": CustomerPolicy, "exceptions": ExceptionPolicy, "actions": ActionPolicy,
    }  # fmt: skip
    for policy in policies.values():
        for field in policy.__struct_fields__:
            assert f"  {field.removesuffix('_s')}:" in text
    assert setup.systems["archive"].serves == ("woo-main",)
    assert setup.systems["woo-main"].secrets["webhook"] == (
        "env:KETTE_WOO_WEBHOOK_SECRET",
        "env:KETTE_WOO_WEBHOOK_SECRET_OLD",
    )
    assert setup.actions.backoff_s == (10, 60, 300, 1800, 7200)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("90m", 5400),
        ("2h", 7200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("1d12h", 129_600),
    ],
)
def test_durations(written: str, seconds: int) -> None:
    text = READY.read_text(encoding="utf-8")
    changed = text.replace("duplicate_window: 1h", f"duplicate_window: {written}")
    assert read_setup(changed.encode(), "f", {}).intake.duplicate_window_s == seconds


def test_words_of_yaml_stay_what_was_written() -> None:
    """Leading zeros, NO and yes are text where text is due."""
    text = READY.read_text(encoding="utf-8")
    changed = text.replace('"20457"', "01067").replace(
        "required_fields:", "restricted_countries: [NO]\n  required_fields:"
    )
    setup = read_setup(changed.encode(), "f", {})
    assert setup.merchant.address.postal_code == "01067"
    assert setup.intake.restricted_countries == ("NO",)


def test_cancel_after_never() -> None:
    text = READY.read_text(encoding="utf-8").replace("cancel_after: 14d", "cancel_after: never")
    assert read_setup(text.encode(), "f", {}).payment.cancel_after_s is None


def test_file_with_byte_order_mark_is_read() -> None:
    assert read_setup(b"\xef\xbb\xbf" + READY.read_bytes(), "f", {}).version == ready().version


def test_missing_file_is_an_error_of_the_setup(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read: No such file or directory"):
        load_setup(tmp_path / "none.yaml", {})


def test_secret_from_the_environment() -> None:
    assert resolve_secret("env:A", {"A": "geheim"}) == b"geheim"


def test_secret_from_a_file_loses_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b" whsec_1 \r\n")
    assert resolve_secret(f"file:{path}", {}) == b" whsec_1 "


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:B", "secret env:B: the environment variable B is not set"),
        ("env:EMPTY", "secret env:EMPTY: is empty"),
        ("file:/nowhere/secret", "secret file:/nowhere/secret: No such file or directory"),
        ("file:a\0b", "secret file:a\0b: is not a path"),
        ("plain-secret", "secret (not shown): is no reference; write env:NAME or file:PATH"),
        ("env:", "secret (not shown): is no reference; write env:NAME or file:PATH"),
    ],
)
def test_secret_that_cannot_be_had(reference: str, message: str) -> None:
    with pytest.raises(SecretError) as caught:
        resolve_secret(reference, {"EMPTY": ""})
    assert str(caught.value) == message


def test_check_prints_a_summary() -> None:
    result = CliRunner().invoke(
        app, ["check", str(READY)], env={"KETTE_WOO_URL": "https://w.example"}
    )
    assert result.exit_code == 0
    assert f"Setup nordlicht-laden, version {ready().version}" in result.output
    assert "  shop        woo-main (woocommerce) at https://w.example" in result.output


def test_check_prints_problems_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    text = READY.read_text(encoding="utf-8").replace("name: nordlicht-laden", "nam: x")
    file.write_text(text, encoding="utf-8")
    line = text[: text.index("nam: x")].count("\n") + 1
    result = CliRunner().invoke(app, ["check", str(file)])
    assert result.exit_code == 1
    assert f"{file}:{line}:1 nam: unknown key 'nam' (did you mean name?)\n" in result.output
    assert result.output.endswith(f"{file}: 2 problems\n")


def test_a_provider_that_names_no_shop_serves_all_of_the_file(tmp_path: Path) -> None:
    """Its events name no shop, so payments would wait for their order for good."""
    text = READY.read_text(encoding="utf-8")
    assert text.count("    serves: [woo-main]\n") == 2
    file = tmp_path / "setup.yaml"
    file.write_text(text.replace("    serves: [woo-main]\n", ""), encoding="utf-8")
    systems = load_setup(file, {}).systems
    assert systems["stripe-main"].serves == systems["sendcloud-main"].serves == ("woo-main",)
    assert systems["mail"].serves == ()


def test_how_a_shop_is_pulled(tmp_path: Path) -> None:
    """Durations become seconds; only a limit that is set up makes a silent provider a case."""
    text = READY.read_text("utf-8")

    def pull(keys: str) -> PullPolicy:
        told = text.replace("  stripe-main:\n", f"    pull: {{{keys}}}\n  stripe-main:\n", 1)
        return read_setup(told.encode(), "x.yaml", {}).systems["woo-main"].pull

    assert ready().systems["woo-main"].pull == PullPolicy()
    assert pull("overlap: 30m, page_size: 20") == PullPolicy(overlap_s=1800, page_size=20)
    assert pull("silent_after: 2h") == PullPolicy(silent_after_s=7200, is_watched=True)
    assert pull("silent_after: never") == PullPolicy(silent_after_s=None)
    with pytest.raises(SetupError, match="out of range"):
        pull("page_size: 1000")
    provider = text.replace(
        "  sendcloud-main:\n", "    pull: {overlap: 5m}\n  sendcloud-main:\n", 1
    )
    with pytest.raises(SetupError, match="a stripe system is not pulled"):
        read_setup(provider.encode(), "x.yaml", {})
