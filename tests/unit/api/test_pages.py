"""The pages about the API work where there is no internet."""

from __future__ import annotations

import re
from pathlib import Path

from kette.api.app import create_app
from starlette.testclient import TestClient
from support.service_box import ServiceBox, sqlite_url


def test_the_page_with_the_calls_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    box = ServiceBox(sqlite_url(tmp_path))
    client = TestClient(create_app(box.service))
    page = client.get("/docs").text
    loaded = re.findall(r"<(?:script|link)[^>]*?(?:src|href)=\"([^\"]+)\"", page)
    assert len(loaded) == 3
    assert [(url, client.get(url).status_code) for url in loaded] == [(url, 200) for url in loaded]
    assert "http" not in "".join(loaded)
    box.close()
