"""Pages of lists, cut into objects that harm each other in nothing."""

from __future__ import annotations

import json

import pytest
from kette.adapters.vendors.page_objects import members_of, rows_in
from kette.domain.pulls import Hopeless

GOOD = b'{"id":1,"note":"\xc3\xa4 \\ud83d\\ude00","total":"1.10"}'
BAD = {
    "half an emoji": b'{"id":2,"note":"\\ud83d"}',
    "a control character": b'{"id":2,"note":"a\x00b"}',
    "no number": b'{"id":2,"total":NaN}',
    "no UTF-8": b'{"id":2,"note":"\xff"}',
}


@pytest.mark.parametrize("name", BAD)
def test_an_object_that_is_no_json_leaves_the_others_as_they_came(name: str) -> None:
    bad = BAD[name]
    assert rows_in(b"[" + GOOD + b" ,\n" + bad + b"," + GOOD + b"]\n") == [GOOD, bad, GOOD]
    page = b'{ "total" : 2, "data": [' + bad + b"," + GOOD + b"] }"
    members = members_of(page)
    assert members["total"] == b"2"
    assert rows_in(members["data"]) == [bad, GOOD]


def test_a_byte_order_mark_in_front_is_no_part_of_the_answer() -> None:
    mark = b"\xef\xbb\xbf"
    assert rows_in(mark + b"[" + GOOD + b"]") == [GOOD]
    assert members_of(mark + b'{"data":[]}') == {"data": b"[]"}


@pytest.mark.parametrize("bad", BAD.values())
def test_half_a_page_is_no_page(bad: bytes) -> None:
    """Not one byte may be missing, or orders would be."""
    page = b"[" + GOOD + b"," + bad + b"," + GOOD + b"]"
    for cut in range(len(page)):
        with pytest.raises(Hopeless):
            rows_in(page[:cut])
    for broken in (
        page + b"x",
        page + page,
        page.replace(b"},", b"} "),
        page.replace(b"},", b"},,"),
    ):
        with pytest.raises(Hopeless):
            rows_in(broken)
    whole = b'{"data":' + page + b"}"
    assert not any(members_of(whole[:cut]) for cut in range(len(whole)))


def test_an_empty_page_is_empty() -> None:
    assert rows_in(b" [ ] ") == []
    assert members_of(b"{}") == {}
    for answer in (b"", b"<html>", b"null", b"3", b"[" * 100_000, json.dumps({"a": 1}).encode()):
        with pytest.raises(Hopeless):
            rows_in(answer)
