"""The store in a file sits the exam of stores."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from enrolpolicy import Snapshot
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.ports import Done, Refused, Unknown
from enrolpolicy.testing import Mishap, StoreContract, StoreHarness


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class Mishandled:
    """A connection whose next commit meets with a mishap: the disk fails before it, or after it."""

    def __init__(self, db: sqlite3.Connection, mishap: Mishap) -> None:
        self._db, self._mishap = db, mishap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement != "COMMIT":
            return self._db.execute(statement, *values)
        if self._mishap is Mishap.LOST_ANSWER:
            self._db.execute(statement)
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


def value(said: Done[Any] | Refused | Unknown) -> Any:
    assert isinstance(said, Done), said
    return said.value


class TestTheStoreInAFile(StoreContract):
    """The store in a file passes the exam of stores, with a second handle, and opened anew."""

    @pytest.fixture
    def harness(self, quick_folder: Path) -> Iterator[StoreHarness]:
        path, clock = quick_folder / "store.db", Clock()
        with ExitStack() as opened:

            def handle() -> SqliteStore:
                made = SqliteStore(path, clock=clock)
                opened.callback(made.close)
                return made

            def put(register: Snapshot) -> None:
                value(behind.put(register))

            def balance(account: str) -> int | None:
                found: int | None = value(behind.snapshot(account)).account.credits
                return found

            def reopen() -> SqliteStore:
                store.close()
                return handle()

            def befall(mishap: Mishap) -> None:
                value(store.accounts())
                db: Any = Mishandled(store._connection, mishap) if store._connection else None
                store._connection = db

            store, behind = handle(), handle()
            yield StoreHarness(
                store=store,
                put=put,
                rows=lambda account: value(behind.rows(account)),
                letters=lambda account: value(behind.letters(account)),
                journal=lambda account: value(behind.journal(account)),
                balance=balance,
                advance=clock.advance,
                another=handle,
                reopen=reopen,
                befall=befall,
            )
