"""MailStore on SQLite and PostgreSQL.

A claim is one UPDATE that repeats its own condition: whoever comes second, in this process or in
another replica, finds no row. No transaction stays open while a mail is being sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Table,
    Update,
    bindparam,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from kette.adapters.mail.store import (
    Acceptance,
    Claim,
    ClaimedMail,
    Envelope,
    MailState,
    NewMail,
    Outcome,
    SentMail,
    WaitingMail,
    Write,
)
from kette.adapters.mail.table import IS_OPEN

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _waiting(row: Any, attempts: int) -> WaitingMail:
    return WaitingMail(
        id=row.id,
        action_key=row.action_key,
        message_id=row.message_id,
        envelope=Envelope(
            row.envelope_from, msgspec.json.decode(row.recipients, type=tuple[str, ...])
        ),
        attempts=attempts,
        created_at=_EPOCH + timedelta(microseconds=row.created_us),
    )


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
        is_due = mails.c.next_try_us <= bindparam("now")
        self._envelopes = (
            mails.c.id,
            mails.c.action_key,
            mails.c.message_id,
            mails.c.envelope_from,
            mails.c.recipients,
            mails.c.attempts,
            mails.c.created_us,
        )
        # The order of the index: new mails are due from the moment of their arrival on.
        self._order = (mails.c.next_try_us, mails.c.id)
        oldest = select(mails.c.id).where(IS_OPEN, is_due).order_by(*self._order)
        oldest = oldest.limit(bindparam("count")).with_for_update(skip_locked=True)
        # PostgreSQL may run a subquery again for each row, and then finds the next ones.
        chosen = select(oldest.cte("oldest").c.id)
        self._claim = (
            update(mails)
            .where(mails.c.id.in_(chosen), IS_OPEN, is_due)
            .values(
                state=MailState.SENDING.value,
                attempts=mails.c.attempts + 1,
                next_try_us=bindparam("until"),
                claimed_by=self._name,
            )
            .returning(*self._envelopes, mails.c.raw)
        )
        self._sent = (
            update(mails)
            .where(mails.c.id == bindparam("mail_id"), IS_OPEN)
            .values(
                state=MailState.SENT.value,
                sent_us=bindparam("sent"),
                last_error=bindparam("note"),
                claimed_by="",
            )
        )

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        with self._scopes.write() as connection:
            return [self._write(connection, write) for write in writes]

    def _write(self, connection: Connection, write: Write) -> Outcome:
        match write:
            case NewMail():
                return self._accept(connection, write)
            case SentMail():
                values = {"mail_id": write.mail.id, "sent": self._now(), "note": write.note[:2000]}
                connection.execute(self._sent, values)
                return None
            case Claim():
                return self._claimed(connection, write)

    def _now(self) -> int:
        return _us(self._clock())

    def _accept(self, connection: Connection, mail: NewMail) -> Acceptance:
        mails, now = self._mails, self._now()
        content = {
            "message_id": mail.message_id,
            "envelope_from": mail.envelope.sender,
            "recipients": msgspec.json.encode(mail.envelope.recipients).decode(),
            "raw": mail.raw,
            "state": MailState.STORED.value,
            "attempts": 0,
            "next_try_us": now,
            "last_error": "",
        }
        values = {**content, "action_key": mail.action_key, "created_us": now}
        if connection.execute(self._store, values).first() is not None:
            return Acceptance.ACCEPTED
        # A mail that was refused for good never reached anybody: a new try replaces it.
        anew = (
            update(mails)
            .where(mails.c.action_key == mail.action_key)
            .where(mails.c.state == MailState.FAILED.value)
            .values({**content, "created_us": now})
        )
        is_new = bool(connection.execute(anew).rowcount)
        return Acceptance.ACCEPTED if is_new else Acceptance.DUPLICATE

    def _claimed(self, connection: Connection, claim: Claim) -> list[ClaimedMail]:
        values = {"now": self._now(), "count": claim.limit, "until": _us(claim.until)}
        rows = connection.execute(self._claim, values).all()
        return [
            ClaimedMail(_waiting(row, row.attempts - 1), bytes(row.raw), claim.until)
            for row in sorted(rows, key=lambda row: row.id)
        ]

    def _insert(self) -> postgresql.Insert | sqlite.Insert:
        if self._is_postgres:
            into_postgresql = postgresql.insert(self._mails)
            return into_postgresql.on_conflict_do_nothing(index_elements=["action_key"])
        into_sqlite = sqlite.insert(self._mails)
        return into_sqlite.on_conflict_do_nothing(index_elements=["action_key"])

    def due(self, limit: int) -> Sequence[WaitingMail]:
        mails = self._mails
        query = select(*self._envelopes).where(IS_OPEN, mails.c.next_try_us <= self._now())
        with self._scopes.read() as connection:
            rows = connection.execute(query.order_by(*self._order).limit(limit)).all()
        return [_waiting(row, row.attempts) for row in rows]

    def extend(self, claimed: ClaimedMail, until: datetime) -> ClaimedMail | None:
        with self._scopes.write() as connection:
            held = connection.execute(
                self._own([claimed]).values(next_try_us=_us(until)).returning(self._mails.c.id)
            ).first()
        return ClaimedMail(claimed.mail, claimed.raw, until) if held is not None else None

    def put_back(self, claimed: Sequence[ClaimedMail]) -> None:
        mails = self._mails
        back = {
            "state": MailState.STORED.value,
            "attempts": mails.c.attempts - 1,
            "next_try_us": mails.c.created_us,  # before what came later
            "claimed_by": "",
        }
        with self._scopes.write() as connection:
            connection.execute(self._own(claimed).values(back))

    def _own(self, claimed: Sequence[ClaimedMail]) -> Update:
        """Those of them that nobody else has claimed since."""
        mails = self._mails
        tries = [(one.mail.id, one.mail.attempts + 1) for one in claimed]
        return update(mails).where(
            tuple_(mails.c.id, mails.c.attempts).in_(tries),
            mails.c.state == MailState.SENDING.value,
            mails.c.claimed_by == self._name,
        )

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
                update(mails).where(mails.c.id == mail.id, IS_OPEN).values(**values, claimed_by="")
            )

    def release(self) -> int:
        mails = self._mails
        with self._scopes.write() as connection:
            result = connection.execute(
                update(mails)
                .where(IS_OPEN, mails.c.state == MailState.SENDING.value)
                .where(mails.c.claimed_by == self._name)
                .values(state=MailState.STORED.value, next_try_us=mails.c.created_us, claimed_by="")
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
