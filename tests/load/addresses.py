"""Accuracy and speed of the reading of addresses, on the labelled set of fixtures/addresses."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from kette.domain.address.normalize import read_address
from kette.policies import load_intake_data
from support.labelled_addresses import FIELDS, labelled_addresses

ROUNDS = 7


@dataclass(frozen=True)
class AddressResult:
    count: int
    exact: int
    wrong: tuple[str, ...]  # what differs, one line each
    fields: dict[str, float]  # share of addresses in which the field is right
    countries: dict[str, tuple[int, int]]  # country -> exact, all
    per_second: float
    first_ms: float  # the slowest first address of a country: its postal codes are read then
    slowest_ms: float  # of all addresses, afterwards


def measure_addresses(say: Callable[[str], None]) -> AddressResult:
    rules = load_intake_data().address
    labelled = labelled_addresses()
    say(f"{len(labelled)} labelled addresses")
    wrong_fields: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    every: Counter[str] = Counter()
    wrong: list[str] = []
    first_ms = 0.0
    for one in labelled:
        started = time.process_time()
        found = one.read(rules)
        first_ms = max(first_ms, 1000 * (time.process_time() - started))
        differing = one.wrong_fields(found)
        problems = one.unmet(found)
        wrong_fields.update(differing)
        every[one.country] += 1
        exact[one.country] += not differing and not problems
        if differing or problems:
            wrong.append(f"{one.where}: {differing or ''} {' '.join(problems)}")
    typed = [one.typed for one in labelled]
    best_s, slowest_s = float("inf"), 0.0
    for _ in range(ROUNDS):
        # Time of this process on one core: the machine may be busy with something else.
        started = time.process_time()
        for address in typed:
            read_address(address, rules)
        best_s = min(best_s, time.process_time() - started)
    for address in typed:
        started = time.process_time()
        read_address(address, rules)
        slowest_s = max(slowest_s, time.process_time() - started)
    return AddressResult(
        count=len(labelled),
        exact=exact.total(),
        wrong=tuple(wrong),
        fields={field: 1 - wrong_fields[field] / len(labelled) for field in FIELDS},
        countries={country: (exact[country], every[country]) for country in sorted(every)},
        per_second=len(labelled) / best_s,
        first_ms=first_ms,
        slowest_ms=1000 * slowest_s,
    )
