"""A service behind its HTTP face, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api_box import ApiBox
from support.service_box import ServiceBox, sqlite_url


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiBox]:
    opened = ApiBox(ServiceBox(sqlite_url(tmp_path)))
    yield opened
    opened.close()
