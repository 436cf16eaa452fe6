"""Log lines go where stdout is now, and never fail what they tell about."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from kette.logs import configure_logs


class Broken(io.StringIO):
    """The other end of the pipe has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def lines(out: str) -> list[str]:
    return [json.loads(line)["event"] for line in out.splitlines()]


def test_a_logger_follows_stdout(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loggers kept the stdout of the first line: when it was closed, requests failed."""
    import structlog

    configure_logs(as_json=True)
    log = structlog.get_logger("kette.test")
    log.info("first")
    assert lines(capsys.readouterr().out) == ["first"]
    second = io.StringIO()
    monkeypatch.setattr(sys, "stdout", second)
    log.error("second", by="x" * 10)
    assert lines(second.getvalue()) == ["second"]
    second.close()
    log.info("into a closed file")
    monkeypatch.setattr(sys, "stdout", Broken())
    log.info("into a broken pipe")


def test_libraries_follow_stdout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logs(as_json=True)
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logging.getLogger("some.library").warning("careful")
    logging.getLogger("some.library").info("chatter")
    assert out.getvalue() == "careful\n"
