"""Words that several mails share, in both languages: labels, address fields, findings."""

from __future__ import annotations

import re

from kette.domain.order import LineItem, LineKind
from kette.domain.wording import Language, charge_word

# Carriers as people know them, by the first word of the code that vendors use (dhl_de).
CARRIERS = {
    "bpost": "bpost",
    "colissimo": "Colissimo",
    "deutschepost": "Deutsche Post",
    "dhl": "DHL",
    "dpd": "DPD",
    "fedex": "FedEx",
    "gls": "GLS",
    "hermes": "Hermes",
    "postat": "Österreichische Post",
    "postnl": "PostNL",
    "ups": "UPS",
}


def carrier_name(code: str) -> str:
    """The name of a carrier; a code that is not listed stays as it is.

    >>> carrier_name("dhl_de"), carrier_name("deutsche_post"), carrier_name("Bote")
    ('DHL', 'Deutsche Post', 'Bote')
    """
    first, *others = code.lower().replace("-", "_").split("_")
    return CARRIERS.get("".join((first, *others))) or CARRIERS.get(first) or code


# A way of delivery whose name says so needs no word before it.
_SAYS_DELIVERY = re.compile(
    r"versand|liefer|porto|abhol|zustell|shipping|deliver|postage|pick-?up|collect", re.IGNORECASE
)


def charge_name(line: LineItem, language: Language) -> str:
    """What a customer is told of a charge: "Versand (DHL Paket)", and no quantity with it."""
    name = charge_word(line.name.strip(), language)
    if line.kind is not LineKind.SHIPPING or _SAYS_DELIVERY.search(name):
        return name
    return f"{LABELS[language]['shipping']} ({name})" if name else LABELS[language]["shipping"]


LABELS: dict[Language, dict[str, str]] = {
    "de": {
        "hello": "Guten Tag",
        "goodbye": "Freundliche Grüße",
        "items": "Ihre Bestellung",
        "total": "Gesamtbetrag",
        "incl_tax": "darin USt. {rate}",
        "plus_tax": "zuzüglich USt. {rate}",
        "rounding": "Rundungsdifferenz",
        "deliver_to": "Lieferanschrift",
        "payment": "Zahlungsart",
        "payee": "Empfänger",
        "iban": "IBAN",
        "bank": "Bank",
        "amount": "Betrag",
        "reference": "Verwendungszweck",
        "pay_now": "Jetzt bezahlen",
        "carrier": "Versand durch",
        "tracking_number": "Sendungsnummer",
        "track": "Sendung verfolgen",
        "in_parcel": "In dieser Sendung",
        "to_come": "Kommt noch",
        "vat_id": "USt-IdNr.",
        "order": "Bestellung",
        "customer": "Kunde",
        "kind": "Art",
        "owner": "Zuständig",
        "due": "Zu lösen bis",
        "given": "angegeben",
        "proposed": "Vorschlag",
        "quoted": "wörtlich",
        "registered": "registriert",
        "shipping": "Versand",
        "suggestion": "Vorschlag",
        "open_entry": "Eintrag öffnen",
        "open_order": "Bestellung öffnen",
    },
    "en": {
        "hello": "Hello",
        "goodbye": "Kind regards",
        "items": "Your order",
        "total": "Total",
        "incl_tax": "including VAT {rate}",
        "plus_tax": "plus VAT {rate}",
        "rounding": "Rounding difference",
        "deliver_to": "Delivery address",
        "payment": "Payment method",
        "payee": "Payee",
        "iban": "IBAN",
        "bank": "Bank",
        "amount": "Amount",
        "reference": "Reference",
        "pay_now": "Pay now",
        "carrier": "Carrier",
        "tracking_number": "Tracking number",
        "track": "Track your parcel",
        "in_parcel": "In this parcel",
        "to_come": "Still to come",
        "vat_id": "VAT ID",
        "order": "Order",
        "customer": "Customer",
        "kind": "Kind",
        "owner": "Owner",
        "due": "Due",
        "given": "given",
        "proposed": "proposed",
        "quoted": "in their words",
        "registered": "registered",
        "shipping": "Shipping",
        "suggestion": "Suggestion",
        "open_entry": "Open entry",
        "open_order": "Open order",
    },
}

# Last part of a field path -> what the customer calls it.
FIELDS: dict[Language, dict[str, str]] = {
    "de": {
        "name": "Name",
        "company": "Firma",
        "line1": "Straße und Hausnummer",
        "line2": "Adresszusatz",
        "postal_code": "Postleitzahl",
        "city": "Ort",
        "region": "Bundesland",
        "country_code": "Land",
        "phone": "Telefonnummer",
        "email": "E-Mail-Adresse",
        "vat_id": "USt-IdNr.",
    },
    "en": {
        "name": "Name",
        "company": "Company",
        "line1": "Street and house number",
        "line2": "Address line 2",
        "postal_code": "Postcode",
        "city": "Town",
        "region": "Region",
        "country_code": "Country",
        "phone": "Phone number",
        "email": "E-mail address",
        "vat_id": "VAT ID",
    },
}

# Codes of domain/address and domain/validation that a customer can put right.
PROBLEMS: dict[Language, dict[str, str]] = {
    "de": {
        "house_number_missing": "Die Hausnummer fehlt.",
        "house_number_uncertain": "Die Hausnummer ist nicht eindeutig.",
        "street_missing": "Die Straße fehlt.",
        "street_beside_parcel_point": "Neben der Packstation ist auch eine Straße angegeben.",
        "postal_code_missing": "Die Postleitzahl fehlt.",
        "postal_code_invalid": "Die Postleitzahl passt nicht zum Land.",
        "postal_code_city_mismatch": "Postleitzahl und Ort passen nicht zusammen.",
        "postal_code_conflict": "Beim Ort steht eine andere Postleitzahl.",
        "city_missing": "Der Ort fehlt.",
        "country_missing": "Das Land fehlt.",
        "country_unknown": "Das Land ist nicht erkennbar.",
        "post_number_missing": "Für die Packstation fehlt Ihre Postnummer.",
        "locker_number_missing": "Die Nummer der Packstation fehlt.",
        "parcel_point_abroad": "Eine Packstation gibt es in diesem Land nicht.",
        "po_box": "An ein Postfach können wir kein Paket liefern.",
        "field_missing": "Diese Angabe fehlt.",
        "email_invalid": "Die E-Mail-Adresse ist nicht gültig.",
    },
    "en": {
        "house_number_missing": "The house number is missing.",
        "house_number_uncertain": "The house number is not clear.",
        "street_missing": "The street is missing.",
        "street_beside_parcel_point": "There is a street beside the parcel locker.",
        "postal_code_missing": "The postcode is missing.",
        "postal_code_invalid": "The postcode does not fit the country.",
        "postal_code_city_mismatch": "Postcode and town do not belong together.",
        "postal_code_conflict": "There is another postcode beside the town.",
        "city_missing": "The town is missing.",
        "country_missing": "The country is missing.",
        "country_unknown": "The country is not clear.",
        "post_number_missing": "Your post number is missing for the parcel locker.",
        "locker_number_missing": "The number of the parcel locker is missing.",
        "parcel_point_abroad": "There are no parcel lockers in this country.",
        "po_box": "We cannot deliver parcels to a PO box.",
        "field_missing": "This is missing.",
        "email_invalid": "The mail address is not valid.",
    },
}

UNCLEAR: dict[Language, str] = {
    "de": "Bitte prüfen Sie diese Angabe.",
    "en": "Please check this.",
}
