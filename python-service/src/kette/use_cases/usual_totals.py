"""What an order of a shop usually comes to: the median of its newest orders before a day.

Read once a day and kept: the newest 2,000 orders of all shops, whatever the size of the ledger. A
day's answer does not change with the orders of that day, so the same order is judged alike in the
morning and in the evening. Fewer than 20 orders say nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time
from statistics import median_low

from kette.domain.money import Money
from kette.use_cases.ports import Transaction

ORDERS_READ = 2_000
FEWEST = 20
_DAYS_KEPT = 16


class UsualTotals:
    def __init__(self) -> None:
        self._days: dict[date, dict[tuple[str, str], int]] = {}

    def total_of(
        self, tx: Transaction, channel: str, currency: str, placed_at: datetime
    ) -> Money | None:
        """None while the shop has too few orders in this currency."""
        try:
            day = placed_at.astimezone(UTC).date()
        except OverflowError:  # in the year 1 or 9999, of a broken plugin
            return None
        usual = self._days.get(day)
        if usual is None:
            usual = _medians(
                tx.orders.totals_before(datetime.combine(day, time(), UTC), ORDERS_READ)
            )
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()  # a backfill goes through many days; each is read anew at most
            self._days[day] = usual
        minor = usual.get((channel, currency))
        return None if minor is None else Money(minor, currency)


def _medians(rows: list[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    totals = defaultdict(list)
    for channel, currency, minor in rows:
        if minor > 0:
            totals[channel, currency].append(minor)
    return {shop: median_low(found) for shop, found in totals.items() if len(found) >= FEWEST}
