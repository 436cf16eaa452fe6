"""Structured logs to stdout: JSON lines, or coloured text on a terminal. No personal data in
them."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog


class StdoutLogger:
    """Writes to what sys.stdout is now, not to what it was when the logs were configured.

    A line that cannot be written (the reader of the pipe has gone, the disk is full) is lost: no
    request may fail because nobody can read about it."""

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            # One write: threads must not get into each other's lines.
            sys.stdout.write(message + "\n")
            sys.stdout.flush()

    debug = info = warning = error = critical = exception = msg


class _StdoutHandler(logging.StreamHandler[TextIO]):
    """The same for libraries, which speak through the standard module."""

    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """The base class sets it once; it stays what it is."""


def configure_logs(*, as_json: bool) -> None:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_stdout_logger,
        cache_logger_on_first_use=True,
    )
    # SMTP servers chatter about every command.
    logging.basicConfig(level=logging.WARNING, handlers=[_StdoutHandler()], format="%(message)s")


def _stdout_logger(*_names: Any) -> StdoutLogger:
    return StdoutLogger()
