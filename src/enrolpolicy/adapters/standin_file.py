"""The file of a `StandinLms`: its tables, its transactions, and what can be wrong with it."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import TypeVar, final

from enrolpolicy.ports import Done, Refused, Unknown

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Done[T] | Refused]
"""What is done in a transaction; a refusal is written, too, where its reason has to be remembered."""

BUSY_SECONDS = 2.0
APPLICATION, SCHEMA = 0x65704C4D, 1  # "epLM"

_TABLES = """
CREATE TABLE secret (value TEXT NOT NULL);
CREATE TABLE account (id TEXT PRIMARY KEY, credits INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE course (id TEXT PRIMARY KEY, cost INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE person (account TEXT, id TEXT, PRIMARY KEY (account, id)) WITHOUT ROWID;
CREATE TABLE booking (
  number INTEGER PRIMARY KEY, account TEXT NOT NULL, person TEXT NOT NULL, course TEXT NOT NULL,
  progress TEXT NOT NULL, completed_at TEXT, charged INTEGER NOT NULL
);
CREATE UNIQUE INDEX one_open ON booking (account, person, course) WHERE progress IN ('not-started', 'in-progress');
CREATE INDEX charged ON booking (account, charged) WHERE charged > 0;
CREATE TABLE asked (
  key TEXT PRIMARY KEY, account TEXT NOT NULL, person TEXT NOT NULL, course TEXT NOT NULL, cycle TEXT NOT NULL,
  attempt INTEGER NOT NULL, number INTEGER REFERENCES booking, adopted INTEGER NOT NULL, refused TEXT
) WITHOUT ROWID;
CREATE INDEX asked_by_booking ON asked (number);
CREATE TABLE to_refuse (number INTEGER PRIMARY KEY, reason TEXT NOT NULL);
CREATE TABLE barred (
  account TEXT, person TEXT, course TEXT, reason TEXT NOT NULL, PRIMARY KEY (account, person, course)
) WITHOUT ROWID
"""

CODES: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_NOTADB: "not-a-database",
    sqlite3.SQLITE_CORRUPT: "corrupted",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot-open",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "input-output",
}
"""SQLite's result codes, and the reason each is refused for; any other one is `unusable`."""


class _Unfit(Exception):
    """A file that is not ours to touch, with the code why."""


@final
class StandinFile:
    """One file; a connection is made when it is first needed, and again after trouble."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def transact(self, work: Work[T]) -> Done[T] | Refused | Unknown:
        """Do all of it, durably, or nothing; a commit nobody confirmed is Unknown."""
        with self._lock:
            try:
                connection = self._connection = self._connection or _opened(self.path)
                connection.execute("BEGIN IMMEDIATE")
                answer = work(connection)
            except (sqlite3.Error, _Unfit) as error:
                return self._gave_up(_code(error))
            except BaseException as error:
                self.close()
                if isinstance(error, UnicodeEncodeError | OverflowError):
                    return Refused("unwritable")  # text or a number that SQLite cannot keep
                raise
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                refused = self._gave_up(_code(error))
                return refused if refused.reason in ("busy", "full") else Unknown(f"commit: {refused.reason}")
            return answer

    def _gave_up(self, code: str) -> Refused:
        """Nothing was done; closing rolls back what was begun."""
        self.close()
        return Refused(code, final=False, everything=True)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if not _ours(connection):
            _in_wal(connection)
            _make_tables(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _ours(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there; False: it is empty, and they can be made."""
    application, version = (
        connection.execute(f"PRAGMA {it}").fetchone()[0] for it in ("application_id", "user_version")
    )
    if application == APPLICATION and version > SCHEMA:
        raise _Unfit("newer-schema")
    if application == APPLICATION and version == SCHEMA:
        return True
    if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise _Unfit("other-database")
    return False


def _in_wal(connection: sqlite3.Connection) -> None:
    """Change the file's mode; SQLite does not wait by itself where another process is just doing the same."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != "busy" or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _ours(connection):  # looked at again: another process may have been quicker
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO secret VALUES (?)", (token_hex(),))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _code(error: sqlite3.Error | _Unfit) -> str:
    if isinstance(error, _Unfit):
        return str(error)
    return CODES.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF, "unusable")
