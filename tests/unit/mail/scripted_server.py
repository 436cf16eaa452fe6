"""An SMTP server that says what a test has prepared, right or wrong, and hangs up where told."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

HANG_UP = b""
_USUAL = {"DATA": b"354 go", "QUIT": b"221 bye"}
Answer = bytes | Callable[[], bytes]


class ScriptedServer:
    """By command word, its next answers; `CONTENT` is what it says to a mail's content. Anything
    not prepared is answered as it should be."""

    def __init__(self, extensions: tuple[str, ...] = ()) -> None:
        self.extensions = extensions
        self.answers: dict[str, list[Answer]] = {}
        self.commands: list[bytes] = []
        self.contents: list[bytes] = []
        self.connections = 0
        self.mails_per_connection = 1_000_000
        self.reads_slowly = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        mails = 0
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 scripted\r\n")
            for line in lines:
                self.commands.append(line.rstrip())
                word = line.split()[0].upper().decode()
                if word == "EHLO":
                    extensions = "".join(f"250-{name}\r\n" for name in self.extensions)
                    connection.sendall(f"250-scripted\r\n{extensions}250 HELP\r\n".encode())
                    continue
                if not self._say(connection, word, _USUAL.get(word, b"250 ok")):
                    return
                if word == "DATA" and self._said.startswith(b"354"):
                    content = self._content(lines)
                    if content is None:
                        return
                    self.contents.append(content)
                    if not self._say(connection, "CONTENT", b"250 taken"):
                        return
                    mails += 1
                    if mails >= self.mails_per_connection:
                        return

    def _say(self, connection: socket.socket, word: str, usual: bytes) -> bool:
        prepared = self.answers.get(word)
        answer = prepared.pop(0) if prepared else usual
        self._said = answer() if callable(answer) else answer
        if self._said == HANG_UP:
            return False
        connection.sendall(self._said + b"\r\n")
        return not self._said.startswith((b"421", b"221"))

    def _content(self, lines: BinaryIO) -> bytes | None:
        kept: list[bytes] = []
        for line in iter(lines.readline, b""):
            if line == b".\r\n":
                return b"".join(kept)
            kept.append(line)
            if self.reads_slowly and len(kept) % 4 == 0:
                time.sleep(0.0005)
        return None
