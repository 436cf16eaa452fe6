"""A mail that the gateway had taken over will not reach anybody: its action failed after all."""

from __future__ import annotations

from kette.use_cases.kernel import Kernel
from kette.use_cases.report import fail_attempt


def mail_lost(kernel: Kernel, action_key: str | None, error: str) -> None:
    """Open the exception of the mail's action. Resolving it as 'fixed' sends the mail again: the
    gateway takes a mail anew whose earlier try was lost for good."""
    if action_key is None:
        return  # a mail of the merchant's own workflows; it stays in the gateway's table as failed
    stages: set[str] = set()
    with kernel.store.write() as tx:
        row = tx.outbox.get([action_key]).get(action_key)
        if row is None:
            return
        fail_attempt(
            kernel, tx, row, f"the mail server refused it: {error}", False, kernel.now(), stages
        )
    if stages:
        kernel.on_due(stages)
