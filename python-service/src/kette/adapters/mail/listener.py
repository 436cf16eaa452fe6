"""The thread that the SMTP server's event loop runs in."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvloop

from kette.adapters.mail.smtp_server import Conversation, Reception

_STOP_TIMEOUT_S = 10.0


class Listener:
    """start() listens in a thread of its own; stop() hangs up on everybody."""

    def __init__(self, reception: Reception, host: str, port: int) -> None:
        self._reception = reception
        self._address = (host, port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.AbstractServer | None = None
        self._open_ones: set[Conversation] = set()
        self._thread = threading.Thread(target=self._run, name="kette-smtp", daemon=True)

    def start(self) -> None:
        """Raises OSError when the port is taken."""
        listening = socket.create_server(self._address, backlog=100)
        self._loop = loop = uvloop.new_event_loop()
        try:
            self._server = loop.run_until_complete(
                loop.create_server(
                    lambda: Conversation(loop, self._reception, self._open_ones), sock=listening
                )
            )
        except BaseException:
            listening.close()
            loop.close()
            raise
        self._thread.start()

    def _run(self) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def stop(self) -> None:
        if self._loop is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._hang_up)
        self._thread.join(_STOP_TIMEOUT_S)

    def _hang_up(self) -> None:
        assert self._server is not None
        assert self._loop is not None
        self._server.close()
        for conversation in list(self._open_ones):
            conversation.close()
        # Closing takes one more turn of the loop.
        self._loop.call_later(0.05, self._loop.stop)
