"""An adapter beside the one in memory, through whatever sequence of calls and mishaps Hypothesis can think of.

    TestMyStore = store_machine(my_harness).TestCase

The laws look at what was thought of beforehand, one thing at a time; the machines look for what was not. After each
step both worlds must hold the same. Where a call was lost, the adapter's world must be as if it had been made, or as if
it had not.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from enrolpolicy.adapters.memory import MemoryLms, MemoryStore
from enrolpolicy.candidate import enrolment_key
from enrolpolicy.ports import (
    Cancelled,
    Desk,
    Done,
    LetterWrite,
    Order,
    Progress,
    Refused,
    RowWrite,
    Store,
    Unknown,
    Writes,
)
from enrolpolicy.rows import ARROWS, Row, RowStatus
from enrolpolicy.testing.builders import course, entry, letter, person, register, row
from enrolpolicy.testing.contract import Unsupported
from enrolpolicy.testing.harness import LmsHarness, Mishap, StoreHarness
from enrolpolicy.testing.worlds import Clock

ACCOUNT = "acme"
PEOPLE, COURSES = ("ana", "bo"), ("fire", "ice")
LOSSES = (Mishap.LOST_REQUEST, Mishap.LOST_ANSWER)
_GONE = {Cancelled.ALREADY: Cancelled.NOT_FOUND}


def _offered(control: Callable[..., object], *arguments: object) -> bool:
    """Use a control; False where it is not offered."""
    try:
        control(*arguments)
    except Unsupported:
        return False
    return True


# LMSs


def lms_machine(harness: Callable[[], LmsHarness]) -> type[RuleBasedStateMachine]:
    """A machine that holds an LMS against the one in memory; `harness` makes a new world for each sequence."""

    class LmsMachine(_LmsMachine):
        made = staticmethod(harness)

    return LmsMachine


_PAIRS = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(COURSES))
_CYCLES = st.sampled_from(["2025-12-20", "2026-12-20"])


class _LmsMachine(RuleBasedStateMachine):
    made: ClassVar["staticmethod[[], LmsHarness]"]

    @initialize()
    def begin(self) -> None:
        self.harness = type(self).made()
        self.clock = Clock()
        self.model = MemoryLms(self.harness.lms.capabilities, clock=self.clock)
        self.refs: dict[str, tuple[str, str]] = {}
        for name in PEOPLE:
            for id in COURSES:
                self.harness.given(name, id)

    def _order(self, pair: tuple[str, str], cycle: str) -> Order:
        account, (person, course) = self.harness.account, pair
        key = enrolment_key(account, person, course, cycle, 0)
        return Order(key=key, account=account, person=person, course=course, cycle=cycle, attempt=0)

    def _open(self) -> Counter[tuple[str, str, Progress]]:
        return Counter(
            (order.person, order.course, progress)
            for order, progress in self.model.bookings()
            if progress is not Progress.CANCELLED
        )

    @rule(pair=_PAIRS, cycle=_CYCLES)
    def enrol(self, pair: tuple[str, str], cycle: str) -> None:
        order = self._order(pair, cycle)
        ours, theirs = self.model.enrol(order), self.harness.lms.enrol(order)
        assert type(ours) is type(theirs), f"expected {ours}, not {theirs}"
        if isinstance(ours, Refused) and isinstance(theirs, Refused):
            assert ours.final == theirs.final
        if isinstance(ours, Done) and isinstance(theirs, Done):
            self.refs[order.key] = ours.value.ref, theirs.value.ref
            pairs = set(self.refs.values())
            assert len({ref for ref, _ in pairs}) == len({ref for _, ref in pairs}) == len(pairs), "names are mixed up"

    @rule(mishap=st.sampled_from(LOSSES), pair=_PAIRS, cycle=_CYCLES)
    def enrol_in_vain(self, mishap: Mishap, pair: tuple[str, str], cycle: str) -> None:
        order = self._order(pair, cycle)
        if _offered(self.harness.befall, mishap):
            assert isinstance(self.harness.lms.enrol(order), Unknown)
            if mishap is Mishap.LOST_ANSWER:
                self.model.enrol(order)

    @rule(mishap=st.sampled_from([None, None, *LOSSES]), pair=_PAIRS, cycle=_CYCLES)
    def cancel(self, mishap: Mishap | None, pair: tuple[str, str], cycle: str) -> None:
        order = self._order(pair, cycle)
        if order.key not in self.refs:
            return
        our_ref, their_ref = self.refs[order.key]
        started = any(
            (known.person, known.course) == pair and progress is not Progress.NOT_STARTED
            for known, progress in self.model.bookings()
        )
        if started and not self.harness.lms.capabilities.cancels_unstarted:
            return  # what such an LMS does to a started one is its own affair
        if mishap is not None and not _offered(self.harness.befall, mishap):
            return
        theirs = self.harness.lms.cancel_if_not_started(their_ref)
        ours = self.model.cancel_if_not_started(our_ref) if mishap is not Mishap.LOST_REQUEST else None
        if mishap is not None:
            assert isinstance(theirs, Unknown)
        else:
            assert isinstance(ours, Done)
            assert isinstance(theirs, Done), f"expected {ours}, not {theirs}"
            assert _GONE.get(ours.value, ours.value) == _GONE.get(theirs.value, theirs.value)

    @rule(pair=_PAIRS, cycle=_CYCLES)
    def find(self, pair: tuple[str, str], cycle: str) -> None:
        if self.harness.lms.capabilities.finds:
            key = self._order(pair, cycle).key
            found = []
            for lms in (self.model, self.harness.lms):
                said = lms.find(key)
                assert isinstance(said, Done), said
                there = said.value is not None and said.value.progress is not Progress.CANCELLED
                found.append(said.value.progress if said.value is not None and there else None)
            assert found[0] == found[1], f"expected {found[0]}, not {found[1]}"

    @rule(completes=st.booleans(), pair=_PAIRS, cycle=_CYCLES)
    def learn(self, completes: bool, pair: tuple[str, str], cycle: str) -> None:
        key = self._order(pair, cycle).key
        by_key = [progress for order, progress in self.model.bookings() if order.key == key]
        if by_key.count(Progress.NOT_STARTED) + by_key.count(Progress.IN_PROGRESS) != 1:
            return
        if _offered(self.harness.learner_starts, key):
            self.model.start(key)
        if completes and _offered(self.harness.learner_completes, key):
            self.model.complete(key)

    @rule(pair=_PAIRS)
    def close(self, pair: tuple[str, str]) -> None:
        if pair in self.model.refusals:
            if _offered(self.harness.allow, *pair):
                del self.model.refusals[pair]
        elif _offered(self.harness.refuse, *pair, "no-seat"):
            self.model.refusals[pair] = "no-seat"

    @rule(hours=st.sampled_from([1, 23, 25, 400]))
    def wait(self, hours: int) -> None:
        if _offered(self.harness.advance, timedelta(hours=hours)):
            self.clock.advance(timedelta(hours=hours))

    @invariant()
    def both_hold_the_same(self) -> None:
        if hasattr(self, "harness"):
            theirs = Counter((it.person, it.course, it.progress) for it in self.harness.peek())
            assert +Counter({it: n for it, n in theirs.items() if it[2] is not Progress.CANCELLED}) == self._open()


# Stores

_REGISTER = register(*map(person, PEOPLE), courses=tuple(map(course, COURSES)), credits=2)
_KEYS = [f"k{number}" for number in range(4)]


def store_machine(harness: Callable[[], StoreHarness]) -> type[RuleBasedStateMachine]:
    """A machine that holds a store against the one in memory; `harness` makes a new world for each sequence."""

    class StoreMachine(_StoreMachine):
        made = staticmethod(harness)

    return StoreMachine


@st.composite
def _proposals(draw: Callable[[st.SearchStrategy[Any]], Any]) -> dict[str, Any]:
    """What a transaction may write; most of it is right."""
    return {
        "key": draw(st.sampled_from(_KEYS)),
        "person": draw(st.sampled_from(PEOPLE)),
        "course": draw(st.sampled_from(COURSES)),
        "status": draw(st.sampled_from(RowStatus)),
        "credits": draw(st.sampled_from([0, 1, 1, 2])),
        "stale": draw(st.sampled_from([0, 0, 0, 0, 1, -1])),
        "journalled": draw(st.sampled_from([True, True, True, False])),
        "letter": draw(st.sampled_from([None, None, "a", "b"])),
        "spent": draw(st.sampled_from([0, 0, 0, 1])),
        "lease": draw(st.sampled_from([None, timedelta(minutes=30)])),
    }


class _StoreMachine(RuleBasedStateMachine):
    made: ClassVar["staticmethod[[], StoreHarness]"]

    @initialize()
    def begin(self) -> None:
        self.harness = type(self).made()
        self.store: Store = self.harness.store
        self.clock = Clock()
        self.model = MemoryStore(_REGISTER, clock=self.clock)
        self.harness.put(_REGISTER)

    def _worlds(self) -> tuple[object, object]:
        theirs, model = self.harness, self.model
        return (
            (theirs.rows(ACCOUNT), theirs.letters(ACCOUNT), theirs.journal(ACCOUNT), theirs.balance(ACCOUNT)),
            (model.rows(ACCOUNT), model.letters(ACCOUNT), model.journal(ACCOUNT), _balance(model)),
        )

    def _writes(self, what: dict[str, Any]) -> Writes:
        known = next((it for it in self.model.rows(ACCOUNT) if it.key == what["key"]), None)
        after = self._after(known, what)
        was = known.status if known else None
        moves = (was, after.status) in ARROWS and (known is None or was is not after.status)
        entries = (entry(after, was),) if what["journalled"] and moves else ()
        fence = None if known is None else known.fence + what["stale"]
        letters: tuple[LetterWrite, ...] = ()
        if what["letter"]:
            sent = letter(after, what["letter"] * 32)
            there = next((it for it in self.model.letters(ACCOUNT) if it.message_id == sent.message_id), None)
            kept = evolve(there, tries=there.tries + 1, fence=there.fence + 1) if there else sent
            letters = (LetterWrite(letter=kept, fence=there.fence if there else None),)
        return Writes(rows=(RowWrite(row=after, fence=fence),), letters=letters, entries=entries, spent=what["spent"])

    def _after(self, known: Row | None, what: dict[str, Any]) -> Row:
        until = self.clock() + what["lease"] if what["lease"] else None
        if known is None:
            chosen = {name: what[name] for name in ("person", "course", "credits")}
            return row(what["key"], **chosen, lease_until=until)
        possible = (known.status, what["status"]) in ARROWS
        status = what["status"] if possible else known.status
        return evolve(known, status=status, fence=known.fence + 1, lease_until=until)

    def _transact(self, store: Store, writes: Writes) -> object:
        def work(_: Desk) -> tuple[Writes, str]:
            return writes, "done"

        return store.transact(ACCOUNT, PEOPLE, work)

    @rule(what=_proposals())
    def write(self, what: dict[str, Any]) -> None:
        writes = self._writes(what)
        ours, theirs = self._transact(self.model, writes), self._transact(self.store, writes)
        assert type(ours) is type(theirs), f"expected {ours}, not {theirs}, for {writes}"

    @rule(what=_proposals(), mishap=st.sampled_from(LOSSES))
    def write_in_vain(self, what: dict[str, Any], mishap: Mishap) -> None:
        writes = self._writes(what)
        if _offered(self.harness.befall, mishap):
            before = self._worlds()[0]
            assert isinstance(self._transact(self.store, writes), Unknown)
            if self._worlds()[0] != before:
                assert isinstance(self._transact(self.model, writes), Done), "what is refused was written"

    @rule(credits=st.sampled_from([0, 1, 2, 5, None]), away=st.sampled_from([None, *PEOPLE]))
    def change_the_register(self, credits: int | None, away: str | None) -> None:
        people = tuple(evolve(it, archived=it.id == away) for it in _REGISTER.personnel)
        account = evolve(_REGISTER.account, credits=credits)
        changed = evolve(_REGISTER, account=account, personnel=people)
        self.harness.put(changed)
        self.model.put(changed)

    @rule(minutes=st.sampled_from([10, 30, 60]))
    def wait(self, minutes: int) -> None:
        _offered(self.harness.advance, timedelta(minutes=minutes))

    @rule(reopened=st.booleans())
    def another_handle(self, reopened: bool) -> None:
        try:
            self.store = self.harness.reopen() if reopened else self.harness.another()
        except Unsupported:
            return

    @rule(people=st.sampled_from([(), ("ana",), ("bo",), PEOPLE]))
    def look(self, people: tuple[str, ...]) -> None:
        ours, theirs = _desk(self.model, people), _desk(self.store, people)
        self.clock.at = theirs.now
        assert set(ours.rows) == set(theirs.rows)
        assert set(ours.letters) == set(theirs.letters)
        assert (ours.reserved, ours.run_by) == (theirs.reserved, theirs.run_by)
        for table in ("personnel", "records", "enrolments", "courses", "roles"):
            assert set(getattr(ours.snapshot, table)) == set(getattr(theirs.snapshot, table)), table
        assert ours.snapshot.account == theirs.snapshot.account

    @rule(ended=st.booleans())
    def what_is_left(self, ended: bool) -> None:
        theirs = self.store.backlog(ACCOUNT, ended)
        assert isinstance(theirs, Done), theirs
        self.clock.at = theirs.value.now
        ours = self.model.backlog(ACCOUNT, ended)
        assert isinstance(ours, Done)
        assert set(ours.value.rows) == set(theirs.value.rows)
        assert set(ours.value.held) == set(theirs.value.held)
        assert set(ours.value.letters) == set(theirs.value.letters)

    @invariant()
    def both_hold_the_same(self) -> None:
        if hasattr(self, "harness"):
            theirs, ours = self._worlds()
            assert theirs == ours


def _desk(store: Store, people: tuple[str, ...]) -> Desk:
    def work(desk: Desk) -> tuple[Writes, Desk]:
        return Writes(), desk

    said = store.transact(ACCOUNT, people, work)
    assert isinstance(said, Done), said
    return said.value


def _balance(model: MemoryStore) -> int | None:
    return model.register(ACCOUNT).account.credits
