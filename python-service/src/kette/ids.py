"""Fresh ids, made in the shell: prefix, microseconds in hex, 40 random bits.

Time-ordered, so that new rows land at the right edge of an index and a large ledger stays as quick
as a small one (docs/decisions/0003-ids.md).
"""

from __future__ import annotations

import secrets
import time


def new_id(prefix: str) -> str:
    return f"{prefix}_{time.time_ns() // 1000:014x}{secrets.token_hex(5)}"
