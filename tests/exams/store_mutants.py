"""Stores that are broken in one way each, by the smallest change to the one in memory; and the laws that notice."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from attrs import evolve
from broken import DAY, Gap, Mutant

from enrolpolicy.adapters import memory_store
from enrolpolicy.adapters.memory import MemoryStore
from enrolpolicy.model import Snapshot
from enrolpolicy.ports import (
    Backlog,
    Desk,
    Done,
    Refused,
    Store,
    Unknown,
    Work,
    Writes,
)
from enrolpolicy.rows import Letter, LetterStatus, Row, RowStatus, row_of
from enrolpolicy.testing import StoreHarness
from enrolpolicy.testing.worlds import store_harness

T = TypeVar("T")


class BentStore:
    """A store of whose transactions some part is another one."""

    def __init__(
        self,
        memory: MemoryStore,
        store: Store,
        *,
        desk: Callable[[Desk], Desk] = lambda desk: desk,
        writes: Callable[[Writes], Writes] = lambda writes: writes,
        said: Callable[[str, Writes, Any], Any] = lambda account, writes, said: said,
        snapshot: Callable[[Any], Any] = lambda said: said,
        backlog: Callable[[Any], Any] = lambda said: said,
        people: Callable[[Collection[str]], Collection[str]] = lambda people: people,
    ) -> None:
        self.memory, self._store = memory, store
        self._desk, self._writes, self._said, self._people = desk, writes, said, people
        self._snapshot, self._backlog = snapshot, backlog
        self.repr = "BentStore()"
        self.gap = Gap()

    def __repr__(self) -> str:
        return self.repr

    def snapshot(self, account: str) -> Done[Snapshot] | Refused | Unknown:
        return self._snapshot(self._store.snapshot(account))  # type: ignore[no-any-return]

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        return self._backlog(self._store.backlog(account, ended))  # type: ignore[no-any-return]

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        seen: list[tuple[Writes, T]] = []

        def bent(desk: Desk) -> tuple[Writes, T]:
            writes, answer = work(self._desk(desk))
            seen.append((writes, answer))
            return self._writes(writes), answer

        said = self._store.transact(account, self._people(people), bent)
        if not seen:
            return said
        changed: Any = self._said(account, seen[-1][0], said)
        return Done(seen[-1][1]) if changed is FORCED else changed


FORCED = object()


def _force(memory: MemoryStore, account: str, writes: Writes) -> None:
    memory_store._write(memory._books[account], writes)


def _kept(memory: MemoryStore, row: Row) -> Row | None:
    return memory._books[row.account].rows.get(row.key)


def store_mutant(wrong: str, broken: str, bend: Callable[[MemoryStore], dict[str, Any]]) -> Mutant:
    """The store in memory, bent."""

    def made() -> StoreHarness:
        return _bent(lambda memory, store: BentStore(memory, store, **bend(memory)))

    return Mutant(wrong, frozenset(broken.split()), made)


def _bent(wrap: Callable[[MemoryStore, Store], Store]) -> StoreHarness:
    memory: list[MemoryStore] = []
    return store_harness(lambda store: wrap(memory[0], store), memory.append)


def _lacking(reason: str, when: Callable[[MemoryStore, Writes], bool] = lambda memory, writes: True) -> Any:
    """A store without one of its constraints: what it would refuse for a reason is written all the same."""

    def bend(memory: MemoryStore) -> dict[str, Any]:
        def said(account: str, writes: Writes, answer: Any) -> Any:
            if isinstance(answer, Refused) and answer.reason == reason and when(memory, writes):
                _force(memory, account, writes)
                return FORCED
            return answer

        return {"said": said}

    return bend


def _known(memory: MemoryStore, writes: Writes) -> bool:
    return bool(writes.rows) and all(write.row.key in memory._books[write.row.account].rows for write in writes.rows)


def _backlog(change: Callable[[Backlog], Backlog]) -> Callable[[Any], Any]:
    return lambda said: Done(change(said.value)) if isinstance(said, Done) else said


def _no_backlog(memory: MemoryStore) -> dict[str, Any]:
    nothing = Backlog(rows=(), held=(), letters=(), last_night=None, now=memory._clock())
    return {"backlog": lambda said: Done(nothing) if isinstance(said, Refused) else said}


def _spends_anyway(memory: MemoryStore) -> dict[str, Any]:
    def said(account: str, writes: Writes, answer: Any) -> Any:
        if isinstance(answer, Refused) and answer.reason == "fence":
            _force(memory, account, Writes(spent=writes.spent))
        return answer

    return {"said": said}


def _posts_anyway(memory: MemoryStore) -> dict[str, Any]:
    def said(account: str, writes: Writes, answer: Any) -> Any:
        if isinstance(answer, Refused) and writes.rows:
            _force(memory, account, Writes(letters=writes.letters))
        return answer

    return {"said": said}


def _without_microseconds(writes: Writes) -> Writes:
    def cut(row: Any) -> Any:
        return evolve(row, enrolled_at=row.enrolled_at.replace(microsecond=0))

    return evolve(writes, rows=tuple(evolve(write, row=cut(write.row)) for write in writes.rows))


def _one_to_blame(memory: MemoryStore) -> dict[str, Any]:
    """Inserts that are ignored where the very row is there."""

    def said(account: str, writes: Writes, answer: Any) -> Any:
        same = writes.rows and all(_kept(memory, write.row) == write.row for write in writes.rows)
        return FORCED if isinstance(answer, Refused) and answer.reason == "key" and same else answer

    return {"said": said}


def _refusing(when: Callable[[MemoryStore, Writes], bool]) -> Callable[[MemoryStore], dict[str, Any]]:
    """A store that refuses for credits when it should not."""

    def bend(memory: MemoryStore) -> dict[str, Any]:
        def writes(asked: Writes) -> Writes:
            if when(memory, asked):
                raise _NoCredits
            return asked

        return {"writes": writes}

    return bend


def _short(memory: MemoryStore) -> bool:
    credits = memory.register("acme").account.credits
    return credits is not None and memory._books["acme"].reserved > credits


class _NoCredits(Exception):
    pass


class MiserlyStore(BentStore):
    """One that turns an exception of its own into a refusal."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        try:
            return super().transact(account, people, work)
        except _NoCredits:
            return Refused("credits", final=False)


class SwallowingStore(BentStore):
    """One that takes work that broke off for work that had nothing to do."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        try:
            return super().transact(account, people, work)
        except LookupError:
            nothing: Any = Done(None)
            return nothing  # type: ignore[no-any-return]


class TalkativeStore(BentStore):
    """One whose repr shows whom it was last asked about."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        def seen(desk: Desk) -> tuple[Writes, T]:
            writes, answer = work(desk)
            self.repr = f"TalkativeStore({writes})"
            return writes, answer

        return super().transact(account, people, seen)


class StaleStore(BentStore):
    """One that reads, and writes later what it decided then, if the fences were right when it read."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        def read(desk: Desk) -> tuple[Writes, Desk]:
            return Writes(), desk

        looked = self._store.transact(account, people, read)
        if not isinstance(looked, Done):
            return looked
        writes, answer = work(looked.value)
        was = {row.key: row.fence for row in looked.value.rows}
        self.gap.wait()

        def write(desk: Desk) -> tuple[Writes, T]:
            now = {row.key: row.fence for row in desk.rows}
            rows = tuple(
                evolve(one, fence=now[one.row.key]) if one.row.key in was and was[one.row.key] == one.fence else one
                for one in writes.rows
            )
            return evolve(writes, rows=rows), answer

        return self._store.transact(account, people, write)


class GenerousStore(BentStore):
    """One that counts credits before it writes, and not while it does."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        if account not in self.memory._books:
            return self._store.transact(account, people, work)
        before = memory_store._desk(self.memory._books[account], people, self.memory._clock())
        self.gap.wait()
        seen: list[tuple[Writes, T]] = []

        def kept(desk: Desk) -> tuple[Writes, T]:
            seen.append(work(desk))
            return seen[-1]

        said = self._store.transact(account, people, kept)
        if isinstance(said, Refused) and said.reason == "credits":
            writes, answer = seen[-1]
            asked = writes.spent + sum(write.row.credits for write in writes.rows)
            if before.reserved + asked <= (before.snapshot.account.credits or 0):
                _force(self.memory, account, writes)
                return Done(answer)
        return said


class TwiceStore(BentStore):
    """One that calls its work again, and answers what it said first."""

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        def twice(desk: Desk) -> tuple[Writes, T]:
            _, first = work(desk)
            return work(desk)[0], first

        return super().transact(account, people, twice)


class LastNightStore(BentStore):
    """One that keeps the night that was written last."""

    night: Any = None

    def transact(self, account: str, people: Collection[str], work: Work[T]) -> Done[T] | Refused | Unknown:
        def seen(desk: Desk) -> tuple[Writes, T]:
            writes, answer = work(desk)
            self.night = writes.night or self.night
            return writes, answer

        return super().transact(account, people, seen)

    def backlog(self, account: str, ended: bool) -> Done[Backlog] | Refused | Unknown:
        return _backlog(lambda it: evolve(it, last_night=self.night))(self._store.backlog(account, ended))  # type: ignore[no-any-return]


def _store_of(
    kind: type[BentStore], bend: Callable[[MemoryStore], dict[str, Any]] = lambda _: {}
) -> Callable[[], StoreHarness]:
    return lambda: _bent(lambda memory, store: kind(memory, store, **bend(memory)))


def _forgetful() -> StoreHarness:
    memory: list[MemoryStore] = []
    harness = store_harness(remember=memory.append)
    forgetting = BentStore(memory[0], harness.store, backlog=_backlog(lambda it: evolve(it, last_night=None)))
    return evolve(harness, reopen=lambda: forgetting)


def _reserving_too_much(memory: MemoryStore) -> dict[str, Any]:
    def desk(seen: Desk) -> Desk:
        ended = [row for row in memory.rows(seen.snapshot.account.id) if row.status is RowStatus.REFUSED]
        return evolve(seen, reserved=seen.reserved + sum(row.credits for row in ended))

    return {"desk": desk}


def _first_opt_outs(_: MemoryStore) -> dict[str, Any]:
    first: list[Any] = []

    def desk(seen: Desk) -> Desk:
        first.append(seen.snapshot.opt_outs)
        return evolve(seen, snapshot=evolve(seen.snapshot, opt_outs=first[0]))

    return {"desk": desk}


def _without_the_held(memory: MemoryStore) -> dict[str, Any]:
    def snapshot(said: Any) -> Any:
        if not isinstance(said, Done):
            return said
        kept = [
            it
            for it in said.value.enrolments
            if memory._books[said.value.account.id].rows[it.id].status is not RowStatus.HELD
        ]
        return Done(evolve(said.value, enrolments=tuple(kept)))

    return {"snapshot": snapshot}


def _letters_too_early(memory: MemoryStore) -> dict[str, Any]:
    def early(it: Backlog) -> Backlog:
        waiting = [one for one in memory.letters("acme") if one.status is LetterStatus.PENDING and not one.lease_until]
        return evolve(it, letters=tuple(waiting))

    return {"backlog": _backlog(early)}


def _entries_reversed(memory: MemoryStore) -> dict[str, Any]:
    def said(account: str, writes: Writes, answer: Any) -> Any:
        if isinstance(answer, Done) and len(writes.entries) > 1:
            count = len(writes.entries)
            journal = memory._books[account].journal
            journal[-count:] = reversed(journal[-count:])
        return answer

    return {"said": said}


def _pending(it: Letter) -> bool:
    return it.status is LetterStatus.PENDING


def _by_key_alone(memory: MemoryStore) -> dict[str, Any]:
    """What is written under a key is written under it in every account."""

    def said(account: str, writes: Writes, answer: Any) -> Any:
        if isinstance(answer, Done):
            for other, books in memory._books.items():
                for one in writes.rows:
                    if other != account and one.row.key in books.rows:
                        books.keep(evolve(one.row, account=other))
        return answer

    return {"said": said}


def _putting(put: Callable[[MemoryStore, Snapshot], None]) -> Callable[[], StoreHarness]:
    """A store that takes a newer register over in another way."""

    def made() -> StoreHarness:
        memory: list[MemoryStore] = []
        harness = store_harness(remember=memory.append)
        return evolve(harness, put=lambda register: put(memory[0], register))

    return made


def _once_only(memory: MemoryStore, register: Snapshot) -> None:
    known = memory._books[register.account.id].in_order() if register.account.id in memory._books else []
    memory.put(register)
    for row in known:
        memory._books[register.account.id].keep(row)


def _never_gone(memory: MemoryStore, register: Snapshot) -> None:
    known = memory._books[register.account.id].in_order() if register.account.id in memory._books else []
    memory.put(register)
    for row in known:
        if row.key not in memory._books[register.account.id].rows:
            memory._books[register.account.id].keep(row)


def _over_and_over(memory: MemoryStore, register: Snapshot) -> None:
    memory.put(register)
    for enrolment in register.enrolments:
        memory._books[register.account.id].keep(row_of(enrolment, account=register.account.id, credits=1))


STORE_MUTANTS = (
    store_mutant("an unknown account has an empty backlog", "S0", _no_backlog),
    Mutant("its repr shows what it wrote", frozenset({"S0b"}), _store_of(TalkativeStore)),
    store_mutant("ids lose their blanks", "S0c", lambda _: {"people": lambda ids: [id.strip() for id in ids]}),
    store_mutant(
        "reserves over all accounts",
        "S0d",
        lambda memory: {
            "desk": lambda it: evolve(it, reserved=sum(books.reserved for books in memory._books.values()))
        },
    ),
    store_mutant("rows are kept by key alone", "S0e", _by_key_alone),
    store_mutant("writes whatever account it is told", "S0f", _lacking("other-account")),
    store_mutant("credits are spent anyway", "S1", _spends_anyway),
    Mutant("work that broke off had nothing to do", frozenset({"S1b"}), _store_of(SwallowingStore)),
    Mutant("forgets the last night", frozenset({"S1c"}), _forgetful),
    Mutant("writes what it read a moment ago", frozenset({"S1d"}), _store_of(StaleStore)),
    store_mutant("has no microseconds", "S1e", lambda _: {"writes": _without_microseconds}),
    store_mutant(
        "answers with a copy",
        "S1f",
        lambda _: {
            "said": lambda _a, _w, it: (
                Done(tuple(it.value)) if isinstance(it, Done) and isinstance(it.value, list) else it
            )
        },
    ),
    store_mutant(
        "keys are overwritten",
        "S2",
        _lacking("key", lambda memory, it: _kept(memory, it.rows[0].row) != it.rows[0].row),
    ),
    store_mutant("the same row twice is fine", "S2b", _one_to_blame),
    store_mutant(
        "two open rows",
        "S3",
        _lacking("open", lambda _, it: len(it.rows) == 1 and it.rows[0].row.status is RowStatus.PENDING),
    ),
    store_mutant("two open rows at once", "S3b", _lacking("open", lambda _, it: len(it.rows) == 2)),
    store_mutant(
        "open rows count when they are made",
        "S3d",
        _lacking("open", lambda _, it: it.rows[0].row.status is RowStatus.BOOKED),
    ),
    store_mutant(
        "what has ended is in the way",
        "S3c",
        lambda memory: {
            "said": lambda account, it, answer: (
                Refused("open", final=False)
                if isinstance(answer, Done) and len(it.rows) == 2 and it.rows[0].row.status is RowStatus.REFUSED
                else answer
            )
        },
    ),
    store_mutant(
        "fences are not asked for", "S4", _lacking("fence", lambda memory, it: _known(memory, it) and not it.letters)
    ),
    store_mutant(
        "writes rows that are not there",
        "S4b",
        _lacking("fence", lambda memory, it: not _known(memory, it) and not it.letters),
    ),
    store_mutant("letters have no fences", "S4c", _lacking("fence", lambda _, it: not it.rows)),
    store_mutant("credits are not counted", "S5 S5b S5f S5g", _lacking("credits")),
    store_mutant("what is spent is not taken off", "S0d S5b S5g", lambda _: {"writes": lambda it: evolve(it, spent=0)}),
    store_mutant("what was refused is not given back", "S5c", _reserving_too_much),
    Mutant(
        "nothing goes when credits are short",
        frozenset({"S5d"}),
        _store_of(MiserlyStore, _refusing(lambda memory, _: _short(memory))),
    ),
    Mutant(
        "what is not metered is nothing",
        frozenset({"S5e"}),
        _store_of(
            MiserlyStore,
            _refusing(
                lambda memory, it: (
                    memory.register("acme").account.credits is None and any(w.row.credits for w in it.rows)
                )
            ),
        ),
    ),
    Mutant("counts, and then writes", frozenset({"S5f"}), _store_of(GenerousStore)),
    store_mutant("what is spent counts later", "S5g", _lacking("credits", lambda _, it: it.spent > 0)),
    store_mutant("letters are written anyway", "S1 S6", _posts_anyway),
    store_mutant(
        "sees pending letters alone",
        "S6b",
        lambda _: {"desk": lambda it: evolve(it, letters=tuple(filter(_pending, it.letters)))},
    ),
    store_mutant(
        "a lost commit is a refusal",
        "S7",
        lambda _: {"said": lambda _a, _w, it: Refused("lost", final=False) if isinstance(it, Unknown) else it},
    ),
    store_mutant("opt-outs are cached", "S8", _first_opt_outs),
    store_mutant(
        "sees everybody's records",
        "S8b",
        lambda memory: {
            "desk": lambda it: evolve(
                it, snapshot=evolve(it.snapshot, records=memory.register(it.snapshot.account.id).records)
            )
        },
    ),
    store_mutant("the held are not in the register", "S8c", _without_the_held),
    Mutant("answers what the first call said", frozenset({"S8d"}), _store_of(TwiceStore)),
    Mutant("what is known is not looked at again", frozenset({"S8e"}), _putting(_once_only)),
    Mutant("what is gone from the register stays", frozenset({"S8e"}), _putting(_never_gone)),
    Mutant("the register has the last word", frozenset({"S8f"}), _putting(_over_and_over)),
    store_mutant("has two clocks", "S9", lambda _: {"backlog": _backlog(lambda it: evolve(it, now=it.now - DAY))}),
    store_mutant(
        "leases hold nobody off",
        "S9b",
        lambda memory: {
            "backlog": _backlog(
                lambda it: evolve(
                    it,
                    rows=tuple(row for row in memory.rows("acme") if row in it.rows or row.status is RowStatus.PENDING),
                )
            )
        },
    ),
    store_mutant(
        "forgets cancellations",
        "S9c",
        lambda _: {
            "backlog": _backlog(
                lambda it: evolve(it, rows=tuple(row for row in it.rows if row.status is not RowStatus.CANCELLING))
            )
        },
    ),
    store_mutant(
        "what has ended is done with",
        "S9d",
        lambda _: {
            "backlog": _backlog(
                lambda it: evolve(it, rows=tuple(row for row in it.rows if row.status is not RowStatus.REFUSED))
            )
        },
    ),
    store_mutant("letters go out too early", "S9e", _letters_too_early),
    Mutant("the night written last is the last", frozenset({"S9f"}), _store_of(LastNightStore)),
    store_mutant("nobody is told of the held", "S9g", lambda _: {"backlog": _backlog(lambda it: evolve(it, held=()))}),
    store_mutant("moves need no entry", "S10", _lacking("journal", lambda _, it: not it.entries)),
    store_mutant("entries need no move", "S10b S10c", _lacking("journal", lambda _, it: bool(it.entries))),
    store_mutant(
        "the journal is ASCII",
        "S10c",
        lambda _: {
            "writes": lambda it: evolve(
                it,
                entries=tuple(evolve(one, because=ascii(one.because)) for one in it.entries)
                if len(it.entries) == 1 and not it.entries[0].because.isascii()
                else it.entries,
            )
        },
    ),
    store_mutant("entries of one transaction have no order", "S10d", _entries_reversed),
)
