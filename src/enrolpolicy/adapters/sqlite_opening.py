"""A connection to the file of a `SqliteStore`: opened, brought to the newest schema, and its log kept short."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from enrolpolicy.adapters.sqlite_refusals import Unfit
from enrolpolicy.adapters.sqlite_schema import APPLICATION, STEPS


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
