"""A store in memory: registers, rows, letters and the journal, each account's by themselves."""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from threading import RLock
from typing import TypeVar, final

from attrs import evolve, field, mutable

from enrolpolicy.adapters.clock import Clock, now
from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Backlog, Desk, Done, Refused, Unknown, Work, Writes
from enrolpolicy.rows import (
    RESERVING_ROWS,
    Entry,
    Letter,
    LetterStatus,
    Row,
    RowStatus,
    due,
    enrolment_of,
    may_come_back,
    unfinished,
)
from enrolpolicy.stores import GONE, ByPerson, broken, by_person, spent, told

T = TypeVar("T")

_UNKNOWN_ACCOUNT = Refused("unknown-account", final=False, everything=True)


@final
@mutable
class _Books:
    """What is kept of one account; rows and letters are found by whose they are, too.

    `register` is without enrolments, for those are made from the rows.
    """

    register: Snapshot
    people: ByPerson
    rows: dict[str, Row] = field(factory=dict)
    rows_of: dict[str, dict[str, Row]] = field(factory=dict)
    letters: dict[str, Letter] = field(factory=dict)
    letters_of: dict[str, set[str]] = field(factory=dict)
    places: dict[str, int] = field(factory=dict)
    journal: list[Entry] = field(factory=list)
    reserved: int = 0
    last_night: date | None = None
    run_by: str | None = None
    run_until: datetime | None = None

    def keep(self, row: Row) -> None:
        self.drop(row.key)
        self.rows[row.key] = self.rows_of.setdefault(row.person, {})[row.key] = row
        self.reserved += _reserving(row)

    def drop(self, key: str) -> None:
        row = self.rows.pop(key, None)
        if row is not None:
            del self.rows_of[row.person][key]
            self.reserved -= _reserving(row)

    def keep_letter(self, letter: Letter) -> None:
        before = self.letters.get(letter.message_id)
        if before is not None:
            self.letters_of[before.key].discard(letter.message_id)
        self.letters[letter.message_id] = letter
        self.letters_of.setdefault(letter.key, set()).add(letter.message_id)
        self.places.setdefault(letter.message_id, len(self.places))

    def letters_to(self, keys: Iterable[str]) -> list[Letter]:
        """The letters of some rows, in the order in which they were written."""
        ids = [id for key in keys for id in self.letters_of.get(key, ())]
        return [self.letters[id] for id in sorted(ids, key=self.places.__getitem__)]

    def in_order(self) -> list[Row]:
        return [self.rows[key] for key in sorted(self.rows)]

    def of(self, people: Collection[str]) -> list[Row]:
        """The rows of some people, by key."""
        theirs = [row for person in set(people) for row in self.rows_of.get(person, {}).values()]
        return sorted(theirs, key=lambda row: row.key)


def _reserving(row: Row) -> int:
    return row.credits if row.status in RESERVING_ROWS else 0


@final
class MemoryStore:
    """A store for one process, of any number of accounts.

    `clock` gives the instants of leases and of the journal.
    """

    def __init__(self, *registers: Snapshot, clock: Clock = now) -> None:
        self._clock = clock
        self._books: dict[str, _Books] = {}
        self._one_at_a_time = RLock()
        for register in registers:
            self.put(register)

    def put(self, register: Snapshot) -> None:
        """Take a register over, or a newer state of one.

        The balance becomes the register's. Its enrolments are rows from now on, and follow the register, up to going
        when it has them no more, until a run has moved them; from then on they are as the runs leave them.
        """
        bare = evolve(register, enrolments=())
        with self._one_at_a_time:
            books = self._books.setdefault(register.account.id, _Books(bare, by_person(bare)))
            books.register, books.people = bare, by_person(bare)
            news = told(register, books.rows, {entry.key for entry in books.journal})
            for row in news.rows:
                books.keep(row)
            for key in news.gone:
                books.drop(key)
            for letter in books.letters_to(news.gone):
                if letter.status is LetterStatus.PENDING:
                    books.keep_letter(evolve(letter, status=LetterStatus.DROPPED, detail=GONE))

    def take_over(self, desk: Desk, last_night: date | None) -> None:
        """Be as another store is: with the account, the rows, the letters and the turn that a transaction saw there."""
        bare = evolve(desk.snapshot, enrolments=())
        books = _Books(bare, by_person(bare), last_night=last_night, run_by=desk.run_by, run_until=desk.run_until)
        for row in desk.rows:
            books.keep(row)
        for letter in desk.letters:
            books.keep_letter(letter)
        self._books[bare.account.id] = books

    def register(self, account: str) -> Snapshot:
        """The register of an account without its enrolments, as it was last put, less what was spent."""
        return self._books[account].register

    def rows(self, account: str) -> tuple[Row, ...]:
        """The rows of an account, by key."""
        return tuple(self._books[account].in_order())

    def letters(self, account: str) -> tuple[Letter, ...]:
        """The letters of an account, in the order in which they were written."""
        return tuple(self._books[account].letters.values())

    def journal(self, account: str) -> tuple[Entry, ...]:
        """The journal of an account, oldest first."""
        return tuple(self._books[account].journal)

    # The port

    def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        """As `Store.snapshot`."""
        with self._one_at_a_time:
            books = self._books.get(account)
            if books is None:
                return _UNKNOWN_ACCOUNT
            return Done(evolve(books.register, enrolments=tuple(map(enrolment_of, books.in_order()))))

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        """As `Store.backlog`."""
        with self._one_at_a_time:
            books, at = self._books.get(account), self._clock()
            if books is None:
                return _UNKNOWN_ACCOUNT
            rows = [row for row in books.in_order() if unfinished(row, at) or (ended and may_come_back(row))]
            return Done(
                Backlog(
                    rows=tuple(rows),
                    held=tuple([row for row in books.in_order() if row.status is RowStatus.HELD]),
                    letters=tuple([letter for letter in books.letters.values() if due(letter, at)]),
                    last_night=books.last_night,
                    now=at,
                )
            )

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        """As `Store.transact`."""
        with self._one_at_a_time:
            books = self._books.get(account)
            if books is None:
                return _UNKNOWN_ACCOUNT
            writes, answer = work(_desk(books, people, self._clock()))
            reason = _broken(books, writes)
            if reason is not None:
                return Refused(reason, final=False)
            _write(books, writes)
            return Done(answer)


def _desk(books: _Books, people: Collection[str], at: datetime) -> Desk:
    rows = books.of(people)
    return Desk(
        snapshot=books.people.of(people, rows),
        rows=tuple(rows),
        letters=tuple(books.letters_to(row.key for row in rows)),
        reserved=books.reserved,
        now=at,
        run_by=books.run_by,
        run_until=books.run_until,
    )


def _broken(books: _Books, writes: Writes) -> str | None:
    """Which clause a transaction would break: held against all rows of the people it writes about."""
    written = [write.row for write in writes.rows]
    rows = {row.key: row for row in books.of({row.person for row in written})}
    rows |= {row.key: books.rows[row.key] for row in written if row.key in books.rows}
    account = books.register.account
    return broken(
        writes,
        account=account.id,
        rows=rows,
        letters=books.letters,
        credits=account.credits,
        reserved=books.reserved,
    )


def _write(books: _Books, writes: Writes) -> None:
    for write in writes.rows:
        books.keep(write.row)
    for sent in writes.letters:
        books.keep_letter(sent.letter)
    books.journal += writes.entries
    if writes.spent:
        books.register = spent(books.register, writes.spent)
        books.people = evolve(books.people, settings=spent(books.people.settings, writes.spent))
    if writes.night is not None:
        books.last_night = max(writes.night, books.last_night or writes.night)
    if writes.run_by is not None and writes.run_until is not None:
        books.run_by, books.run_until = writes.run_by, writes.run_until
