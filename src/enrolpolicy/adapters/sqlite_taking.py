"""A register taken over by a `SqliteStore`, in a transaction that somebody else began."""

import sqlite3
from collections import Counter

from enrolpolicy.adapters.sqlite_tables import (
    ACCOUNT,
    PERSONAL,
    SETTLED,
    forget_rows,
    pair,
    rows_of,
    write_row,
)
from enrolpolicy.model import Snapshot
from enrolpolicy.stores import told


def take_over(db: sqlite3.Connection, register: Snapshot) -> None:
    """Put a register in the place of what the file has of its account."""
    account = register.account.id
    columns = ACCOUNT.names[1:]
    updates = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    db.execute(
        f"""INSERT INTO accounts ({ACCOUNT.columns}, version) VALUES ({ACCOUNT.marks}, 1)
        ON CONFLICT (id) DO UPDATE SET {updates}""",
        ACCOUNT.write(register.account),
    )
    tables = SETTLED | {table: kept for table, (kept, _) in PERSONAL.items()}
    for table, kept in tables.items():
        db.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
        db.executemany(
            f"INSERT INTO {table} (account, {kept.columns}) VALUES (?, {kept.marks})",
            ((account, *kept.write(row)) for row in getattr(register, table)),
        )
    _bookings(db, register)


def _bookings(db: sqlite3.Connection, register: Snapshot) -> None:
    """Its enrolments as rows, but for those that are ours to move by now."""
    account = register.account.id
    moved = {key for [key] in db.execute("SELECT DISTINCT key FROM journal WHERE account = ?", (account,))}
    known = {row.key: row for row in rows_of(db, account)}
    news = told(register, known, moved)
    forget_rows(db, account, news.gone)
    # Numbered anew, out of each other's way first.
    followed = [row.key for row in news.rows if row.key in known]
    renumbered = [(-1 - number, account, key) for number, key in enumerate(followed)]
    db.executemany("UPDATE rows SET beside = ? WHERE account = ? AND key = ?", renumbered)
    beside = Counter(pair(row) for row in known.values() if row.open and row.key in moved)
    for row in news.rows:
        write_row(db, row, known.get(row.key), beside=beside[pair(row)] if row.open else 0)
        beside[pair(row)] += row.open
    # What was reserved elsewhere is not held against the balance.
    db.execute("UPDATE accounts SET credits = NULL, allowed = reserved WHERE id = ?", (account,))
    db.execute("UPDATE accounts SET credits = ? WHERE id = ?", (register.account.credits, account))
