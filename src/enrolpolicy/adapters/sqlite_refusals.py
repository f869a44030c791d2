"""What can be wrong with the file of a `SqliteStore`, and what each is refused for."""

import sqlite3
from typing import final

from enrolpolicy.ports import Refused, Unknown


@final
class Unfit(Exception):
    """A file that is not one of ours, or not one this release can read; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
