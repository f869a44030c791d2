"""What every store promises, clause by clause, asked through the port alone of the ones that ship.

`stores` gives each of them an account whose clock the test moves. Whether two stores answer alike on whatever is asked
of them, the machine at the end tries out.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from documents import ready
from enrolpolicy import Snapshot, load
from enrolpolicy.adapters.memory import MemoryStore
from enrolpolicy.adapters.sqlite import SqliteStore
from enrolpolicy.ports import Backlog, Desk, Done, LetterWrite, Refused, RowWrite, Store, Writes
from enrolpolicy.rows import OPEN_ROWS, Entry, Letter, LetterStatus, Row, RowStatus, enrolment_of

ON = date(2026, 11, 23)
START = datetime(2026, 11, 23, 1, tzinfo=UTC)


class Clock:
    """The store's clock, moved by hand."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


def register(account: str = "acme", **settings: Any) -> Snapshot:
    document = ready(3, 2, ON)
    document["account"] |= {"id": account, **settings}
    return load(json.dumps(document))


Make = Callable[..., Store]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[Make]:
    opened: list[SqliteStore] = []

    def made(*registers: Snapshot, clock: Clock | None = None) -> Store:
        if request.param == "memory":
            return MemoryStore(*registers, clock=clock or Clock())
        store = SqliteStore(quick_folder / "store.db", clock=clock or Clock())
        opened.append(store)
        for one in registers:
            assert store.put(one) == Done(None)
        return store

    yield made
    for store in opened:
        store.close()


def row(key: str = "k1", status: RowStatus = RowStatus.PENDING, **fields: Any) -> Row:
    given: dict[str, Any] = {"account": "acme", "person": "p0", "course": "c0", "credits": 1, "enrolled_at": START}
    given |= fields
    return Row(key=key, status=status, **given)


def entry(to: Row, was: RowStatus | None) -> Entry:
    return Entry(
        account=to.account, key=to.key, person=to.person, course=to.course, was=was, now=to.status, because="expiring",
        actor="enrolpolicy", on=ON, at=START, policy_version="1", settings='{"account": {}}',
    )  # fmt: skip


def letter(key: str = "k1", **fields: Any) -> Letter:
    given: dict[str, Any] = {"message_id": f"m-{key}", "account": "acme", "person": "p0"}
    given |= {"recipient": "p0@acme.example"} | fields
    return Letter(key=key, **({"content": b"\x00\xff letter"} | given))


def look(store: Store, *people: str, account: str = "acme") -> Desk:
    said = store.transact(account, people, lambda desk: (Writes(), desk))
    assert isinstance(said, Done), said
    return said.value


def write(store: Store, writes: Writes, *people: str, account: str = "acme") -> Any:
    return store.transact(account, people or ("p0", "p1", "p2"), lambda _: (writes, "written"))


def new(*rows: Row, **others: Any) -> Writes:
    """Rows that were not there before, with their entries."""
    return Writes(
        rows=tuple(RowWrite(row=one, fence=None) for one in rows),
        entries=tuple(entry(one, None) for one in rows),
        **others,
    )


def moved(before: Row, after: Row, **others: Any) -> Writes:
    return Writes(
        rows=(RowWrite(row=after, fence=before.fence),), entries=(entry(after, before.status),), **others
    )  # fmt: skip


def backlog(store: Store, ended: bool = False) -> Backlog:
    said = store.backlog("acme", ended)
    assert isinstance(said, Done)
    return said.value


WRITTEN = Done("written")


class TestS1AllOrNothing:
    """S1: a transaction is done whole or not at all, and what its work raises undoes it."""

    def test_nothing_of_what_is_refused(self, make: Make) -> None:
        store = make(register(credits=1))
        writes = new(row("k1"), row("k2", course="c1"), letters=(LetterWrite(letter=letter(), fence=None),), night=ON)
        assert write(store, writes) == Refused("credits", final=False)
        desk = look(store, "p0")
        assert (desk.rows, desk.letters, desk.reserved, backlog(store).last_night) == ((), (), 0, None)

    def test_nothing_of_what_raises(self, make: Make) -> None:
        store = make(register())

        def fail(desk: Desk) -> tuple[Writes, None]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.transact("acme", (), fail)
        assert write(store, new(row())) == WRITTEN

    def test_the_work_answers(self, make: Make) -> None:
        assert make(register()).transact("acme", (), lambda desk: (Writes(), 7)) == Done(7)

    def test_an_account_that_is_not_there(self, make: Make) -> None:
        store, unknown = make(register()), Refused("unknown-account", final=False, everything=True)
        assert store.snapshot("other") == unknown
        assert store.backlog("other", False) == unknown
        assert write(store, Writes(), account="other") == unknown


class TestS2Keys:
    """S2: a key is there once."""

    def test_a_second_row_of_a_key(self, make: Make) -> None:
        store = make(register())
        assert write(store, new(row())) == WRITTEN
        assert write(store, new(row(course="c1"))) == Refused("key", final=False)
        assert write(store, new(row(person="p2"))) == Refused("key", final=False)
        assert write(store, new(row(person="p2")), "p1") == Refused("key", final=False)


class TestS3OneOpen:
    """S3: a person has at most one open row on a course."""

    @pytest.mark.parametrize("status", list(RowStatus))
    def test_beside_a_row_of_each_status(self, status: RowStatus, make: Make) -> None:
        store, first = make(register()), row("k1", status)
        assert write(store, new(first)) == WRITTEN
        expected = Refused("open", final=False) if first.open else WRITTEN
        assert write(store, new(row("k2"))) == expected
        assert write(store, new(row("k3", course="c1"))) == WRITTEN
        assert write(store, new(row("k4", person="p1"))) == WRITTEN

    def test_whoever_else_was_asked_about(self, make: Make) -> None:
        store = make(register())
        assert write(store, new(row("k1"))) == WRITTEN
        assert write(store, new(row("k2")), "p1") == Refused("open", final=False)

    @pytest.mark.parametrize(("begins", "ends"), [("k1", "k2"), ("k2", "k1")])
    def test_one_ends_and_another_begins(self, begins: str, ends: str, make: Make) -> None:
        store, first = make(register()), row(ends, RowStatus.BOOKED)
        assert write(store, new(first)) == WRITTEN
        ended, second = evolve(first, status=RowStatus.CANCELLED), row(begins)
        both = Writes(
            rows=(RowWrite(row=second, fence=None), RowWrite(row=ended, fence=0)),
            entries=(entry(second, None), entry(ended, RowStatus.BOOKED)),
        )
        assert write(store, both) == WRITTEN
        assert {one.key: one.status for one in look(store, "p0").rows} == {
            ends: RowStatus.CANCELLED,
            begins: RowStatus.PENDING,
        }


class TestS4Fences:
    """S4: whoever names another fence than the row or the letter has changes nothing."""

    @pytest.mark.parametrize("fence", [0, 2, 7])
    def test_of_a_row(self, fence: int, make: Make) -> None:
        store, first = make(register()), row(fence=1)
        assert write(store, new(first)) == WRITTEN
        after = evolve(first, status=RowStatus.BOOKED, ref="b-1", fence=2)
        assert write(store, moved(evolve(first, fence=fence), after)) == Refused("fence", final=False)
        assert look(store, "p0").rows == (first,)
        assert write(store, moved(first, after)) == WRITTEN
        assert look(store, "p0").rows == (after,)

    def test_of_a_row_that_is_not_there(self, make: Make) -> None:
        store, first = make(register()), row()
        assert write(store, moved(first, evolve(first, status=RowStatus.BOOKED))) == Refused("fence", final=False)

    @pytest.mark.parametrize("fence", [None, 0, 2])
    def test_of_a_letter(self, fence: int | None, make: Make) -> None:
        store = make(register())
        assert write(store, new(row(), letters=(LetterWrite(letter=letter(fence=1), fence=None),))) == WRITTEN
        after = LetterWrite(letter=letter(fence=2, status=LetterStatus.SENT), fence=fence)
        assert write(store, Writes(letters=(after,))) == Refused("fence", final=False)
        assert look(store, "p0").letters == (letter(fence=1),)
        assert write(store, Writes(letters=(LetterWrite(letter=after.letter, fence=1),))) == WRITTEN
        assert look(store, "p0").letters == (after.letter,)


class TestS5Credits:
    """S5: no transaction reserves more than there is; one that reserves no more is never in the way."""

    def test_up_to_the_balance(self, make: Make) -> None:
        store = make(register(credits=2))
        assert write(store, new(row("k1"), row("k2", course="c1"))) == WRITTEN
        assert look(store).reserved == 2
        assert write(store, new(row("k3", person="p1"))) == Refused("credits", final=False)
        assert write(store, new(row("k3", person="p1", credits=0))) == WRITTEN

    def test_what_is_spent_counts_too(self, make: Make) -> None:
        store, booked = make(register(credits=2)), row("k1", RowStatus.BOOKED)
        assert write(store, new(booked)) == WRITTEN
        started = evolve(booked, status=RowStatus.IN_PROGRESS)
        assert write(store, moved(booked, started, spent=1)) == WRITTEN
        desk = look(store)
        assert (desk.reserved, desk.snapshot.account.credits) == (0, 1)
        assert write(store, new(row("k2", person="p1", credits=2))) == Refused("credits", final=False)
        assert write(store, new(row("k2", person="p1", credits=1))) == WRITTEN

    def test_credits_that_are_not_metered(self, make: Make) -> None:
        store = make(register())
        assert write(store, new(row(credits=10**6), spent=3)) == WRITTEN
        assert look(store).snapshot.account.credits is None

    @pytest.mark.parametrize("status", list(RowStatus))
    def test_which_statuses_reserve(self, status: RowStatus, make: Make) -> None:
        store = make(register())
        assert write(store, new(row(status=status, credits=3))) == WRITTEN
        reserving = {RowStatus.PENDING, RowStatus.HELD, RowStatus.BOOKED, RowStatus.CANCELLING}
        assert look(store, "p1").reserved == (3 if status in reserving else 0)

    def test_one_in_exchange_for_another_where_too_much_is_reserved(self, make: Make) -> None:
        held = {"status": "booked", "origin": "auto", "course": "c0", "enrolled_at": START.isoformat()}
        document = ready(3, 2, ON) | {"enrolments": [{"id": f"e{n}", "person": f"p{n}", **held} for n in range(2)]}
        document["account"]["credits"] = 1
        store = make(load(json.dumps(document)))
        first = look(store, "p0").rows[0]
        assert look(store).reserved == 2
        ended, other = evolve(first, status=RowStatus.CANCELLED), row("k2", course="c1")
        both = Writes(
            rows=(RowWrite(row=other, fence=None), RowWrite(row=ended, fence=0)),
            entries=(entry(other, None), entry(ended, RowStatus.BOOKED)),
        )
        assert write(store, both) == WRITTEN
        assert write(store, new(row("k3", person="p2"))) == Refused("credits", final=False)


class TestS6Letters:
    """S6: letters are written with the rows they go with, or not at all, and stay the bytes they are."""

    def test_they_are_found_by_their_rows(self, make: Make) -> None:
        store = make(register())
        ours, theirs = letter(), letter("k2", person="p1", recipient="p1@acme.example")
        letters = tuple(LetterWrite(letter=one, fence=None) for one in (theirs, ours))
        assert write(store, new(row(), row("k2", person="p1"), letters=letters)) == WRITTEN
        assert look(store, "p0").letters == (ours,)
        assert look(store, "p0", "p1").letters == (theirs, ours)
        assert look(store).letters == ()

    def test_a_letter_of_a_row_that_is_refused(self, make: Make) -> None:
        store = make(register(credits=0))
        assert write(store, new(row(), letters=(LetterWrite(letter=letter(), fence=None),))) == Refused(
            "credits", final=False
        )
        assert backlog(store).letters == ()


class TestS8WhatIsSeen:
    """S8: what work sees was read inside: the settings, and of the people asked about all that concerns them."""

    def test_the_people_asked_about(self, make: Make) -> None:
        whole = register()
        store = make(whole)
        seen = look(store, "p1").snapshot
        assert (seen.account, seen.courses, seen.roles) == (whole.account, whole.courses, whole.roles)
        assert [person.id for person in seen.personnel] == ["p1"]
        assert {record.person for record in seen.records} == {"p1"}
        assert look(store).snapshot == evolve(whole, personnel=(), records=())

    def test_what_the_transaction_before_wrote(self, make: Make) -> None:
        store = make(register())
        assert write(store, new(row())) == WRITTEN
        desk = look(store, "p0")
        assert [enrolment.id for enrolment in desk.snapshot.enrolments] == ["k1"]
        whole = store.snapshot("acme")
        assert isinstance(whole, Done)
        assert whole.value.enrolments == desk.snapshot.enrolments

    def test_somebody_nobody_knows(self, make: Make) -> None:
        assert look(make(register()), "nobody").snapshot.personnel == ()

    def test_other_accounts_are_not_touched(self, make: Make) -> None:
        store = make(register(), register("other", credits=1))
        assert write(store, new(row(credits=5), night=ON)) == WRITTEN
        desk = look(store, "p0", account="other")
        assert (desk.rows, desk.reserved, desk.run_by) == ((), 0, None)
        assert write(store, new(row("k2", account="other")), account="other") == WRITTEN
        assert [one.key for one in look(store, "p0").rows] == ["k1"]

    def test_somebody_of_the_same_name_elsewhere(self, make: Make) -> None:
        """Not even where a row is written of somebody who was not asked about."""
        store = make(register(), register("other"))
        assert write(store, new(row("k1"))) == WRITTEN
        assert write(store, new(row("k2", account="other")), "p1", account="other") == WRITTEN


class TestS9TheStoresClock:
    """S9: now is by the store's clock, and so is what is left over."""

    def test_now(self, make: Make) -> None:
        clock = Clock()
        store = make(register(), clock=clock)
        clock.at += timedelta(days=3)
        assert look(store).now == backlog(store).now == START + timedelta(days=3)

    def test_rows_whose_lease_is_over(self, make: Make) -> None:
        clock = Clock()
        store = make(register(), clock=clock)
        # The same instant, as other offsets write it.
        elsewhere = (START + timedelta(minutes=5)).astimezone(timezone(timedelta(hours=-9, minutes=-30)))
        leased = row("k1", lease_until=elsewhere)
        rows = leased, row("k2", RowStatus.CANCELLING, person="p1"), row("k3", RowStatus.BOOKED, person="p2")
        assert write(store, new(*rows)) == WRITTEN
        assert [one.key for one in backlog(store).rows] == ["k2"]
        clock.at += timedelta(minutes=5)
        assert [one.key for one in backlog(store).rows] == ["k1", "k2"]

    @pytest.mark.parametrize("status", list(RowStatus))
    def test_rows_that_may_come_back(self, status: RowStatus, make: Make) -> None:
        store = make(register())
        ended = row("k1", status, ended_at=START, lease_until=START + timedelta(9))
        certain = row("k2", status, course="c1", lease_until=START + timedelta(9))
        assert write(store, new(ended, certain)) == WRITTEN
        expected = ["k1"] if status in (RowStatus.CANCELLED, RowStatus.REFUSED) else []
        assert [one.key for one in backlog(store, ended=True).rows] == expected
        assert backlog(store).rows == ()

    def test_letters_that_are_due(self, make: Make) -> None:
        clock = Clock()
        store = make(register(), clock=clock)
        letters = (
            letter("k2", message_id="m2"),
            letter("k1", message_id="m1", due_at=START + timedelta(minutes=1)),
            letter("k1", message_id="m3", lease_until=START + timedelta(minutes=1)),
            letter("k1", message_id="m4", status=LetterStatus.SENT),
            letter("k1", message_id="m5", status=LetterStatus.DEAD),
        )
        writes = new(row(), letters=tuple(LetterWrite(letter=one, fence=None) for one in letters))
        assert write(store, writes) == WRITTEN
        assert [one.message_id for one in backlog(store).letters] == ["m2"]
        clock.at += timedelta(minutes=1)
        assert [one.message_id for one in backlog(store).letters] == ["m2", "m1", "m3"]

    def test_whose_turn_it_is(self, make: Make) -> None:
        store, until = make(register()), START + timedelta(minutes=9)
        assert write(store, Writes(run_by="a", run_until=until)) == WRITTEN
        assert (look(store).run_by, look(store).run_until) == ("a", until)
        assert write(store, Writes(run_by="b")) == WRITTEN
        assert look(store).run_by == "a"

    def test_the_last_night_is_the_latest(self, make: Make) -> None:
        store = make(register())
        for night in (ON, ON - timedelta(days=1)):
            assert write(store, Writes(night=night)) == WRITTEN
        assert backlog(store).last_night == ON


class TestS10Journal:
    """S10: each move of a row has its entry, from the status it had to the one it has."""

    @pytest.mark.parametrize(
        "entries",
        [
            (),
            (entry(row(status=RowStatus.BOOKED), None),),
            (entry(row(), RowStatus.PENDING),),
            (entry(row(), None), entry(row("k2"), None)),
            (entry(row(), None), entry(row(status=RowStatus.BOOKED), RowStatus.PENDING)),
        ],
    )
    def test_a_move_without_its_entries(self, entries: tuple[Entry, ...], make: Make) -> None:
        store = make(register())
        writes = Writes(rows=(RowWrite(row=row(), fence=None),), entries=entries)
        assert write(store, writes) == Refused("journal", final=False)
        assert look(store, "p0").rows == ()

    def test_several_moves_at_once(self, make: Make) -> None:
        store, booked = make(register()), row(status=RowStatus.BOOKED)
        entries = entry(row(), None), entry(booked, RowStatus.PENDING)
        assert write(store, Writes(rows=(RowWrite(row=booked, fence=None),), entries=entries)) == WRITTEN

    def test_what_is_no_move_needs_none(self, make: Make) -> None:
        store, first = make(register()), row(status=RowStatus.BOOKED)
        assert write(store, new(first)) == WRITTEN
        noted = evolve(first, invited_at=START)
        assert write(store, Writes(rows=(RowWrite(row=noted, fence=0),))) == WRITTEN
        assert look(store, "p0").rows == (noted,)


# Whatever is asked, in whatever order

KEYS, PEOPLE, COURSES = ("k1", "k2", "k3"), ("p0", "p1"), ("c0", "c1")
INSTANTS = tuple(
    (START + timedelta(minutes=minutes)).astimezone(timezone(timedelta(hours=hours)))
    for minutes in (-1, 0, 1, 60)
    for hours in (0, 5, -11)
)
instants = st.none() | st.sampled_from(INSTANTS)

drawn_rows = st.builds(
    Row,
    key=st.sampled_from(KEYS),
    account=st.just("acme"),
    person=st.sampled_from(PEOPLE),
    course=st.sampled_from(COURSES),
    cycle=st.sampled_from([None, "first", "2025-12-20"]),
    attempt=st.integers(0, 2),
    status=st.sampled_from(RowStatus),
    because=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    credits=st.integers(0, 3),
    fence=st.integers(0, 2),
    lease_until=instants,
    sent_at=instants,
    ref=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    enrolled_at=st.sampled_from(INSTANTS),
    invited_at=instants,
    ended_on=st.none() | st.dates(),
    ended_at=instants,
)
drawn_letters = st.builds(
    letter,
    key=st.sampled_from(KEYS),
    message_id=st.sampled_from(["m1", "m2"]),
    content=st.binary(max_size=8),
    status=st.sampled_from(LetterStatus),
    tries=st.integers(0, 2),
    fence=st.integers(0, 2),
    lease_until=instants,
    due_at=instants,
    detail=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


_OPEN = {status.value for status in OPEN_ROWS}


class StoresAlike(RuleBasedStateMachine):
    """The store in a file beside the reference model in memory: the same answers, and the same is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=SHM, ignore_cleanup_errors=True)
        self.clock = Clock()
        self.model = MemoryStore(clock=self.clock)
        self.store = SqliteStore(Path(self.folder.name) / "store.db", clock=self.clock)

    @initialize(credits=st.sampled_from([None, 0, 1, 3, 5]))
    def take_over(self, credits: int | None) -> None:
        whole = register(credits=credits)
        self.model.put(whole)
        assert self.store.put(whole) == Done(None)

    @rule(
        rows=st.lists(drawn_rows, max_size=3, unique_by=lambda one: one.key),
        letters=st.lists(drawn_letters, max_size=2, unique_by=lambda one: one.message_id),
        honest=st.sampled_from([True, True, True, False]),
        spent=st.sampled_from([0, 0, 0, 1]),
        night=st.none() | st.dates(ON, ON + timedelta(days=3)),
        people=st.lists(st.sampled_from(PEOPLE), unique=True),
    )
    def transact(
        self, rows: list[Row], letters: list[Letter], honest: bool, spent: int, night: date | None, people: list[str]
    ) -> None:
        known = {one.key: one for one in self.model.rows("acme")}
        rows = [self._of_whom_it_is(one) for one in rows]
        before = {one.message_id: one for one in self.model.letters("acme")}
        writes = Writes(
            rows=tuple(
                RowWrite(row=one, fence=known[one.key].fence if one.key in known else None) if honest
                else RowWrite(row=one, fence=one.fence)
                for one in rows
            ),
            letters=tuple(
                LetterWrite(letter=one, fence=before[one.message_id].fence if one.message_id in before else None)
                if honest else LetterWrite(letter=one, fence=one.fence)
                for one in letters
            ),
            entries=tuple(
                entry(one, known[one.key].status if one.key in known else None)
                for one in rows
                if not honest or one.key not in known or known[one.key].status is not one.status
            ),
            spent=spent,
            night=night,
        )  # fmt: skip
        said = [store.transact("acme", people, lambda desk: (writes, desk)) for store in (self.model, self.store)]
        assert said[0] == said[1]

    @rule(
        credits=st.sampled_from([None, 3, 9]),
        rows=st.lists(drawn_rows, max_size=3, unique_by=lambda one: one.key),
    )
    def a_newer_register(self, credits: int | None, rows: list[Row]) -> None:
        enrolments = [enrolment_of(self._of_whom_it_is(one)) for one in rows]
        opened = {(one.key, one.person, one.course) for one in self.model.rows("acme") if one.open}
        opened |= {(one.id, one.person, one.course) for one in enrolments if one.status.value in _OPEN}
        if max(Counter(opened_by[1:] for opened_by in opened).values(), default=0) > 1:
            return  # what is beside another is the file's own affair
        newer = evolve(register(credits=credits), enrolments=tuple(enrolments))
        self.model.put(newer)
        assert self.store.put(newer) == Done(None)

    def _of_whom_it_is(self, row: Row) -> Row:
        """A row of the person and the course it has been of, if it is there: those never change."""
        known = next((one for one in self.model.rows("acme") if one.key == row.key), row)
        return evolve(row, person=known.person, course=known.course)

    @rule(minutes=st.sampled_from([1, 59]))
    def time_goes_by(self, minutes: int) -> None:
        self.clock.at += timedelta(minutes=minutes)

    @rule()
    def opened_again(self) -> None:
        self.store.close()

    @rule(ended=st.booleans())
    def left_behind(self, ended: bool) -> None:
        assert self.store.backlog("acme", ended) == self.model.backlog("acme", ended)

    @invariant()
    def the_same_is_kept(self) -> None:
        assert self.store.snapshot("acme") == self.model.snapshot("acme")
        assert self.store.rows("acme") in (Done(self.model.rows("acme")), UNKNOWN)
        assert self.store.letters("acme") in (Done(self.model.letters("acme")), UNKNOWN)
        assert self.store.journal("acme") in (Done(self.model.journal("acme")), UNKNOWN)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


UNKNOWN = Refused("no-file", final=False, everything=True)
"""Before the first register."""
SHM = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Durability is not what is tried here, and waiting for a disk is slow."""

TestStoresAlike = StoresAlike.TestCase
TestStoresAlike.settings = settings(max_examples=30, stateful_step_count=15)
