"""The file of an `enrolpolicy.adapters.sqlite.SqliteStore`: its tables, how an older one becomes a newer one, and what
can be wrong with it.

What is promised of the rows is held by the file itself, whoever writes to it: a key is there once, a pair has one open
row, credits are not reserved beyond the balance, and the journal is only ever added to.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import final

from enrolpolicy.ports import Refused, Unknown
from enrolpolicy.rows import OPEN_ROWS, RESERVING_ROWS, RowStatus

APPLICATION = 0x65706F6C
"""What tells our files from others': `epol`."""


def _one_of(column: str, statuses: Iterable[RowStatus]) -> str:
    """Whether a column holds one of these; for `IN`, SQLite would put its words into a table every time it asks."""
    words = sorted(f"'{status.value}'" for status in statuses)
    return f"({' OR '.join(f'{column} = {word}' for word in words)})"


_OLD_HELD, _NEW_HELD = (_one_of(f"{side}.status", RESERVING_ROWS) for side in ("OLD", "NEW"))
_OLD_COST, _NEW_COST = f"{_OLD_HELD} * OLD.credits", f"{_NEW_HELD} * NEW.credits"
_OWNED = 'position INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts("id")'

SETTINGS = (
    "timezone", "elearning_plan_active", "auto_enrol", "auto_enrol_missing", "missing_since", "custom_expiry",
    "lead_days", "expired_lookback_days", "expiring_soon_days", "spread_days", "withdraw_when", "guards",
)  # fmt: skip
"""The columns of an account that are its settings; its balance, and what is the store's own, are not."""

_REGISTER = (
    """CREATE TABLE accounts ("id" TEXT PRIMARY KEY, timezone TEXT NOT NULL, elearning_plan_active INTEGER NOT NULL,
    auto_enrol INTEGER NOT NULL, auto_enrol_missing INTEGER NOT NULL, missing_since TEXT,
    custom_expiry INTEGER NOT NULL, lead_days INTEGER, expired_lookback_days INTEGER NOT NULL,
    expiring_soon_days INTEGER NOT NULL, credits INTEGER, spread_days INTEGER NOT NULL,
    withdraw_when TEXT NOT NULL, guards TEXT NOT NULL, version INTEGER NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0, allowed INTEGER NOT NULL DEFAULT 0,
    last_night TEXT, run_by TEXT, run_until TEXT) WITHOUT ROWID""",
    f"""CREATE TABLE courses ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, delivery TEXT NOT NULL,
    archived INTEGER NOT NULL, auto_enrol INTEGER NOT NULL, audience TEXT NOT NULL, scope TEXT NOT NULL,
    lead_days INTEGER, validity TEXT, credit_cost INTEGER NOT NULL)""",
    "CREATE UNIQUE INDEX courses_id ON courses (account, id)",
    f'CREATE TABLE roles ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, requirements TEXT NOT NULL)',
    "CREATE UNIQUE INDEX roles_id ON roles (account, id)",
    f"""CREATE TABLE personnel ({_OWNED}, "id" TEXT NOT NULL, name TEXT NOT NULL, email TEXT,
    employment TEXT NOT NULL, archived INTEGER NOT NULL, auto_enrol INTEGER NOT NULL, roles TEXT NOT NULL,
    division TEXT)""",
    "CREATE UNIQUE INDEX personnel_id ON personnel (account, id)",
    f"""CREATE TABLE assignments ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL, level TEXT NOT NULL,
    assigned_on TEXT)""",
    "CREATE INDEX assignments_person ON assignments (account, person)",
    f"""CREATE TABLE records ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL, completed_on TEXT NOT NULL,
    expires_on TEXT, never_expires INTEGER NOT NULL, voided INTEGER NOT NULL)""",
    "CREATE INDEX records_person ON records (account, person)",
    # What is read once for many transactions is read again when it has changed, by whatever means.
    *(
        f"""CREATE TRIGGER {table}_{verb} AFTER {verb} ON {table} BEGIN
        UPDATE accounts SET version = version + 1 WHERE id = {side}.account; END"""
        for table in ("courses", "roles")
        for verb, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    f"""CREATE TRIGGER accounts_settings AFTER UPDATE OF {", ".join(SETTINGS)} ON accounts BEGIN
    UPDATE accounts SET version = version + 1 WHERE id = NEW.id; END""",
    f"CREATE TABLE opt_outs ({_OWNED}, person TEXT NOT NULL, course TEXT NOT NULL)",
    "CREATE INDEX opt_outs_person ON opt_outs (account, person)",
)

_ROWS = (
    # `beside` is 0, but for open rows that a register had beside another open one of the pair: those are taken over as
    # they are, numbered, and no further one is let in.
    f"""CREATE TABLE rows ("key" TEXT NOT NULL, account TEXT NOT NULL REFERENCES accounts("id"), person TEXT NOT NULL,
    course TEXT NOT NULL, cycle TEXT, attempt INTEGER NOT NULL, origin TEXT NOT NULL, status TEXT NOT NULL,
    because TEXT, credits INTEGER NOT NULL CHECK (credits >= 0), fence INTEGER NOT NULL, lease_until TEXT, sent_at TEXT,
    asked_at TEXT, ref TEXT, enrolled_at TEXT NOT NULL, invited_at TEXT, ended_on TEXT, ended_at TEXT,
    ended_because TEXT, beside INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, "key"), CHECK {_one_of("status", RowStatus)})""",
    "CREATE INDEX rows_person ON rows (account, person)",
    f"CREATE UNIQUE INDEX rows_one_open ON rows (account, person, course, beside) WHERE {_one_of('status', OPEN_ROWS)}",
    "CREATE INDEX rows_unfinished ON rows (account) WHERE status IN ('pending', 'held', 'cancelling')",
    "CREATE INDEX rows_ended ON rows (account) WHERE status IN ('cancelled', 'refused') AND ended_at IS NOT NULL",
    f"""CREATE TRIGGER rows_reserve AFTER INSERT ON rows WHEN {_NEW_HELD} BEGIN
    UPDATE accounts SET reserved = reserved + NEW.credits WHERE id = NEW.account; END""",
    f"""CREATE TRIGGER rows_reserve_again AFTER UPDATE OF status, credits ON rows WHEN {_OLD_COST} <> {_NEW_COST} BEGIN
    UPDATE accounts SET reserved = reserved - {_OLD_COST} + {_NEW_COST} WHERE id = NEW.account; END""",
    f"""CREATE TRIGGER rows_give_back AFTER DELETE ON rows WHEN {_OLD_HELD} BEGIN
    UPDATE accounts SET reserved = reserved - OLD.credits WHERE id = OLD.account; END""",
    # One that only a register has brought may go with it.
    """CREATE TRIGGER rows_stay BEFORE DELETE ON rows
    WHEN EXISTS (SELECT TRUE FROM journal WHERE account = OLD.account AND key = OLD.key) BEGIN
    SELECT RAISE(ABORT, 'what was moved is never deleted'); END""",
    # `allowed` is what was reserved at the end of the last transaction that changed it; only that end is looked at.
    """CREATE TRIGGER accounts_credits BEFORE UPDATE OF allowed ON accounts
    WHEN NEW.credits IS NOT NULL AND NEW.allowed > OLD.allowed AND NEW.allowed > NEW.credits BEGIN
    SELECT RAISE(ABORT, 'credits'); END""",
    """CREATE TABLE letters (position INTEGER PRIMARY KEY, message_id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts("id"), "key" TEXT NOT NULL, person TEXT NOT NULL,
    recipient TEXT NOT NULL, content BLOB NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL,
    fence INTEGER NOT NULL, lease_until TEXT, due_at TEXT, detail TEXT)""",
    "CREATE UNIQUE INDEX letters_id ON letters (account, message_id)",
    "CREATE INDEX letters_key ON letters (account, key)",
    "CREATE INDEX letters_pending ON letters (account) WHERE status = 'pending'",
    "CREATE TABLE settings (digest TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE journal (position INTEGER PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts("id"),
    "key" TEXT NOT NULL, person TEXT NOT NULL, course TEXT NOT NULL, was TEXT, now TEXT NOT NULL, because TEXT NOT NULL,
    actor TEXT NOT NULL, "on" TEXT NOT NULL, "at" TEXT NOT NULL, policy_version TEXT NOT NULL,
    settings TEXT NOT NULL REFERENCES settings (digest))""",
    "CREATE INDEX journal_person ON journal (account, person)",
    "CREATE INDEX journal_key ON journal (account, key)",
    *(
        f"""CREATE TRIGGER {table}_stays_{verb} BEFORE {verb} ON {table} BEGIN
        SELECT RAISE(ABORT, 'the {table} is only ever added to'); END"""
        for table in ("journal", "settings")
        for verb in ("UPDATE", "DELETE")
    ),
)

STEPS: tuple[tuple[str, ...], ...] = ((*_REGISTER, *_ROWS),)
"""What makes each version of the schema from the one before; a file's `user_version` counts those it has been through.

A step that has been released is never changed: the next one is added.
"""


# Opening


@final
class Unfit(Exception):
    """A file that is not one of ours, or not one this release can read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def opened(path: Path, *, create: bool, wait: timedelta, steps: Sequence[Sequence[str]] = STEPS) -> sqlite3.Connection:
    """A connection to a file of the newest schema; raises `Unfit`, or what SQLite has to say.

    A committed transaction survives the process and the machine: each commit is on the disk before it is confirmed
    (WAL, `synchronous=FULL`, and `fullfsync` where the system knows it). Readers and one writer do not wait for each
    other; a second writer waits for as long as `wait`. The log is never folded into the file by SQLite itself, see
    `fold`.
    """
    address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    if "\0" in str(path):
        raise Unfit("cannot-open")
    if not create and not path.exists():
        raise Unfit("no-file")
    connection = sqlite3.connect(
        address, uri=True, timeout=wait.total_seconds(), isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection, steps, create=create)
    except BaseException:
        connection.close()
        raise
    return connection


_PRAGMAS = (
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "fullfsync = ON",
    "wal_autocheckpoint = 0",
)


def _prepare(connection: sqlite3.Connection, steps: Sequence[Sequence[str]], *, create: bool) -> None:
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    version = _version(connection, steps, create=create)
    if version < len(steps):
        if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise Unfit("no-wal")
        _migrate(connection, steps, create=create)
    connection.execute("PRAGMA synchronous = FULL")


def _version(connection: sqlite3.Connection, steps: Sequence[Sequence[str]], *, create: bool) -> int:
    """How many steps a file has been through; raises `Unfit` where it is not ours to touch."""
    [application], [version] = (
        connection.execute(f"PRAGMA {it}").fetchone() for it in ("application_id", "user_version")
    )
    if application != APPLICATION:
        [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application or version or tables or not create:
            raise Unfit("other-database")
    if version > len(steps):
        raise Unfit("newer-schema")
    return int(version)


def _migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]], *, create: bool) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Looked at again, as another process may have been quicker.
        for step in steps[_version(connection, steps, create=create) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def fold(connection: sqlite3.Connection, path: Path, wait: timedelta) -> None:
    """Fold the log into the file once it has grown, unless somebody is reading.

    SQLite would do so after a commit, while another process may be writing; until 3.51.3 that could, very rarely,
    damage the file. Done this way it holds the writers' lock, so that nobody is.
    """
    with suppress(OSError, sqlite3.Error):  # all is committed, and the next one tries again
        if os.stat(f"{path}-wal").st_size < FOLDED_FROM:
            return
        connection.execute("PRAGMA busy_timeout = 20")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout = {round(wait.total_seconds() * 1000)}")


FOLDED_FROM = 4 * 1024 * 1024
"""Bytes of log."""


# What can be wrong

CORRUPTED, UNWRITABLE = "corrupted", "unwritable"

CODES: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_NOTADB: "not-a-database",
    sqlite3.SQLITE_CORRUPT: CORRUPTED,
    sqlite3.SQLITE_FORMAT: CORRUPTED,
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot-open",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR: "input-output",
    sqlite3.SQLITE_NOMEM: "no-memory",
    sqlite3.SQLITE_SCHEMA: "other-database",
    sqlite3.SQLITE_ERROR: "other-database",
}
"""SQLite's result codes, and the reason each is refused for."""

SENTENCES: dict[str, str] = {
    "no-file": "there is no such file; `enrolpolicy init` makes one",
    "other-database": "it is a database of another program, or its tables have been changed; give one of our own",
    "newer-schema": "a newer release wrote it; use that release",
    "no-wal": "its file system cannot share memory between processes; put it on a local disk",
    "not-a-database": "it is no SQLite database; give a file that `enrolpolicy init` made",
    CORRUPTED: "the file is damaged; restore it from a back-up (keys are derived, so nothing is enrolled twice)",
    "read-only": "the file may not be written; give its owner the right to",
    "cannot-open": "it cannot be opened; look at the folder's and the file's rights",
    "full": "the disk is full; make room, and run again",
    "input-output": "the disk failed; look at the system's log, and run again",
    "no-memory": "there is not enough memory; run again where there is more",
    "busy": "another process has it and does not let go; run again later",
    "unknown-account": "the file has no such account; `enrolpolicy init` adds one",
    UNWRITABLE: "it holds text or a number that SQLite cannot keep",
}
"""What each reason means, and what to do."""


def refused(error: sqlite3.Error | Unfit) -> Refused:
    """Why nothing was done."""
    if isinstance(error, Unfit):
        return Refused(error.code, final=False, everything=error.code != UNWRITABLE)
    # Python's own words, without a code, where text is no UTF-8.
    code = CORRUPTED if "decode" in str(error) else CODES.get(_primary(error))
    if code is not None:
        return Refused(code, final=False, everything=True)
    return Refused(_broken(str(error)), final=False)


def unconfirmed(error: sqlite3.Error) -> Refused | Unknown:
    """What a commit that failed comes to: nobody knows, unless there was no room for it, or it never began."""
    if _primary(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY):
        return refused(error)
    return Unknown(f"the commit was not confirmed: {CODES.get(_primary(error), 'unwritable')}")


def _primary(error: sqlite3.Error) -> int:
    # The low byte says what happened, the rest where. What Python itself has to say has no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISMATCH) & 0xFF


def _broken(message: str) -> str:
    """Which clause a constraint of the file stands for."""
    return next((code for words, code in _CONSTRAINTS.items() if words in message), UNWRITABLE)


_CONSTRAINTS = {
    "credits": "credits",
    "rows.account, rows.person, rows.course": "open",
    "rows.account, rows.key": "key",
    "letters.account, letters.message_id": "fence",
    "only ever added to": "journal",
}
