"""A store in one SQLite file: registers, rows, letters and the journal of any number of accounts.

It is for hosts without a database of their own, and what `enrolpolicy run` works on. Several processes, and the threads
of each, may use one file at once; the file must lie on a local disk. Nothing here raises for what is wrong with the
file: every method answers `Done`, `Refused` or `Unknown`, and `enrolpolicy.adapters.sqlite_refusals.SENTENCES` has a
sentence for each reason.
"""

import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar, final

from attrs import evolve, frozen

from enrolpolicy.adapters.clock import Clock, now
from enrolpolicy.adapters.sqlite_opening import fold, opened
from enrolpolicy.adapters.sqlite_refusals import Unfit, refused, unconfirmed
from enrolpolicy.adapters.sqlite_tables import (
    ACCOUNT,
    ENTRY,
    PERSONAL,
    SETTLED,
    THESE,
    letters_before,
    letters_of,
    listed,
    read_whole,
    reading,
    rows_around,
    rows_of,
    table_of,
    write,
)
from enrolpolicy.adapters.sqlite_taking import take_over
from enrolpolicy.model import Account, Snapshot
from enrolpolicy.ports import Backlog, Desk, Done, Refused, Unknown, Work
from enrolpolicy.rows import Entry, Letter, Row, RowStatus, due, enrolment_of, unfinished
from enrolpolicy.stores import broken

T = TypeVar("T")
Answer = Done[T] | Refused | Unknown

_CREDITS = ACCOUNT.names.index("credits")


@final
@frozen
class _Books:
    """An account as a transaction finds it: its courses, roles and settings, and what is the store's own."""

    settings: Snapshot
    account: Account
    reserved: int
    last_night: date | None
    run_by: str | None
    run_until: datetime | None


@final
class SqliteStore:
    """A `Store` in the file at `path`; nothing is opened before it is needed.

    `clock` gives the instants of leases and of the journal. `wait`: for how long another process may keep the file to
    itself before it is refused as `busy`. Open one in each process, after forking.
    """

    def __init__(self, path: str | Path, *, clock: Clock = now, wait: timedelta = timedelta(seconds=30)) -> None:
        self.path: Path = Path(path)
        self._clock = clock
        self._wait = wait
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, tuple[int, Snapshot]] = {}
        self._read: tuple[tuple[int, str, str], dict[str, Any]] | None = None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            connection, self._connection, self._read = self._connection, None, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    # Taking a register over

    def put(self, register: Snapshot) -> Answer[None]:
        """Take a register over, or a newer state of one, all of it or nothing; makes the file where there is none.

        The balance becomes the register's: whoever counts the credits says what is left, what has been started
        included. Its enrolments are rows from now on, and follow the register, up to going when it has them no more,
        until a run has moved them. What a run has moved, letters, the journal and the nights that were run stay. Two
        open enrolments of one person on one course are taken over as they are, and no third one is made.
        """

        def taken(db: sqlite3.Connection) -> Done[None]:
            self._read = None
            take_over(db, register)
            return Done(None)

        return self._transaction("IMMEDIATE", taken, create=True)

    # The port

    def snapshot(self, account: str) -> Answer[Snapshot]:
        """As `Store.snapshot`."""

        def read(db: sqlite3.Connection) -> Snapshot:
            books = self._books(db, account)
            found: dict[str, Any] = {table: table_of(db, account, table, kept) for table, (kept, _) in PERSONAL.items()}
            enrolments = tuple(map(enrolment_of, rows_of(db, account)))
            return evolve(books.settings, account=books.account, enrolments=enrolments, **found)

        return self._transaction("DEFERRED", read_whole(read))

    def backlog(self, account: str, ended: bool) -> Answer[Backlog]:
        """As `Store.backlog`."""

        def read(db: sqlite3.Connection) -> Backlog:
            books, at = self._books(db, account), self._clock()
            middle = rows_of(db, account, "status IN ('pending', 'held', 'cancelling')")
            rows = [row for row in middle if unfinished(row, at)]
            if ended:
                rows += rows_of(db, account, "status IN ('cancelled', 'refused') AND ended_at IS NOT NULL")
            letters = [letter for letter in letters_of(db, account, "status = 'pending'") if due(letter, at)]
            in_order = tuple(sorted(rows, key=lambda row: row.key))
            held = tuple([row for row in middle if row.status is RowStatus.HELD])
            return Backlog(rows=in_order, held=held, letters=tuple(letters), last_night=books.last_night, now=at)

        return self._transaction("DEFERRED", read_whole(read))

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Answer[T]:
        """As `Store.transact`."""

        def worked(db: sqlite3.Connection) -> Answer[T]:
            with reading():
                books = self._books(db, account)
                desk = self._desk(db, account, people, books)
            writes, answer = work(desk)
            with reading():
                rows = rows_around(db, account, people, desk, writes)
                letters = letters_before(db, account, desk, writes)
            credits = books.account.credits
            reason = broken(
                writes, account=account, rows=rows, letters=letters, credits=credits, reserved=desk.reserved
            )
            if reason is not None:
                return Refused(reason, final=False)
            write(db, account, writes, rows, letters)
            return Done(answer)

        return self._transaction("IMMEDIATE", worked)

    # Reading what is kept

    def accounts(self) -> Answer[tuple[str, ...]]:
        """The accounts in the file, by id."""
        statement = "SELECT id FROM accounts ORDER BY id"
        return self._transaction("DEFERRED", read_whole(lambda db: tuple([id for [id] in db.execute(statement)])))

    def rows(self, account: str) -> Answer[tuple[Row, ...]]:
        """The rows of an account, by key."""
        return self._transaction("DEFERRED", read_whole(lambda db: tuple(rows_of(db, account))))

    def letters(self, account: str) -> Answer[tuple[Letter, ...]]:
        """The letters of an account, in the order in which they were written."""
        return self._transaction("DEFERRED", read_whole(lambda db: tuple(letters_of(db, account))))

    def journal(
        self,
        account: str,
        *,
        person: str | None = None,
        course: str | None = None,
        key: str | None = None,
        since: date | None = None,
    ) -> Answer[tuple[Entry, ...]]:
        """The journal of an account, oldest first: all of it, or of one person, course or row, or since a night."""
        wanted = {
            "person = ?": person,
            "course = ?": course,
            '"key" = ?': key,
            '"on" >= ?': since and since.isoformat(),
        }
        chosen = {condition: value for condition, value in wanted.items() if value is not None}
        columns = ENTRY.columns.replace('"settings"', "content")
        where = " AND ".join(["account = ?", *chosen])
        statement = f"SELECT {columns} FROM journal JOIN settings ON digest = settings WHERE {where} ORDER BY position"
        values = (account, *chosen.values())
        return self._transaction("DEFERRED", read_whole(lambda db: tuple(ENTRY.read(db.execute(statement, values)))))

    # What a transaction sees

    def _books(self, db: sqlite3.Connection, account: str) -> _Books:
        own = "version, reserved, last_night, run_by, run_until"
        found = db.execute(f"SELECT {own}, {ACCOUNT.columns} FROM accounts WHERE id = ?", (account,)).fetchone()
        if found is None:
            raise Unfit("unknown-account")
        version, reserved, last_night, run_by, run_until, *columns = found
        known = self._known.get(account)
        if known is None or known[0] != version:
            tables = {table: table_of(db, account, table, kept) for table, kept in SETTLED.items()}
            known = version, Snapshot(account=ACCOUNT.read([columns])[0], **tables)
            self._known[account] = known
        account_then, credits = known[1].account, columns[_CREDITS]
        return _Books(
            settings=known[1],
            account=account_then if credits == account_then.credits else evolve(account_then, credits=credits),
            reserved=reserved,
            last_night=last_night and date.fromisoformat(last_night),
            run_by=run_by,
            run_until=run_until and datetime.fromisoformat(run_until),
        )

    def _desk(self, db: sqlite3.Connection, account: str, people: Collection[str], books: _Books) -> Desk:
        these = listed(people)
        rows = rows_of(db, account, f"person IN {THESE}", these) if people else []
        letters = letters_of(db, account, f"key IN {THESE}", listed(row.key for row in rows)) if rows else []
        return Desk(
            snapshot=evolve(
                books.settings,
                account=books.account,
                enrolments=tuple(map(enrolment_of, rows)),
                **self._about(db, account, these),
            ),
            rows=tuple(rows),
            letters=tuple(letters),
            reserved=books.reserved,
            now=self._clock(),
            run_by=books.run_by,
            run_until=books.run_until,
        )

    def _about(self, db: sqlite3.Connection, account: str, these: str) -> dict[str, Any]:
        """What the register says of some people; kept until others are asked for, or anybody else writes to the file.

        An enrolment is claimed, written down and invited to in three transactions, all of them about the same people.
        """
        [changes] = db.execute("PRAGMA data_version").fetchone()
        asked = changes, account, these
        if self._read is None or self._read[0] != asked:
            found = {
                table: table_of(db, account, table, kept, f"{whose} IN {THESE}", these)
                for table, (kept, whose) in PERSONAL.items()
            }
            self._read = asked, found
        return self._read[1]

    # Transactions

    def _transaction(
        self, how: str, step: Callable[[sqlite3.Connection], Answer[T]], *, create: bool = False
    ) -> Answer[T]:
        """One transaction: whatever goes wrong before its commit, nothing was written."""
        with self._lock:
            try:
                db = self._connection or opened(self.path, create=create, wait=self._wait)
                self._connection = db
                db.execute(f"BEGIN {how}")
                said = step(db)
            except (sqlite3.Error, Unfit) as error:
                self.close()
                return refused(error)
            except BaseException:
                self.close()
                raise
            try:
                db.execute("COMMIT" if isinstance(said, Done) else "ROLLBACK")
            except sqlite3.Error as error:
                self.close()
                return unconfirmed(error)
            fold(db, self.path, self._wait)
            return said
