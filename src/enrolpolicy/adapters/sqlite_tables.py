"""What is read from the tables of a `SqliteStore`, and written to them, in a transaction that somebody else began."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final, TypeVar

from enrolpolicy.adapters.sqlite_refusals import CORRUPTED, UNWRITABLE, Unfit
from enrolpolicy.adapters.sqlite_values import Column, Shape, shape
from enrolpolicy.model import Account, Assignment, Course, OptOut, Person, Role, TrainingRecord
from enrolpolicy.ports import Desk, Done, Writes
from enrolpolicy.rows import Entry, Letter, LetterStatus, Row
from enrolpolicy.stores import GONE

T = TypeVar("T")

ACCOUNT, _ROW, _LETTER, ENTRY = shape(Account), shape(Row), shape(Letter), shape(Entry)
SETTLED: Final[dict[str, Shape[Any]]] = {"courses": shape(Course), "roles": shape(Role)}
PERSONAL: Final[dict[str, tuple[Shape[Any], str]]] = {
    "personnel": (shape(Person), "id"),
    "assignments": (shape(Assignment), "person"),
    "records": (shape(TrainingRecord), "person"),
    "opt_outs": (shape(OptOut), "person"),
}
"""The register's tables that are about people, and the column that says about whom."""

THESE = "(SELECT value FROM json_each(?))"


# Reading


@contextmanager
def reading() -> Iterator[None]:
    """What cannot be read as what it should be means that the file is damaged."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise Unfit(CORRUPTED) from error


def read_whole(read: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], Done[T]]:
    """All that is read in a transaction that only reads."""

    def guarded(db: sqlite3.Connection) -> Done[T]:
        with reading():
            return Done(read(db))

    return guarded


def _selected(
    db: sqlite3.Connection, kept: Shape[T], account: str, table: str, rest: str, values: Sequence[Column]
) -> list[T]:
    statement = f"SELECT {kept.columns} FROM {table} WHERE account = ? AND {rest}"
    return kept.read(db.execute(statement, (account, *values)))


def table_of(
    db: sqlite3.Connection, account: str, table: str, kept: Shape[T], where: str = "TRUE", *values: Column
) -> tuple[T, ...]:
    """The rows of a table of the register, in the register's order."""
    return tuple(_selected(db, kept, account, table, f"{where} ORDER BY position", values))


def rows_of(db: sqlite3.Connection, account: str, where: str = "TRUE", *values: Column) -> list[Row]:
    """Enrolments, by key."""
    # Sorted here: asked for in that order, SQLite walks through all keys of the account rather than sort a few.
    return sorted(_selected(db, _ROW, account, "rows", where, values), key=lambda row: row.key)


def letters_of(db: sqlite3.Connection, account: str, where: str = "TRUE", *values: Column) -> list[Letter]:
    """Letters, in the order in which they were written."""
    return _selected(db, _LETTER, account, "letters", f"{where} ORDER BY position", values)


def rows_around(
    db: sqlite3.Connection, account: str, people: Collection[str], desk: Desk, writes: Writes
) -> dict[str, Row]:
    """All rows that what is written could be at odds with: those on the desk, and of people who are not on it."""
    rows = {row.key: row for row in desk.rows}
    others = [write.row.person for write in writes.rows if write.row.person not in people]
    if others:
        rows |= {row.key: row for row in rows_of(db, account, f"person IN {THESE}", listed(others))}
    strangers = [write.row.key for write in writes.rows if write.row.key not in rows]
    if strangers:
        rows |= {row.key: row for row in rows_of(db, account, f'"key" IN {THESE}', listed(strangers))}
    return rows


def letters_before(db: sqlite3.Connection, account: str, desk: Desk, writes: Writes) -> dict[str, Letter]:
    letters = {letter.message_id: letter for letter in desk.letters}
    strangers = [write.letter.message_id for write in writes.letters if write.letter.message_id not in letters]
    if strangers:
        found = letters_of(db, account, f"message_id IN {THESE}", listed(strangers))
        letters |= {letter.message_id: letter for letter in found}
    return letters


def listed(values: Iterable[str]) -> str:
    """Many values as one, for `IN`."""
    return json.dumps(list(values))


def pair(row: Row) -> tuple[str, str]:
    return row.person, row.course


# Writing


def write(
    db: sqlite3.Connection, account: str, writes: Writes, rows: Mapping[str, Row], letters: Mapping[str, Letter]
) -> None:
    """All that is written; `rows` and `letters` are those of them that are there, as they are."""
    news = {one.row.key: one.row for one in writes.rows}
    posted = {one.letter.message_id: one.letter for one in writes.letters}
    try:
        # What ends makes room for what begins.
        for key, row in sorted(news.items(), key=_opens):
            write_row(db, row, rows.get(key))
        for id, letter in posted.items():
            _write_letter(db, letter, letters.get(id))
        _write_entries(db, writes.entries)
    except (UnicodeEncodeError, OverflowError) as error:
        raise Unfit(UNWRITABLE) from error
    if writes.rows or writes.spent:
        spent = "UPDATE accounts SET credits = credits - ?, allowed = reserved WHERE id = ?"
        db.execute(spent, (writes.spent, account))
    if writes.night is not None:
        later = "UPDATE accounts SET last_night = max(?, coalesce(last_night, '')) WHERE id = ?"
        db.execute(later, (writes.night.isoformat(), account))
    if writes.run_by is not None and writes.run_until is not None:
        turn = "UPDATE accounts SET run_by = ?, run_until = ? WHERE id = ?"
        db.execute(turn, (writes.run_by, writes.run_until.isoformat(), account))


def _opens(written: tuple[str, Row]) -> bool:
    return written[1].open


_INSERT_ROW = f"INSERT INTO rows ({_ROW.columns}, beside) VALUES ({_ROW.marks}, ?)"
_INSERT_LETTER = f"INSERT INTO letters ({_LETTER.columns}) VALUES ({_LETTER.marks})"
_ADD_ENTRY = f"INSERT INTO journal ({ENTRY.columns}) VALUES ({ENTRY.marks})"


def write_row(db: sqlite3.Connection, row: Row, before: Row | None, beside: int | None = None) -> None:
    """A row as it is to be; `beside` numbers those that a register had open beside each other."""
    if before is None:
        db.execute(_INSERT_ROW, (*_ROW.write(row), beside or 0))
        return
    changed = _ROW.changed(before, row)
    if beside is not None:
        changed["beside"] = beside
    _update(db, "rows", changed, "account = ? AND key = ?", (row.account, row.key))


def _write_letter(db: sqlite3.Connection, letter: Letter, before: Letter | None) -> None:
    if before is None:
        db.execute(_INSERT_LETTER, _LETTER.write(letter))
        return
    changed = _LETTER.changed(before, letter)
    _update(db, "letters", changed, "account = ? AND message_id = ?", (letter.account, letter.message_id))


def _update(
    db: sqlite3.Connection, table: str, changed: Mapping[str, Column], where: str, values: Sequence[str]
) -> None:
    """Columns named in vain cost as much as changed ones: SQLite sees to every index they are in."""
    if changed:
        news = ", ".join([f'"{name}" = ?' for name in changed])
        db.execute(f"UPDATE {table} SET {news} WHERE {where}", (*changed.values(), *values))


def forget_rows(db: sqlite3.Connection, account: str, keys: Iterable[str]) -> None:
    """Let rows go that a register brought and has no more; the file refuses that for one that was ever moved."""
    gone = [(account, key) for key in sorted(keys)]
    dropped = f"""UPDATE letters SET status = '{LetterStatus.DROPPED.value}', detail = '{GONE}'
    WHERE account = ? AND key = ? AND status = '{LetterStatus.PENDING.value}'"""
    db.executemany(dropped, gone)
    db.executemany("DELETE FROM rows WHERE account = ? AND key = ?", gone)


def _write_entries(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Add to the journal; settings that many entries share are kept once, under their digest."""
    digests = {text: sha256(text.encode()).hexdigest() for text in {entry.settings for entry in entries}}
    pairs = [(digest, text) for text, digest in digests.items()]
    db.executemany("INSERT INTO settings (digest, content) VALUES (?, ?) ON CONFLICT DO NOTHING", pairs)
    db.executemany(_ADD_ENTRY, [(*ENTRY.write(entry)[:-1], digests[entry.settings]) for entry in entries])
