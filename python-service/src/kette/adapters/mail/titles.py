"""Names for staff, in both languages: kinds of exceptions and actions, owner roles, context keys,
fields. The technical word stands beside a title where it is needed to work with the API."""

from __future__ import annotations

from kette.adapters.mail.words import FIELDS
from kette.domain.wording import Language

KINDS: dict[Language, dict[str, str]] = {
    "de": {
        "missing_field": "Angaben unvollständig",
        "invalid_address": "Anschrift prüfen",
        "special_note": "Anmerkung des Kunden",
        "duplicate_order": "Doppelte Bestellung",
        "amount_mismatch": "Betrag stimmt nicht",
        "tax_mismatch": "Umsatzsteuer stimmt nicht",
        "vat_id_invalid": "USt-IdNr. nicht bestätigt",
        "risk_review": "Risikoprüfung",
        "dispute_inquiry": "Rückfrage der Bank",
        "payment_open": "Zahlung offen",
        "payment_failed": "Zahlung fehlgeschlagen",
        "chargeback": "Rückbuchung",
        "out_of_stock": "Nicht auf Lager",
        "fulfillment_blocked": "Versand blockiert",
        "shipment_late": "Versand verspätet",
        "changed_after_fulfillment": "Nach dem Versand geändert",
        "cancelled_after_shipment": "Nach dem Versand storniert",
        "return_overdue": "Retoure überfällig",
        "return_differs": "Retoure weicht ab",
        "refund_needs_approval": "Erstattung freigeben",
        "invoice_failed": "Beleg nicht erstellt",
        "payout_mismatch": "Auszahlung weicht ab",
        "payout_unmatched": "Auszahlung nicht zugeordnet",
        "action_failed": "Aktion gescheitert",
        "payload_unknown": "Unbekannte Nachricht",
        "source_silent": "System meldet sich nicht",
        "order_stuck": "Bestellung kommt nicht weiter",
        "restricted_destination": "Lieferland nicht vorgesehen",
    },
    "en": {
        "missing_field": "Details missing",
        "invalid_address": "Address to be checked",
        "special_note": "Customer's note",
        "duplicate_order": "Duplicate order",
        "amount_mismatch": "Amount does not match",
        "tax_mismatch": "VAT does not match",
        "vat_id_invalid": "VAT id not confirmed",
        "risk_review": "Risk review",
        "dispute_inquiry": "Inquiry of the bank",
        "payment_open": "Payment open",
        "payment_failed": "Payment failed",
        "chargeback": "Chargeback",
        "out_of_stock": "Out of stock",
        "fulfillment_blocked": "Shipment blocked",
        "shipment_late": "Shipment late",
        "changed_after_fulfillment": "Changed after shipping",
        "cancelled_after_shipment": "Cancelled after shipping",
        "return_overdue": "Return overdue",
        "return_differs": "Return differs",
        "refund_needs_approval": "Refund to be approved",
        "invoice_failed": "Document not issued",
        "payout_mismatch": "Payout differs",
        "payout_unmatched": "Payout not matched",
        "action_failed": "Action failed",
        "payload_unknown": "Unknown message",
        "source_silent": "System is silent",
        "order_stuck": "Order is stuck",
        "restricted_destination": "Destination not allowed",
    },
}

# Roles are the merchant's own words; these are the usual ones.
ROLES: dict[Language, dict[str, str]] = {
    "de": {
        "accounting": "Buchhaltung",
        "customer_service": "Kundenservice",
        "finance": "Finanzen",
        "fraud": "Betrugsprävention",
        "it": "IT",
        "logistics": "Logistik",
        "management": "Geschäftsleitung",
        "operations": "Auftragsabwicklung",
        "purchasing": "Einkauf",
        "returns": "Retouren",
        "risk": "Risikoprüfung",
        "sales": "Vertrieb",
        "shipping": "Versand",
        "support": "Kundenservice",
        "warehouse": "Lager",
    },
    "en": {"it": "IT"},
}

ACTIONS: dict[Language, dict[str, str]] = {
    "de": {
        "request_correction": "Rückfrage beim Kunden",
        "add_shop_note": "Notiz im Shop",
        "upsert_customer": "Kunde im CRM anlegen",
        "check_vat_id": "USt-IdNr. abfragen",
        "send_payment_reminder": "Zahlungserinnerung",
        "offer_alternative_payment": "Andere Zahlungsart anbieten",
        "create_task": "Aufgabe",
        "hold_order": "Bestellung anhalten",
        "release_order": "Bestellung freigeben",
        "cancel_order": "Bestellung stornieren",
        "refund_payment": "Zahlung erstatten",
        "submit_dispute_evidence": "Belege zur Rückbuchung einreichen",
        "check_stock": "Bestand prüfen",
        "create_erp_order": "Auftrag im ERP anlegen",
        "start_pick_list": "Pickliste anlegen",
        "create_shipment": "Paket beauftragen",
        "cancel_fulfillment": "Paket stornieren",
        "update_shop_order": "Bestellung im Shop aktualisieren",
        "issue_invoice": "Rechnung ausstellen",
        "issue_credit_note": "Gutschrift ausstellen",
        "archive_document": "Beleg ablegen",
        "hand_over_bookings": "Buchungen übergeben",
        "notify": "Nachricht an den Kunden",
        "send_return_label": "Rücksendeetikett senden",
        "inspect_return": "Retoure prüfen",
        "restock": "Ware einlagern",
        "update_return": "Retoure aktualisieren",
        "route_ticket": "Anfrage zuordnen",
        "suggest_reply": "Antwort vorschlagen",
        "notify_owner": "Nachricht an Zuständige",
        "escalate": "Erinnerung an Zuständige",
        "fetch_payouts": "Auszahlungen abrufen",
        "report_difference": "Differenz melden",
        "send_report": "Bericht senden",
        "raise_alert": "Alarm senden",
    },
    "en": {
        "request_correction": "Question to the customer",
        "add_shop_note": "Note in the shop",
        "upsert_customer": "Customer in the CRM",
        "check_vat_id": "Check of the VAT id",
        "send_payment_reminder": "Payment reminder",
        "offer_alternative_payment": "Offer of another way to pay",
        "create_task": "Task",
        "hold_order": "Holding the order",
        "release_order": "Release of the order",
        "cancel_order": "Cancellation of the order",
        "refund_payment": "Refund of the payment",
        "submit_dispute_evidence": "Evidence for the dispute",
        "check_stock": "Stock check",
        "create_erp_order": "Order in the ERP",
        "start_pick_list": "Pick list",
        "create_shipment": "Order of a parcel",
        "cancel_fulfillment": "Cancellation of a parcel",
        "update_shop_order": "Update of the order in the shop",
        "issue_invoice": "Invoice",
        "issue_credit_note": "Credit note",
        "archive_document": "Filing of a document",
        "hand_over_bookings": "Hand-over of bookings",
        "notify": "Message to the customer",
        "send_return_label": "Return label",
        "inspect_return": "Inspection of the return",
        "restock": "Restocking",
        "update_return": "Update of the return",
        "route_ticket": "Routing of a ticket",
        "suggest_reply": "Suggested reply",
        "notify_owner": "Message to the owner",
        "escalate": "Reminder to the owner",
        "fetch_payouts": "Fetching payouts",
        "report_difference": "Report of a difference",
        "send_report": "Report",
        "raise_alert": "Alert",
    },
}

# Keys of an exception's context -> label. Keys without one are shown with blanks.
CONTEXT: dict[Language, dict[str, str]] = {
    "de": {
        "amount": "Betrag",
        "by": "Entschieden von",
        "count": "Anzahl",
        "due_at": "Frist der Bank",
        "error": "Fehler",
        "expires_at": "Autorisiert bis",
        "failures": "Fehlversuche",
        "first_event_at": "Erstes Ereignis",
        "kind": "Aktion",
        "last_complete_at": "Zuletzt vollständig",
        "lines": "Fehlt",
        "message": "Meldung",
        "mismatches": "Abweichungen in Folge",
        "node": "Node",
        "paid": "Gezahlt",
        "parcel": "Paket",
        "parcels": "Pakete",
        "payment_method": "Zahlungsart",
        "promised_by": "Zugesagt bis",
        "reason": "Grund",
        "reserved": "Reserviert",
        "score": "Risikowert",
        "shop_status": "Status im Shop",
        "silences": "Abfragen ohne Antwort",
        "since": "Seit",
        "subject": "Gegenstand der Freigabe",
        "system": "System",
        "topic": "Thema",
        "total": "Gesamtbetrag",
        "tries": "Versuche",
        "url": "Ausführung in n8n",
        "vat_id": "USt-IdNr.",
        "workflow": "Workflow",
    },
    "en": {
        "amount": "Amount",
        "by": "Decided by",
        "count": "Count",
        "due_at": "Due at the bank",
        "error": "Error",
        "expires_at": "Authorized until",
        "failures": "Failed tries",
        "first_event_at": "First event",
        "kind": "Action",
        "last_complete_at": "Last complete",
        "lines": "Missing",
        "message": "Message",
        "mismatches": "Mismatches in a row",
        "node": "Node",
        "paid": "Paid",
        "parcel": "Parcel",
        "parcels": "Parcels",
        "payment_method": "Payment method",
        "promised_by": "Promised by",
        "reason": "Reason",
        "reserved": "Reserved",
        "score": "Risk score",
        "shop_status": "Status in the shop",
        "silences": "Questions without an answer",
        "since": "Since",
        "subject": "Subject of the approval",
        "system": "System",
        "topic": "Topic",
        "total": "Total",
        "tries": "Tries",
        "url": "Execution in n8n",
        "vat_id": "VAT id",
        "workflow": "Workflow",
    },
}

# They stand in the API; in a mail they help nobody, or are said in words already.
NOT_MAILED = frozenset(
    {
        *("action", "digest", "dispute", "duplicate_of", "execution_id", "payment", "payments"),
        *("problems", "refund", "runs", "workflow_id"),
    }
)

_OTHER_FIELDS: dict[Language, dict[str, str]] = {
    "de": {
        "addition": "Adresszusatz",
        "currency": "Währung",
        "customer_note": "Anmerkung",
        "house_number": "Hausnummer",
        "is_test": "Testbestellung",
        "lines": "Positionen",
        "payment_method": "Zahlungsart",
        "street": "Straße",
        "tax": "Umsatzsteuer",
        "tax_by_rate": "Umsatzsteuer je Satz",
        "total": "Gesamtbetrag",
    },
    "en": {
        "addition": "Addition",
        "currency": "Currency",
        "customer_note": "Note",
        "house_number": "House number",
        "is_test": "Test order",
        "lines": "Lines",
        "payment_method": "Payment method",
        "street": "Street",
        "tax": "VAT",
        "tax_by_rate": "VAT per rate",
        "total": "Total",
    },
}
_PLACES: dict[Language, dict[str, str]] = {
    "de": {"delivery": "Lieferung", "billing": "Rechnung"},
    "en": {"delivery": "delivery", "billing": "billing"},
}


def field_title(path: str, language: Language) -> str:
    """A field by its path; the place is told only where it is not the delivery.

    >>> field_title("delivery.line1", "de"), field_title("billing.city", "de")
    ('Straße und Hausnummer', 'Ort (Rechnung)')
    """
    place, _, name = path.rpartition(".")
    title = FIELDS[language].get(name) or _OTHER_FIELDS[language].get(name)
    if title is None:
        return path
    told = _PLACES[language].get(place, "") if place != "delivery" else ""
    return f"{title} ({told})" if told else title


def kind_title(kind: str, language: Language) -> str:
    return KINDS[language].get(kind) or in_words(kind)


def role_title(role: str, language: Language) -> str:
    """
    >>> role_title("customer_service", "de"), role_title("team_nord", "de")
    ('Kundenservice', 'Team nord')
    """
    return ROLES[language].get(role) or in_words(role)


def context_title(key: str, language: Language) -> str:
    return CONTEXT[language].get(key) or in_words(key)


def in_words(term: str) -> str:
    """A technical word with blanks and a capital."""
    text = term.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
