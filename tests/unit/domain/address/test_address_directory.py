"""The directory of postal codes: what it knows, and what it costs the rest of the process."""

from __future__ import annotations

import gc

from kette.policies.places import PostalCodeDirectory

DIRECTORY = PostalCodeDirectory()


def test_a_code_names_its_places_and_a_place_its_areas() -> None:
    assert "hamburg" in DIRECTORY.names("DE", "20457")
    assert len(DIRECTORY.names("AT", "8010")) >= 1
    assert "20" in DIRECTORY.areas("DE", "hamburg")


def test_what_is_not_known_has_no_names() -> None:
    assert DIRECTORY.names("DE", "00000") == frozenset()
    assert DIRECTORY.names("GB", "SW1A 1AA") == frozenset()
    assert DIRECTORY.areas("DE", "") == frozenset()


def test_the_directory_is_nearly_invisible_to_the_garbage_collector() -> None:
    """With an object per postal code, a collection held an order up for a tenth of a second."""
    gc.collect()
    before = len(gc.get_objects())
    for country_code in ("FR", "IT", "ES"):
        DIRECTORY.names(country_code, "28001")
        DIRECTORY.areas(country_code, "madrid")
    gc.collect()
    assert len(gc.get_objects()) - before < 1_000
