"""MailStore on SQLite and PostgreSQL.

A claim is one conditional UPDATE on the number of attempts: whoever comes second, in this process
or in another replica, finds no row. No transaction stays open while a mail is being sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from sqlalchemy import Connection, Engine, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kette.adapters.mail.store import Acceptance, Envelope, MailState, WaitingMail

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WAITING = (MailState.STORED.value, MailState.SENDING.value)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


class Scopes(Protocol):
    """How the rest of the process writes to and reads from the same database."""

    def write(self) -> AbstractContextManager[Connection]: ...
    def read(self) -> AbstractContextManager[Connection]: ...


class _OwnScopes:
    def __init__(self, engine: Engine) -> None:
        self.write = engine.begin
        self.read = engine.connect


class SqlMailStore:
    """`name` tells this gateway from others on the same database and is the same after a
    restart."""

    def __init__(
        self,
        engine: Engine,
        mails: Table,
        name: str,
        clock: Callable[[], datetime] | None = None,
        scopes: Scopes | None = None,
    ) -> None:
        self._is_postgres = engine.dialect.name == "postgresql"
        # SQLite has one writer: whoever else writes must be able to queue for it.
        self._scopes = scopes or _OwnScopes(engine)
        self._mails = mails
        self._name = name[:160]
        self._clock = clock or (lambda: datetime.now(UTC))
        # What runs for each mail is put together once: that costs as much as running it.
        # Asked for the row, not for a row count: psycopg counts nothing here.
        self._store = self._insert().returning(mails.c.id)
        is_this, is_waiting = mails.c.id == bindparam("mail_id"), mails.c.state.in_(_WAITING)
        self._raw = select(mails.c.raw).where(is_this)
        self._claim = (
            update(mails)
            .where(is_this, is_waiting, mails.c.attempts == bindparam("tried"))
            .where(mails.c.next_try_us <= bindparam("now"))
            .values(
                state=MailState.SENDING.value,
                attempts=mails.c.attempts + 1,
                next_try_us=bindparam("until"),
                claimed_by=self._name,
            )
        )
        self._sent = (
            update(mails)
            .where(is_this, is_waiting)
            .values(
                state=MailState.SENT.value,
                sent_us=bindparam("sent"),
                last_error=bindparam("note"),
                claimed_by="",
            )
        )

    def accept(
        self, action_key: str | None, message_id: str, envelope: Envelope, raw: bytes
    ) -> Acceptance:
        mails, now = self._mails, _us(self._clock())
        content = {
            "message_id": message_id,
            "envelope_from": envelope.sender,
            "recipients": msgspec.json.encode(envelope.recipients).decode(),
            "raw": raw,
            "state": MailState.STORED.value,
            "attempts": 0,
            "next_try_us": now,
            "last_error": "",
        }
        with self._scopes.write() as connection:
            values = {**content, "action_key": action_key, "created_us": now}
            if connection.execute(self._store, values).first() is not None:
                return Acceptance.ACCEPTED
            # A mail that was refused for good never reached anybody: a new try replaces it.
            anew = (
                update(mails)
                .where(mails.c.action_key == action_key)
                .where(mails.c.state == MailState.FAILED.value)
                .values({**content, "created_us": now})
            )
            if connection.execute(anew).rowcount:
                return Acceptance.ACCEPTED
        return Acceptance.DUPLICATE

    def _insert(self) -> postgresql.Insert | sqlite.Insert:
        if self._is_postgres:
            into_postgresql = postgresql.insert(self._mails)
            return into_postgresql.on_conflict_do_nothing(index_elements=["action_key"])
        into_sqlite = sqlite.insert(self._mails)
        return into_sqlite.on_conflict_do_nothing(index_elements=["action_key"])

    def due(self, limit: int) -> Sequence[WaitingMail]:
        mails = self._mails
        query = (
            select(
                mails.c.id,
                mails.c.action_key,
                mails.c.message_id,
                mails.c.envelope_from,
                mails.c.recipients,
                mails.c.attempts,
                mails.c.created_us,
            )
            .where(mails.c.state.in_(_WAITING), mails.c.next_try_us <= _us(self._clock()))
            .order_by(mails.c.id)
            .limit(limit)
        )
        with self._scopes.read() as connection:
            rows = connection.execute(query).all()
        return [
            WaitingMail(
                id=row.id,
                action_key=row.action_key,
                message_id=row.message_id,
                envelope=Envelope(
                    row.envelope_from,
                    msgspec.json.decode(row.recipients, type=tuple[str, ...]),
                ),
                attempts=row.attempts,
                created_at=_EPOCH + timedelta(microseconds=row.created_us),
            )
            for row in rows
        ]

    def mark_sending(self, mail: WaitingMail, until: datetime) -> bytes | None:
        values = {
            "mail_id": mail.id,
            "tried": mail.attempts,
            "now": _us(self._clock()),
            "until": _us(until),
        }
        with self._scopes.write() as connection:
            if not connection.execute(self._claim, values).rowcount:
                return None
            raw = connection.execute(self._raw, {"mail_id": mail.id}).scalar_one()
        return bytes(raw)

    def mark_sent(self, mail: WaitingMail, note: str = "") -> None:
        values = {"mail_id": mail.id, "sent": _us(self._clock()), "note": note[:2000]}
        with self._scopes.write() as connection:
            connection.execute(self._sent, values)

    def mark_failed(
        self,
        mail: WaitingMail,
        error: str,
        retry_at: datetime | None,
        recipients: tuple[str, ...] = (),
    ) -> None:
        values: dict[str, object] = {"last_error": error[:2000]}
        if recipients:
            values["recipients"] = msgspec.json.encode(recipients).decode()
        if retry_at is None:
            self._close(mail, state=MailState.FAILED.value, **values)
        else:
            self._close(mail, state=MailState.STORED.value, next_try_us=_us(retry_at), **values)

    def _close(self, mail: WaitingMail, **values: object) -> None:
        mails = self._mails
        with self._scopes.write() as connection:
            connection.execute(
                update(mails)
                .where(mails.c.id == mail.id, mails.c.state.in_(_WAITING))
                .values(**values, claimed_by="")
            )

    def release(self) -> int:
        mails = self._mails
        with self._scopes.write() as connection:
            result = connection.execute(
                update(mails)
                .where(mails.c.state == MailState.SENDING.value)
                .where(mails.c.claimed_by == self._name)
                .values(state=MailState.STORED.value, next_try_us=_us(self._clock()), claimed_by="")
            )
        return result.rowcount

    def counts(self) -> Mapping[MailState, int]:
        mails = self._mails
        query = select(mails.c.state, func.count()).group_by(mails.c.state)
        with self._scopes.read() as connection:
            found = {str(state): int(number) for state, number in connection.execute(query)}
        return {state: found.get(state.value, 0) for state in MailState}

    def forget_contents(self, sent_before: datetime) -> int:
        """Drop the contents of mails sent before an instant; the keys stay, so nothing is sent
        twice."""
        mails = self._mails
        with self._scopes.write() as connection:
            result = connection.execute(
                update(mails)
                .where(mails.c.state == MailState.SENT.value)
                .where(mails.c.sent_us < _us(sent_before), mails.c.raw != b"")
                .values(raw=b"", recipients="[]")
            )
        return result.rowcount
