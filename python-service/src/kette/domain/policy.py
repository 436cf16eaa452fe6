"""The merchant's setup as the rules see it: checked, typed, without secrets.

`kette.setup_file` reads the YAML file into these structs and names line and field of every error.
Durations are whole seconds inside ("3d", "90m" in the file); amounts are Money.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from kette.domain.money import Money
from kette.domain.order import Address

HOUR = 3600
DAY = 24 * HOUR


class PullPolicy(msgspec.Struct, frozen=True):
    """How a shop is read besides its webhooks."""

    overlap_s: int = 600  # each pull reaches back so far behind the last complete one
    first_window_s: int = DAY  # how far the very first pull reaches back
    # Without a complete pull for so long, a person is told; None: never, where nothing is set up.
    silent_after_s: int | None = HOUR
    page_size: int = 0  # 0: what suits the shop's kind
    is_watched: bool = False  # silent_after is set up: silence counts before the first pull too


class System(msgspec.Struct, frozen=True):
    """One outside system. `secrets` hold references (env:NAME, file:PATH), never values."""

    id: str
    kind: str  # woocommerce, stripe, sendcloud, smtp, folder, s3, n8n, vies
    role: str  # shop, payment, carrier, mail, archive, automation, tax
    base_url: str = ""
    serves: tuple[str, ...] = ()  # shops that a provider or carrier works for; empty = all
    secrets: dict[str, tuple[str, ...]] = {}
    options: dict[str, str] = {}
    pull: PullPolicy = PullPolicy()


class Merchant(msgspec.Struct, frozen=True):
    name: str
    address: Address
    tax_number: str = ""
    vat_id: str = ""
    register: str = ""  # e.g. "Amtsgericht Hamburg, HRB 000000"
    iban: str = ""
    bank_name: str = ""
    website: str = ""
    language: str = "de"
    time_zone: str = "Europe/Berlin"
    small_business: bool = False  # § 19 UStG


class IntakePolicy(msgspec.Struct, frozen=True):
    required_fields: tuple[str, ...] = ("email", "delivery.name", "delivery.line1", "delivery.city")
    duplicate_window_s: int = HOUR
    allowed_countries: tuple[str, ...] = ()  # empty = all
    restricted_countries: tuple[str, ...] = ()
    # places within a country: "ES-35" is every postcode there that begins with 35
    restricted_postcodes: tuple[str, ...] = ()
    # differences between the shop's total and the sum of its parts that are only noted, per line
    tolerance_minor_per_line: int = 1
    check_house_number: bool = True
    # Where the setup has a VAT register: off | warn | required_for_reverse_charge
    vat_check: str = "required_for_reverse_charge"
    vat_check_wait_s: int = DAY  # a tax-free order waits so long for an answer, then a person acts
    vat_check_max_age_s: int = 30 * DAY  # an older answer is asked for again before the goods go


class RiskPolicy(msgspec.Struct, frozen=True):
    review_from: int = 40
    block_from: int = 90
    high_value: Money | None = None
    weights: dict[str, int] = {}
    limits: dict[str, int] = {}  # from where on a signal counts
    version: str = "risk-1"


class PaymentPolicy(msgspec.Struct, frozen=True):
    pay_later_methods: tuple[str, ...] = ("cod", "invoice")
    prepaid_methods: tuple[str, ...] = ("bacs", "cheque")
    reminders_after_s: tuple[int, ...] = (3 * DAY, 7 * DAY)
    cancel_after_s: int | None = 14 * DAY
    # made in the shop's admin: no timer (mollie/WooCommerce#1070)
    timer_exempt_origins: tuple[str, ...] = ("admin",)
    # who moves the money when the shop records a refund of a provider payment
    shop_refunds_moved_by: str = "shop"  # shop | kette
    shop_refund_wait_s: int = 2 * DAY
    authorization_alert_before_s: int = 2 * DAY
    # Put the shop's order on hold while Kette holds it. Off: WooCommerce mails the customer on
    # this.
    mirror_holds: bool = False


class FulfillmentPolicy(msgspec.Struct, frozen=True):
    check_stock: bool = True
    partial_delivery: bool = True
    ship_within_s: int = 3 * DAY  # promise: handed over this long after release
    ship_on_authorization: bool = False
    complete_in_shop: bool = True  # set the shop's order to completed once all is shipped
    default_weight_g: int = 1000


class AccountingPolicy(msgspec.Struct, frozen=True):
    invoice_at: str = "shipment"  # shipment | payment
    invoice_number: str = "RE-{year}-{n:06d}"
    credit_note_number: str = "RK-{year}-{n:06d}"
    payment_term_days: int = 14
    # Consumers of other EU states pay their own state's VAT. False: below the threshold of § 3c (4)
    # UStG, so the seller's own rates are right as well.
    oss: bool = True


class CustomerPolicy(msgspec.Struct, frozen=True):
    notices: tuple[str, ...] = (
        "confirmation",
        "payment_reminder",
        "shipped",
        "partially_shipped",
        "delayed",
        "delivered",
        "cancelled",
        "refunded",
    )
    default_language: str = "de"
    mail_from: str = ""
    reply_to: str = ""


class ApprovalPolicy(msgspec.Struct, frozen=True):
    refund_over: Money | None = None  # larger refunds wait for a person; None = none waits
    mail_owner: str = ""


class ExceptionPolicy(msgspec.Struct, frozen=True):
    """owners: kind -> role; limits_s: kind -> seconds until due; both with a default."""

    owners: dict[str, str] = {}
    limits_s: dict[str, int] = {}
    default_owner: str = "operations"
    default_limit_s: int = DAY
    owner_mails: dict[str, str] = {}  # role -> mail address


class ActionPolicy(msgspec.Struct, frozen=True):
    max_attempts: int = 6
    lease_s: int = 120
    backoff_s: tuple[int, ...] = (10, 60, 300, 1800, 7200)
    batch_max: int = 100
    pushes_in_flight: int = 4


class Setup(msgspec.Struct, frozen=True):
    name: str
    merchant: Merchant
    systems: dict[str, System]
    version: str = "1"  # digest of the file; every decision names it
    intake: IntakePolicy = IntakePolicy()
    risk: RiskPolicy = RiskPolicy()
    payment: PaymentPolicy = PaymentPolicy()
    fulfillment: FulfillmentPolicy = FulfillmentPolicy()
    accounting: AccountingPolicy = AccountingPolicy()
    customer: CustomerPolicy = CustomerPolicy()
    approvals: ApprovalPolicy = ApprovalPolicy()
    exceptions: ExceptionPolicy = ExceptionPolicy()
    actions: ActionPolicy = ActionPolicy()

    def system_for(self, role: str, shop_id: str) -> System | None:
        """The first system of a role that works for a shop, in the order of the file."""
        for system in self.systems.values():
            if system.role == role and (not system.serves or shop_id in system.serves):
                return system
        return None

    def is_trial(self, shop_id: str) -> bool:
        """Whether a shop is being tried out: its own system or its payment system is in test mode.
        Only then are orders that the shop marks as tests worked on."""
        systems = (self.systems.get(shop_id), self.system_for("payment", shop_id))
        return any(
            system is not None and system.options.get("mode") == "test" for system in systems
        )


def seconds(duration_s: int) -> timedelta:
    return timedelta(seconds=duration_s)
