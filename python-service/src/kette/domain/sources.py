"""Is a system still heard? What a person must be told when it is not.

Three ways of silence, each an entry of its own: the pull is not complete any more, the shop has
switched off the webhooks, and nothing at all has come for too long.
"""

from __future__ import annotations

from datetime import datetime

from kette.domain.actions import WantedException
from kette.domain.policy import System, seconds
from kette.domain.pull_state import PullState, is_taken

PULL, WEBHOOKS, EVENTS = "pull", "webhooks", "events"
ENTRIES = (PULL, WEBHOOKS, EVENTS)


def key_of(system_id: str, name: str) -> str:
    return f"source_silent:{system_id}:{name}"


def wanted_entries(
    system: System,
    changes: PullState | None,
    heard_at: datetime | None,
    awake_since: datetime,
    now: datetime,
) -> dict[str, WantedException]:
    """Entries that should be open, by name. heard_at: when the system last sent something by
    itself; awake_since: silence before was our own."""
    found: dict[str, WantedException] = {}
    limit_s = system.pull.silent_after_s
    if changes is not None and changes.is_begun:
        if changes.webhook_problems:
            found[WEBHOOKS] = _webhooks(system, changes.webhook_problems)
        heard_since = max(changes.completed_at or changes.since, awake_since)
        is_late = limit_s is not None and now - heard_since > seconds(limit_s)
        is_late = is_late and not is_taken(changes, now)  # somebody is at it
        if is_late or changes.is_at_odds or _is_refused(changes):
            found[PULL] = _pull(system, changes)
    elif system.pull.is_watched and limit_s is not None:
        last = max(heard_at or awake_since, awake_since)
        if now - last > seconds(limit_s):
            found[EVENTS] = _events(system, last)
    return found


def _is_refused(changes: PullState) -> bool:
    """Given up without a cursor to go on from: the shop said no, it was not merely away, and a
    wrong key does not become right by waiting."""
    return changes.failures > 0 and changes.run is None


def _webhooks(system: System, problems: tuple[str, ...]) -> WantedException:
    return WantedException(
        key=key_of(system.id, WEBHOOKS),
        kind="source_silent",
        summary=f"{system.id} does not send all its webhooks: {'; '.join(problems)}"[:500],
        context={"system": system.id, "problems": list(problems)},
        suggestion="Switch the webhooks on again in the shop. Nothing is lost meanwhile: the pull "
        "finds what changes, some minutes later.",
    )


def _pull(system: System, changes: PullState) -> WantedException:
    since = changes.completed_at.isoformat() if changes.completed_at is not None else ""
    last = f"since {since}" if since else "yet"
    reason = changes.last_error or "nobody has asked the shop: does n8n run the pull workflow?"
    return WantedException(
        key=key_of(system.id, PULL),
        kind="source_silent",
        summary=f"No pull of {system.id} has been complete {last}: {reason}"[:500],
        context={
            "system": system.id,
            "last_complete_at": since,
            "reason": reason,
            "failures": changes.failures,
            "mismatches": changes.mismatches,
        },
        suggestion="Check the shop, its API key and the pull workflow in n8n. The next complete "
        "pull fetches everything since the last one.",
    )


def _events(system: System, last: datetime) -> WantedException:
    return WantedException(
        key=key_of(system.id, EVENTS),
        kind="source_silent",
        summary=f"{system.id} has sent nothing since {last.isoformat()}",
        context={"system": system.id, "since": last.isoformat()},
        suggestion="Check the vendor's webhook settings and the entry workflow in n8n.",
    )
