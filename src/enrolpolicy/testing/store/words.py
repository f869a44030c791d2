"""What the laws of a store say again and again: a world to begin with, and transactions in few words."""

from collections.abc import Collection, Sequence

from attrs import evolve

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Backlog, Desk, Done, LetterWrite, Refused, RowWrite, Store, Unknown, Writes
from enrolpolicy.rows import Entry, Letter, Row, RowStatus
from enrolpolicy.testing.builders import course, entry, person, register
from enrolpolicy.testing.examining import done, refused
from enrolpolicy.testing.harness import StoreHarness

ACME = "acme"
PEOPLE = ("ana", "bo", "cy")
REGISTER = register(*map(person, PEOPLE), courses=(course("fire"), course("ice")), credits=3)

Said = Done[None] | Refused | Unknown


# Transactions, in few words


def ready(harness: StoreHarness, snapshot: Snapshot = REGISTER) -> Store:
    """A store that has a register."""
    harness.put(snapshot)
    return harness.store


def transact(store: Store, writes: Writes, people: Collection[str] = PEOPLE, account: str = ACME) -> Said:
    """A transaction that writes this, whatever it sees."""

    def work(_: Desk) -> tuple[Writes, None]:
        return writes, None

    return store.transact(account, people, work)


def moved(
    *rows: tuple[Row, Row | None],
    letters: Sequence[LetterWrite] = (),
    entries: Sequence[Entry] | None = None,
    spent: int = 0,
) -> Writes:
    """Rows as they are to be, each with how it was, and the journal's entries of their moves."""
    if entries is None:
        entries = [
            entry(now, was.status if was else None) for now, was in rows if was is None or was.status != now.status
        ]
    return Writes(
        rows=tuple(RowWrite(row=now, fence=was.fence if was else None) for now, was in rows),
        letters=tuple(letters),
        entries=tuple(entries),
        spent=spent,
    )


def claimed(store: Store, *rows: Row, letters: Sequence[LetterWrite] = ()) -> None:
    """Rows that are there now; those past pending got there by their entries."""
    entries = [
        one
        for now in rows
        for one in (
            [entry(now)]
            if now.status is RowStatus.PENDING
            else [entry(evolve(now, status=RowStatus.PENDING)), entry(now, RowStatus.PENDING)]
        )
    ]
    done(transact(store, moved(*((now, None) for now in rows), letters=letters, entries=entries)))


def desk_of(store: Store, people: Collection[str] = PEOPLE, account: str = ACME) -> Desk:
    """What a transaction sees now."""

    def work(desk: Desk) -> tuple[Writes, Desk]:
        return Writes(), desk

    return done(store.transact(account, people, work))


def backlog_of(store: Store, *, ended: bool = True) -> Backlog:
    """What is left behind now."""
    return done(store.backlog(ACME, ended))


World = tuple[tuple[Row, ...], tuple[Letter, ...], tuple[Entry, ...], int | None]


def world(harness: StoreHarness, account: str = ACME) -> World:
    """All that a store holds of an account, seen from behind."""
    return harness.rows(account), harness.letters(account), harness.journal(account), harness.balance(account)


def is_refused(harness: StoreHarness, writes: Writes, reason: str) -> None:
    """That a transaction is refused for a reason, and has written nothing."""
    before = world(harness)
    said = refused(transact(harness.store, writes), reason)
    assert not said.final, "a store's refusal is never final"
    assert world(harness) == before, "a refused transaction has written something"
