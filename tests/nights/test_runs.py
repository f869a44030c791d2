"""What a run does with answers that are not a plain yes, told apart: which stop it, which cost somebody a turn."""

import json
import logging
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from drivers import ASYNC, SYNC
from enrolpolicy import (
    Assignment,
    Cancel,
    Enrolment,
    EnrolmentStatus,
    Level,
    Origin,
    Role,
    Snapshot,
    TrainingRecord,
    cancel,
    plan,
)
from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer, MemoryStore
from enrolpolicy.guarantees import PromiseTooWeak, Weakness
from enrolpolicy.plans import Enrol, Invite
from enrolpolicy.ports import Cancelled, Done, Invitation, Refused, Trouble, Unknown, Writes
from enrolpolicy.reports import Fate, Report
from enrolpolicy.rows import ARROWS, LetterStatus, NoSuchMove, Row, RowStatus, follow_arrow
from enrolpolicy.runner import driving, effects
from enrolpolicy.runner.driving import Ports, Terms, act, run_night
from enrolpolicy.testing.builders import ROLE, course, person, register

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
ACCOUNT = register().account.id


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


class Answering:
    """A port in which some methods answer something else, as often as there are answers for them."""

    def __init__(self, port: Any, **answers: Sequence[object]) -> None:
        self._port = port
        self._answers = {name: list(those) for name, those in answers.items()}
        self.asked: list[tuple[str, tuple[object, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def asked(*arguments: object) -> object:
            self.asked.append((name, arguments))
            if self._answers.get(name):
                return self._answers[name].pop(0)
            return found(*arguments)

        return asked


@frozen(kw_only=True)
class Night:
    """A store, an LMS and a mailer in memory, with a clock, and other answers where they are wanted."""

    store: Any
    lms: Any
    mailer: Any
    clock: Clock

    def run(self, *, follow: bool = False, **terms: Any) -> Report:
        settings = Terms(**({"compose": lambda invitation: invitation.key.encode()} | terms))
        ports = Ports(store=self.store, lms=self.lms, mailer=self.mailer)
        return run_night(ACCOUNT, ports=ports, terms=settings, at=self.clock.at, follow=follow)

    def act(self, *actions: Any, **terms: Any) -> Report:
        settings = Terms(**({"compose": lambda invitation: invitation.key.encode()} | terms))
        ports = Ports(store=self.store, lms=self.lms, mailer=self.mailer)
        return act(ACCOUNT, actions, ports=ports, terms=settings, at=self.clock.at)

    def snapshot(self) -> Snapshot:
        said = self.store.snapshot(ACCOUNT)
        assert isinstance(said, Done)
        assert isinstance(said.value, Snapshot)
        return said.value

    def statuses(self) -> list[RowStatus]:
        return [row.status for row in self.store.rows(ACCOUNT)]


def night(snapshot: Snapshot | None = None, lms: Any = None, mailer: Any = None, **answers: Sequence[object]) -> Night:
    """A night of a register; `answers` are the LMS's."""
    clock = Clock()
    store = MemoryStore(snapshot or register(person("ana"), person("bo"), credits=5), clock=clock)
    mailer = mailer or MemoryMailer(clock=clock)
    return Night(store=store, lms=Answering(lms or MemoryLms(clock=clock), **answers), mailer=mailer, clock=clock)


@pytest.fixture(scope="module", autouse=True, params=[SYNC, ASYNC], ids=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Iterator[None]:
    """All of it, driven in both ways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[__name__], "run_night", request.param.run_night)
        patch.setattr(sys.modules[__name__], "act", request.param.act)
        yield


BUSY = Refused("busy", final=False)
LATER = timedelta(hours=1)


class TestRefusals:
    """A final refusal ends the row, and the policy waits; one that is not final leaves it, under its key, for the next
    run; one of everything stops the run, and costs nobody anything."""

    def test_final(self) -> None:
        here = night(enrol=[Refused("no-seat")])
        assert [row.detail for row in here.run().of(Fate.FAILED)] == ["no-seat"]
        assert sorted(status.value for status in here.statuses()) == ["booked", "refused"]
        assert here.run().outcomes == ()
        here.clock.at += timedelta(days=1)
        assert [row.act for row in here.run().of(Fate.DONE)] == ["enrol", "mail"]
        attempts = {order.attempt for order, _ in here.lms._port.bookings() if order.person == "ana"}
        assert attempts == {1}

    def test_not_final(self) -> None:
        here = night(enrol=[BUSY])
        assert [row.detail for row in here.run().of(Fate.IN_DOUBT)] == ["busy"]
        here.clock.at += LATER
        assert [row.act for row in here.run().of(Fate.DONE)] == ["enrol", "mail"]
        assert {order.attempt for order, _ in here.lms._port.bookings()} == {0}

    def test_of_everything(self) -> None:
        here = night(enrol=[Refused("unauthorised", everything=True)])
        report = here.run()
        assert report.stopped == "the lms refuses everything: unauthorised"
        assert not report.clean
        assert here.lms._port.bookings() == ()
        here.clock.at += LATER
        assert here.run().clean
        assert {order.attempt for order, _ in here.lms._port.bookings()} == {0}


class TestTheRowInBetween:
    """A claim has fence 1, a lease, its credit, and when the LMS was asked; unanswered, it stays as it is.
    Whoever takes it over, once the lease is over, raises the fence; what is settled has no lease."""

    LEASE = timedelta(minutes=7)

    def test_from_claim_to_booking(self) -> None:
        here = night(register(person("ana"), credits=5), enrol=[Unknown("no answer")] * 2)
        here.run(lease=self.LEASE)
        [claimed] = here.store.rows(ACCOUNT)
        assert (claimed.status, claimed.fence, claimed.credits) == (RowStatus.PENDING, 1, 1)
        assert (claimed.lease_until, claimed.sent_at, claimed.asked_at) == (AT + self.LEASE, AT, AT)
        assert (claimed.ref, claimed.invited_at, here.store.letters(ACCOUNT)) == (None, None, ())
        here.clock.at += self.LEASE - timedelta(seconds=1)
        assert here.run(lease=self.LEASE).outcomes == ()
        assert here.store.rows(ACCOUNT) == (claimed,)
        here.clock.at = later = AT + self.LEASE
        here.run(lease=self.LEASE)
        [taken] = here.store.rows(ACCOUNT)
        assert taken == evolve(claimed, fence=2, lease_until=later + self.LEASE, asked_at=later)
        here.clock.at = later = later + self.LEASE
        assert here.run(lease=self.LEASE).clean
        [booked] = here.store.rows(ACCOUNT)
        assert (booked.status, booked.fence, booked.lease_until) == (RowStatus.BOOKED, 3, None)
        assert (booked.sent_at, booked.asked_at, booked.invited_at) == (AT, later, later)
        moves = [(entry.was, entry.now, entry.because) for entry in here.store.journal(ACCOUNT)]
        pending, taken_over = RowStatus.PENDING, (RowStatus.PENDING, RowStatus.PENDING, "taken-over")
        assert moves == [
            (None, pending, "expiring"),
            taken_over,
            taken_over,
            (pending, RowStatus.BOOKED, "booked"),
        ]

    @pytest.mark.parametrize(
        ("age", "asked"),
        [
            (timedelta(hours=23, minutes=58, seconds=59), ["enrol"]),
            (timedelta(hours=23, minutes=59), ["find", "enrol"]),
            (timedelta(days=3), ["find", "enrol"]),
        ],
    )
    def test_a_key_that_is_kept_for_a_day(self, age: timedelta, asked: list[str]) -> None:
        """It is sent again while the LMS still knows it when the longest call ends; then it is looked up first."""
        here = night(register(person("ana"), credits=5), enrol=[Unknown("no answer")])
        here.lms._port.capabilities = evolve(
            STRONG, keys_kept=timedelta(days=1), latest_arrival=timedelta(hours=1), longest_call=timedelta(minutes=1)
        )
        here.run()
        here.lms.asked.clear()
        here.clock.at = AT + age
        assert here.run().clean
        assert [method for method, _ in here.lms.asked if method != "check"] == asked

    def test_a_letter(self) -> None:
        here = night(register(person("ana"), credits=5))
        mailer = Answering(here.mailer, send=[Unknown("no answer")])
        evolve(here, mailer=mailer).run(lease=self.LEASE)
        [begun] = here.store.letters(ACCOUNT)
        assert (begun.tries, begun.fence, begun.lease_until) == (1, 1, None)
        here.clock.at += LATER
        assert here.run(lease=self.LEASE).clean
        [sent] = here.store.letters(ACCOUNT)
        assert (sent.tries, sent.fence, sent.lease_until, sent.content) == (2, 2, None, begun.content)

    def test_rows_then_letters_then_the_plan(self) -> None:
        """A run settles what is unfinished first, then sends what is due, and only then plans."""
        whole = register(person("ana"), person("bo"), person("cy"), credits=5)
        here = night(evolve(whole, personnel=whole.personnel[:2]), enrol=[Unknown("no answer")])
        mailer = Answering(here.mailer, send=[Refused("not now", final=False)])
        evolve(here, mailer=mailer).run()
        here.store.put(evolve(whole, enrolments=here.snapshot().enrolments))
        here.clock.at += LATER
        assert [(row.act, row.person) for row in here.run().outcomes] == [
            ("enrol", "ana"),
            ("mail", "ana"),
            ("mail", "bo"),
            ("enrol", "cy"),
            ("mail", "cy"),
        ]


class TestLateRequests:
    """Where a request that arrives late can bring an ended enrolment back, its key is looked up until none can arrive
    any more. No new attempt is claimed before that, and one that came back beside another is left to a person."""

    BOUND = timedelta(days=3)
    LATE = evolve(STRONG, refusals_final=False, cancel_frees_key=True, latest_arrival=BOUND)
    ACCEPTED = frozenset({Weakness.LATE_REQUESTS})

    def refused(self, **weaker: Any) -> Night:
        here = night(register(person("ana"), credits=5))
        here.lms._port.capabilities = evolve(self.LATE, **weaker)
        here.lms._port.refusals["ana", "fire"] = "no-seat"
        assert [row.detail for row in here.run(accept=self.ACCEPTED).of(Fate.FAILED)] == ["no-seat"]
        here.lms._port.refusals.clear()
        return here

    @pytest.mark.parametrize("finds", [True, False])
    def test_no_new_attempt_before(self, finds: bool) -> None:
        here = self.refused(finds=finds)
        for _ in range(2):
            here.clock.at += timedelta(days=1)
            report = here.run(accept=self.ACCEPTED)
            assert [(row.act, row.fate, row.detail) for row in report.outcomes] == [("enrol", Fate.DROPPED, "cooling")]
            assert here.lms._port.bookings() == ()
        here.clock.at += timedelta(days=1)
        assert [row.act for row in here.run(accept=self.ACCEPTED).of(Fate.DONE)] == ["enrol", "mail"]
        assert sorted(status.value for status in here.statuses()) == ["booked", "refused"]

    def test_looked_up_until_then(self) -> None:
        here = self.refused()
        [row] = here.store.rows(ACCOUNT)
        for days, looked in enumerate([True, True, True, False], 1):
            here.clock.at = AT + timedelta(days=days)
            here.lms.asked.clear()
            here.run(accept=self.ACCEPTED)
            assert (("find", (row.key,)) in here.lms.asked) == looked, days

    def test_not_before_somebody_has_looked(self) -> None:
        """Where it can be looked up, time alone is not enough: what arrived last would be found only then."""
        here = self.refused()
        here.clock.at += self.BOUND
        silent = evolve(here, lms=Answering(here.lms, find=[Unknown("no answer")]))
        assert [row.detail for row in silent.run(accept=self.ACCEPTED).of(Fate.DROPPED)] == ["cooling"]
        assert [row.act for row in here.run(accept=self.ACCEPTED).of(Fate.DONE)] == ["enrol", "mail"]

    def test_it_came_back(self) -> None:
        """It is booked after all, and its person is invited."""
        here = self.refused()
        [row] = here.store.rows(ACCOUNT)
        here.lms._port.enrol(effects._order(row))
        here.clock.at += LATER
        assert [(one.act, one.fate) for one in here.run(accept=self.ACCEPTED).outcomes] == [
            ("enrol", Fate.DONE),
            ("mail", Fate.DONE),
        ]
        assert [(one.key, one.status) for one in here.store.rows(ACCOUNT)] == [(row.key, RowStatus.BOOKED)]

    def test_it_came_back_beside_another(self) -> None:
        here = self.refused()
        [row] = here.store.rows(ACCOUNT)
        by_hand = Enrolment(
            id="by-hand",
            person="ana",
            course="fire",
            origin=Origin.MANUAL,
            status=EnrolmentStatus.BOOKED,
            enrolled_at=AT,
        )
        known = here.snapshot()
        here.store.put(evolve(known, enrolments=(*known.enrolments, by_hand)))
        here.lms._port.enrol(effects._order(row))
        for _ in range(2):
            here.clock.at += LATER
            [told] = here.run(accept=self.ACCEPTED).of(Fate.IN_DOUBT)
            assert (told.key, told.detail) == (row.key, "made-twice-by-a-late-request")
        assert {one.key: one.status for one in here.store.rows(ACCOUNT)} == {
            "by-hand": RowStatus.BOOKED,
            row.key: RowStatus.REFUSED,
        }


class TestPatience:
    """After so many calls in a row without an answer the LMS is left alone; an answer in between counts anew."""

    @given(st.lists(st.booleans(), max_size=12), st.integers(1, 4))
    def test_in_a_row(self, silent: list[bool], patience: int) -> None:
        people = [person(f"p{number:02}") for number in range(12)]
        answers = [Unknown("no answer") if row else None for row in silent]
        here = night(register(*people, credits=50))
        port = here.lms._port
        calls = iter(answers)

        def enrol(order: Any) -> object:
            return next(calls, None) or port.enrol(order)

        here.lms.enrol = enrol
        report = here.run(patience=patience, batch=3)
        longest = max((len(run) for run in "".join("x" if row else " " for row in silent).split()), default=0)
        assert (report.stopped is not None) == (longest >= patience)
        in_doubt = [row for row in report.of(Fate.IN_DOUBT) if row.act == "enrol"]
        assert len(in_doubt) <= sum(silent)


class TestPatienceWithTheStore:
    """A store whose commits nobody confirms is left alone after so many in a row, and no other."""

    @given(st.lists(st.booleans(), max_size=30), st.integers(1, 4))
    def test_in_a_row(self, silent: list[bool], patience: int) -> None:
        here = night(register(*[person(f"p{number:02}") for number in range(12)], credits=50))
        store, asked = here.store, list[bool]()

        def transact(account: str, people: Sequence[str], work: Any) -> object:
            if not people:
                return store.transact(account, people, work)  # whose turn it is, and that the night is over
            asked.append(bool(silent[len(asked) : len(asked) + 1] == [True]))
            return Unknown("not confirmed") if asked[-1] else store.transact(account, people, work)

        deaf: Any = Answering(store)
        deaf.transact = transact
        stopped = evolve(here, store=deaf).run(patience=patience, batch=1).stopped
        told = "".join("x" if row else " " for row in asked).split()
        assert max(map(len, told), default=0) <= patience
        said = f"the store did not answer {patience} times in a row"
        assert stopped == (said if told and len(told[-1]) == patience else None)

    def test_for_ever(self) -> None:
        """A thousand people, and no more transactions than patience allows."""
        here = night(register(*[person(f"p{number:03}") for number in range(1000)], credits=1000))
        deaf: Any = Answering(here.store)
        calls: list[object] = []

        def transact(account: str, people: Sequence[str], work: Any) -> object:
            calls.append(people)
            return Unknown("not confirmed") if people else here.store.transact(account, people, work)

        deaf.transact = transact
        report = evolve(here, store=deaf).run()
        assert report.stopped == "the store did not answer 5 times in a row"
        assert len(calls) == 1 + 5
        assert here.statuses() == []


class TestThePreflight:
    """What the LMS's check says is said before anything is done: of one course, only that one is left alone."""

    def test_of_one_course(self) -> None:
        missing = Trouble(code="unknown-course", about="fire", message="publish it there")
        snapshot = register(person("ana"), courses=(course("fire"), course("first-aid")), credits=5)
        here = night(snapshot, check=[Done((missing,))])
        report = here.run()
        assert [(row.course, row.detail) for row in report.of(Fate.FAILED)] == [("fire", "unknown-course")]
        assert [row.course for row in here.store.rows(ACCOUNT)] == ["first-aid"]

    def test_of_all(self) -> None:
        missing = Trouble(code="no-rights", about="", message="give the token the right to enrol")
        here = night(check=[Done((missing,))])
        assert here.run().stopped == "the lms cannot be used: no-rights; give the token the right to enrol"
        assert here.statuses() == []

    @pytest.mark.parametrize("answer", [Unknown("no answer"), Refused("unauthorised"), Done("nonsense"), None])
    def test_not_passed(self, answer: object) -> None:
        here = night(check=[answer])
        stopped = here.run().stopped
        assert stopped is not None
        assert "did not pass its check" in stopped
        assert here.statuses() == []


class TestLetters:
    """A letter is tried again with growing pauses, a bounded number of times; one that was not begun costs no try; one
    that is refused for good is given up, and the enrolment stays."""

    def one(self, *answers: object) -> Night:
        clock = Clock()
        mailer = Answering(MemoryMailer(clock=clock), send=answers)
        store = MemoryStore(register(person("ana"), credits=5), clock=clock)
        return Night(store=store, lms=MemoryLms(clock=clock), mailer=mailer, clock=clock)

    def test_not_now(self) -> None:
        here = self.one(*[BUSY] * 3)
        pauses = []
        for _ in range(4):
            here.run(tries=4)
            [letter] = here.store.letters(ACCOUNT)
            if letter.due_at is not None and letter.status is LetterStatus.PENDING:
                pauses.append(letter.due_at - here.clock.at)
                here.clock.at = letter.due_at - timedelta(seconds=1)
                assert [(row.act, row.fate) for row in here.run(tries=4).outcomes] == [("invite", Fate.FAILED)]
                here.clock.at = letter.due_at
        assert pauses == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4)]
        assert letter.status is LetterStatus.SENT
        assert len(here.mailer._port.inbox) == 1

    def test_too_often(self) -> None:
        here = self.one(*[BUSY] * 9)
        for _ in range(6):
            here.run(tries=2)
            here.clock.at += timedelta(days=1)
        [letter] = here.store.letters(ACCOUNT)
        assert (letter.status, letter.detail, letter.tries) == (LetterStatus.DEAD, "tried-too-often", 2)
        assert here.statuses() == [RowStatus.BOOKED]

    def test_for_good(self) -> None:
        here = self.one(Refused("no-such-address"))
        assert [row.detail for row in here.run().of(Fate.FAILED)] == ["no-such-address"]
        assert here.statuses() == [RowStatus.BOOKED]
        again = here.run()
        assert [(row.act, row.fate, row.detail) for row in again.outcomes] == [
            ("invite", Fate.FAILED, "no-such-address")
        ]

    @pytest.mark.parametrize("email", [None, "ana at acme", "ana@acme"])
    def test_an_address_that_is_lost_meanwhile(self, email: str | None) -> None:
        """Whoever cannot be written to any more is booked, and gets the letter when there is an address again."""
        here = night(register(person("ana"), credits=5))
        port, known = here.lms._port, here.snapshot()

        def enrol(order: Any) -> object:
            here.store.put(evolve(known, personnel=(person("ana", email=email),)))
            return port.enrol(order)

        here.lms.enrol = enrol
        assert [(row.act, row.fate) for row in here.run().outcomes] == [("enrol", Fate.DONE)]
        assert here.store.letters(ACCOUNT) == ()
        assert here.run().outcomes == ()
        here.store.put(evolve(here.snapshot(), personnel=known.personnel))
        assert [(row.act, row.fate) for row in here.run().outcomes] == [("mail", Fate.DONE)]
        assert [message.recipient for message in here.mailer.inbox] == ["ana@acme.example"]

    def test_what_it_is_written_from(self) -> None:
        """Whom, on what, because of which rule, until when, and who asks for it: the names of roles, and no others."""
        whole = register(person("ana", name="Ana Bird", roles=[ROLE, "guest"]), credits=5)
        roles = tuple(evolve(role, name="Fire warden") for role in whole.roles), Role(id="guest", name="Guest")
        asked = Assignment(person="ana", course="fire", level=Level.REQUIRED)
        known = evolve(whole, roles=(*roles[0], roles[1]), assignments=(asked,))
        here, written = night(known), list[Invitation]()

        def compose(invitation: Invitation) -> bytes:
            written.append(invitation)
            return b"letter"

        here.run(compose=compose)
        [row] = here.store.rows(ACCOUNT)
        [letter] = here.store.letters(ACCOUNT)
        assert written == [
            Invitation(
                message_id=letter.message_id,
                account=ACCOUNT,
                key=row.key,
                person="ana",
                name="Ana Bird",
                recipient="ana@acme.example",
                course="fire",
                course_name="",
                because="expiring",
                expires_on=known.records[0].expires_on,
                asked_by=("Fire warden",),
                at=AT,
            )
        ]

    def test_taken_over_while_it_was_sent(self) -> None:
        """A run that was slower than its lease does not say what became of a letter that another one has."""
        here = night(register(person("ana"), credits=5))
        port, lease = here.mailer, timedelta(minutes=5)

        def slow(message: Any) -> object:
            here.clock.at += lease
            greylisted = Answering(port, send=[Refused("greylisted", final=False)])
            ports = Ports(store=here.store, lms=here.lms, mailer=greylisted)
            terms = Terms(compose=lambda invitation: b"another", lease=lease)
            driving.run_night(ACCOUNT, ports=ports, terms=terms, at=here.clock.at)
            return Refused("no-such-address")

        here.mailer.send = slow
        told = here.run(lease=lease).outcomes
        assert [(row.act, row.fate, row.detail) for row in told] == [
            ("enrol", Fate.DONE, ""),
            ("mail", Fate.ALREADY, "taken-over"),
        ]
        [letter] = here.store.letters(ACCOUNT)
        assert (letter.status, letter.tries, letter.detail) == (LetterStatus.PENDING, 2, "greylisted")

    def test_a_new_address_is_a_new_letter(self) -> None:
        here = self.one(Refused("no-such-address"))
        here.run()
        moved = evolve(here.store.register(ACCOUNT), personnel=(person("ana", email="ana@new.example"),))
        here.store.put(moved)
        assert here.run().clean
        assert [message.recipient for message in here.mailer._port.inbox] == ["ana@new.example"]

    def test_the_mailer_takes_nothing(self) -> None:
        here = self.one(*[Refused("unreachable", final=False, everything=True)] * 20)
        for _ in range(12):
            report = here.run(tries=2)
            here.clock.at += LATER
        assert report.stopped == "the mailer refuses everything: unreachable"
        [letter] = here.store.letters(ACCOUNT)
        assert (letter.status, letter.tries) == (LetterStatus.PENDING, 0)

    @pytest.mark.parametrize(("accept", "mails"), [(frozenset(), 2), ({Weakness.AT_MOST_ONE_INVITATION}, 1)])
    def test_in_doubt(self, accept: frozenset[Weakness], mails: int) -> None:
        """Over SMTP: sent again, unless the host would rather have it given up."""
        clock = Clock()
        mailer = MemoryMailer(clock=clock)
        here = self.one()
        answers: list[Callable[[Any], object]] = [lambda message: (mailer.send(message), Unknown("line lost"))[1]]
        here.mailer.send = lambda message: answers.pop()(message) if answers else mailer.send(message)
        here.run(accept=accept)
        here.clock.at += LATER
        here.run(accept=accept)
        assert len(mailer.inbox) == mails
        assert len({message.content for message in mailer.inbox}) == 1

    def test_dropped_and_wanted_again(self) -> None:
        """A letter that was dropped while its booking was being cancelled is sent when the LMS would not cancel it."""
        here = self.one(Refused("unreachable", final=False, everything=True))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        asked = cancel(here.snapshot(), row.key)
        assert isinstance(asked, Cancel)
        unsure = Answering(here.lms, cancel_if_not_started=[Unknown("no answer"), Refused("not-allowed")])
        evolve(here, lms=unsure).act(asked)
        assert {one.fate for one in here.run().outcomes} == {Fate.DROPPED}
        here.clock.at += LATER
        fates = [(one.act, one.fate) for one in evolve(here, lms=unsure).run().outcomes]
        assert fates == [("cancel", Fate.FAILED), ("mail", Fate.DONE)]
        assert here.statuses() == [RowStatus.BOOKED]
        assert len(here.mailer._port.inbox) == 1
        assert here.run().outcomes == ()

    def test_not_sent_is_not_invited_already(self) -> None:
        """While the mailer takes nothing, no run says of anybody that they have been invited."""
        here = self.one(*[Refused("unreachable", final=False, everything=True)] * 2)
        here.run()
        report = here.run()
        assert {(one.act, one.fate, one.detail) for one in report.outcomes} == {
            ("mail", Fate.FAILED, "unreachable"),
            ("invite", Fate.FAILED, "unreachable"),
        }
        assert here.run().clean

    def test_it_cannot_be_written(self) -> None:
        here = self.one()
        here.run(compose=lambda _: Refused("bad-address"))
        [letter] = here.store.letters(ACCOUNT)
        assert (letter.status, letter.detail, letter.content) == (LetterStatus.DEAD, "bad-address", b"")
        assert here.mailer._port.inbox == []


class TestABookingThatGoesWithTheRegister:
    """A letter on its way to somebody whose booking has left the register meanwhile is no trouble to the others."""

    def test_its_letter(self) -> None:
        booked = [
            Enrolment(id=f"e-{id}", person=id, course="fire", cycle="2025-12-13", status=EnrolmentStatus.BOOKED,
                      origin=Origin.AUTO, enrolled_at=AT)
            for id in ("ana", "bo")
        ]  # fmt: skip
        whole = register(person("ana"), person("bo"), credits=5, enrolments=booked)
        here = night(whole)

        def send(_: Any) -> Done[None]:
            here.store.put(evolve(whole, enrolments=tuple(booked[1:])))
            return Done(None)

        here.mailer.send = send
        assert [(row.person, row.fate) for row in here.run().outcomes if row.act == "mail"] == [
            ("ana", Fate.ALREADY),
            ("bo", Fate.DONE),
        ]
        assert [letter.status for letter in here.store.letters(ACCOUNT)] == [LetterStatus.DROPPED, LetterStatus.SENT]


class TestOneStopsNobodyElse:
    """A transaction the store refuses is made again for each row by itself, and only the row that breaks it is left."""

    def test_in_a_batch(self) -> None:
        here = night(register(*(person(f"p{n}") for n in range(5)), credits=9))
        store = here.store

        def transact(account: str, people: Sequence[str], work: Any) -> object:
            return Refused("open", final=False) if "p2" in people else store.transact(account, people, work)

        picky: Any = Answering(store)
        picky.transact = transact
        report = evolve(here, store=picky).run()
        assert [row.person for row in report.of(Fate.IN_DOUBT)] == ["p2"]
        assert sorted(row.person for row in store.rows(ACCOUNT)) == ["p0", "p1", "p3", "p4"]


class TestABackUpIsRestored:
    """The store goes back to how it was before some transaction of a night, and the LMS does not: keys are derived, so
    the next run finds everybody's booking there under the key that it asks for."""

    @pytest.mark.parametrize("batch", [1, 5])
    def test_nobody_is_enrolled_twice(self, batch: int) -> None:
        people = [person(name) for name in ("ana", "bo", "cy")]
        for lost in range(3 if batch > 1 else 9):
            here = night(register(*people, credits=5))
            store, kept, left = here.store, MemoryStore(clock=here.clock), [lost]

            def transact(
                account: str, those: Sequence[str], work: Any, store: Any = store, kept: Any = kept, left: Any = left
            ) -> object:
                if those and left[0] == 0:
                    desk = store.transact(account, ["ana", "bo", "cy"], lambda desk: (Writes(), desk))
                    kept.take_over(desk.value, None)
                left[0] -= bool(those)
                return store.transact(account, those, work)

            backed_up: Any = Answering(store)
            backed_up.transact = transact
            assert evolve(here, store=backed_up).run(batch=batch).clean
            bookings = here.lms._port.bookings()
            assert len(bookings) == 3
            here.clock.at += LATER
            assert evolve(here, store=kept).run().clean
            assert here.lms._port.bookings() == bookings
            assert [row.status for row in kept.rows(ACCOUNT)] == [RowStatus.BOOKED] * 3
            assert len({message.content for message in here.mailer.inbox}) == 3


class TestWhatPeopleDo:
    """`follow` writes down who has started and who has completed, once; starting spends the credit."""

    def test_start_and_complete(self) -> None:
        here = night(register(person("ana"), credits=5))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        assert here.run(follow=True).outcomes == ()
        here.lms._port.start(row.key)
        assert [(one.act, one.detail) for one in here.run(follow=True).outcomes] == [("follow", "in-progress")]
        assert here.snapshot().account.credits == 4
        here.lms._port.complete(row.key)
        assert [(one.act, one.detail) for one in here.run(follow=True).outcomes] == [("follow", "completed")]
        assert here.snapshot().account.credits == 4
        [row] = here.store.rows(ACCOUNT)
        assert (row.status, row.ended_on) == (RowStatus.COMPLETED, AT.date())
        assert here.run(follow=True).outcomes == ()

    def test_completed_at_once(self) -> None:
        here = night(register(person("ana"), credits=5))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        here.lms._port.complete(row.key)
        here.run(follow=True)
        assert here.snapshot().account.credits == 4


class TestCancellations:
    """Cancelled at the LMS, then in the store, and the credit is free again; what was started stays, and is told."""

    def booked(self) -> tuple[Night, Cancel]:
        here = night(register(person("ana"), credits=1))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        asked = cancel(here.snapshot(), row.key)
        assert isinstance(asked, Cancel)
        return here, asked

    def test_asked_for(self) -> None:
        here, asked = self.booked()
        assert [row.fate for row in here.act(asked, actor="kim").outcomes] == [Fate.DONE]
        [row] = here.store.rows(ACCOUNT)
        assert (row.status, row.ended_because) == (RowStatus.CANCELLED, "requested")
        assert here.store.journal(ACCOUNT)[-1].actor == "kim"
        assert [one.fate for one in here.act(asked).outcomes] == [Fate.ALREADY]
        assert here.run().outcomes == ()  # a cancellation lasts for its cycle

    def test_started_meanwhile(self) -> None:
        here, asked = self.booked()
        here.lms._port.start(asked.enrolment)
        assert [(row.fate, row.detail) for row in here.act(asked).outcomes] == [(Fate.FAILED, "in-progress")]
        assert here.statuses() == [RowStatus.IN_PROGRESS]
        assert here.snapshot().account.credits == 0

    def test_completed_meanwhile(self) -> None:
        here, asked = self.booked()
        here.lms._port.complete(asked.enrolment)
        assert [(row.fate, row.detail) for row in here.act(asked).outcomes] == [(Fate.FAILED, "completed")]
        assert here.statuses() == [RowStatus.COMPLETED]
        assert here.snapshot().account.credits == 0

    def test_refused(self) -> None:
        here, asked = self.booked()
        lms = Answering(here.lms, cancel_if_not_started=[Refused("not-allowed")])
        assert [row.detail for row in evolve(here, lms=lms).act(asked).outcomes] == ["not-allowed"]
        assert here.statuses() == [RowStatus.BOOKED]
        assert here.act(asked).clean

    @pytest.mark.parametrize(("said", "noted"), [(Cancelled.NOT_FOUND, "not-found"), (Cancelled.ALREADY, "requested")])
    def test_there_is_nothing_to_cancel(self, said: Cancelled, noted: str) -> None:
        """It is cancelled, for its cause; that the LMS knew of no enrolment stands in the journal."""
        here, asked = self.booked()
        lms = Answering(here.lms, cancel_if_not_started=[Done(said)])
        report = evolve(here, lms=lms).act(asked)
        assert [(row.fate, row.detail) for row in report.outcomes] == [(Fate.DONE, "requested")]
        [row] = here.store.rows(ACCOUNT)
        assert (row.status, row.ended_because) == (RowStatus.CANCELLED, "requested")
        assert [entry.because for entry in here.store.journal(ACCOUNT)][-2:] == ["requested", noted]
        assert here.run().outcomes == ()

    def test_unanswered(self) -> None:
        here, asked = self.booked()
        lms = Answering(here.lms, cancel_if_not_started=[Unknown("no answer")])
        assert [row.fate for row in evolve(here, lms=lms).act(asked).outcomes] == [Fate.IN_DOUBT]
        assert here.statuses() == [RowStatus.CANCELLING]
        assert [(row.fate, row.detail) for row in here.act(asked).outcomes] == [(Fate.ALREADY, "cancelling")]
        here.clock.at += LATER
        assert [(row.act, row.fate) for row in here.run().outcomes] == [("cancel", Fate.DONE)]

    def test_a_race_that_was_lost(self) -> None:
        """An LMS that cannot refuse what was started is looked at before and after; a start in between is told."""
        weak = evolve(STRONG, cancels_unstarted=False)
        here = night(register(person("ana"), credits=1), lms=MemoryLms(weak))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        asked = cancel(here.snapshot(), row.key)
        port = here.lms._port

        def cancelled(_: str) -> object:
            port.start(row.key)
            return Done(Cancelled.CANCELLED)  # as it says, and the person is in the course

        here.lms.cancel_if_not_started = cancelled
        report = here.act(asked)
        assert [outcome.detail for outcome in report.of(Fate.FAILED)] == ["lost-race", "in-progress"]
        assert here.statuses() == [RowStatus.IN_PROGRESS]


class TestArrows:
    """A row moves along the arrows only. Any other move is an error with a name, whatever Python leaves out, and leaves
    the row as it is."""

    @pytest.mark.parametrize("was", RowStatus)
    @pytest.mark.parametrize("now", RowStatus)
    def test_every_pair(self, was: RowStatus, now: RowStatus) -> None:
        row = Row(key="k", account=ACCOUNT, person="ana", course="fire", status=was, enrolled_at=Clock().at)
        if (was, now) in ARROWS:
            follow_arrow(row, now)
            return
        with pytest.raises(NoSuchMove, match=f"the row `k` does not go from `{was.value}` to `{now.value}`") as found:
            follow_arrow(row, now)
        again = pickle.loads(pickle.dumps(found.value))
        assert (type(again), str(again)) == (NoSuchMove, str(found.value))

    @pytest.mark.parametrize("batch", [1, 20])
    def test_in_a_run(self, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
        here = night()
        monkeypatch.delitem(ARROWS, (RowStatus.PENDING, RowStatus.BOOKED))
        report = here.run(batch=batch)
        assert {outcome.detail for outcome in report.of(Fate.IN_DOUBT)} == {"raised NoSuchMove"}
        assert {row.status for row in here.store.rows(ACCOUNT)} == {RowStatus.PENDING}
        monkeypatch.undo()
        here.clock.at += LATER
        assert here.run().clean
        assert here.statuses() == [RowStatus.BOOKED] * 2
        assert len(here.lms._port.bookings()) == 2

    def test_a_cancellation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        here = night(register(person("ana"), credits=1))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        asked = cancel(here.snapshot(), row.key)
        monkeypatch.delitem(ARROWS, (RowStatus.BOOKED, RowStatus.CANCELLING))
        assert [outcome.detail for outcome in here.act(asked).outcomes] == ["raised NoSuchMove"]
        assert here.statuses() == [RowStatus.BOOKED]


class TestPromises:
    """Below the default promise nothing is begun, until the host has accepted the weaker one by its name."""

    def test_refused(self) -> None:
        here = night(lms=MemoryLms(evolve(STRONG, keys_kept=None, finds=False)))
        with pytest.raises(PromiseTooWeak, match="accept `at-most-once` to run all the same") as caught:
            here.run()
        assert caught.value.missing == (Weakness.AT_MOST_ONCE,)
        assert here.statuses() == []
        assert here.run(accept={Weakness.AT_MOST_ONCE}).clean

    def test_one_run_at_a_time(self) -> None:
        weak = evolve(STRONG, keys_kept=None, latest_arrival=timedelta(minutes=5))
        here = night(lms=MemoryLms(weak))
        until = AT + timedelta(minutes=1)
        here.store._books[ACCOUNT].run_by, here.store._books[ACCOUNT].run_until = "another", until
        stopped = here.run(accept={Weakness.ONE_RUNNER}).stopped
        assert stopped is not None
        assert stopped.startswith(f"another run has the account until {until.isoformat()}")
        here.clock.at = until
        for _ in range(2):  # a run that comes to its end gives its turn back
            assert here.run(accept={Weakness.ONE_RUNNER}).clean

    @pytest.mark.parametrize("name", ["batch", "tries", "patience"])
    def test_terms_that_cannot_be(self, name: str) -> None:
        nothing: dict[str, Any] = {name: 0}
        with pytest.raises(ValueError, match=f"`{name}` must be 1 or more, not `0`"):
            night().run(**nothing)


class TestWhatIsLeftToAPerson:
    """With an LMS that knows neither keys nor look-up no more is begun than can be told apart: one at a time, whatever
    the batch, so that one who is not answered leaves one row to look up."""

    def test_one_row(self) -> None:
        nothing = evolve(STRONG, keys_kept=None, finds=False)
        here = night(register(person("ana"), person("bo"), credits=5), enrol=[Unknown("no answer")])
        here.lms._port.capabilities = nothing
        terms: dict[str, Any] = {"accept": frozenset({Weakness.AT_MOST_ONCE}), "batch": 20, "patience": 1}
        assert here.run(**terms).stopped is not None
        assert here.statuses() == [RowStatus.PENDING]
        here.clock.at += LATER
        here.run(**terms)
        assert sorted(status.value for status in here.statuses()) == ["booked", "held"]


class TestFactsThatChangeMeanwhile:
    """Between planning and claiming, and between asking and confirming, a fact may change."""

    def test_the_spread_holds_it_back(self) -> None:
        here = night(register(person("ana"), credits=5))
        tonight = plan(here.snapshot(), on=AT.date()).actions
        known = here.snapshot()
        here.store.put(evolve(known, account=evolve(known.account, spread_days=3650)))
        [dropped] = here.act(*tonight).outcomes
        assert (dropped.fate, dropped.detail) == (Fate.DROPPED, "spread")
        assert here.store.rows(ACCOUNT) == ()

    def test_a_withdrawal_whose_cause_is_gone(self) -> None:
        here = night(register(person("ana"), credits=5))
        here.run()
        known = here.snapshot()
        here.store.put(evolve(known, personnel=(person("ana", archived=True),)))
        tonight = plan(here.snapshot(), on=AT.date()).actions
        assert [type(action) for action in tonight] == [Cancel]
        here.store.put(known)
        [dropped] = here.act(*tonight).outcomes
        assert (dropped.act, dropped.fate, dropped.detail) == ("cancel", Fate.DROPPED, "person-archived")
        assert here.statuses() == [RowStatus.BOOKED]

    def test_an_invitation_that_has_gone_out(self) -> None:
        here = night(register(person("ana"), credits=5))
        here.run()
        [row] = here.store.rows(ACCOUNT)
        [dropped] = here.act(Invite(enrolment=row.key, person="ana", course="fire")).outcomes
        assert (dropped.act, dropped.fate, dropped.detail) == ("invite", Fate.DROPPED, "not-invited")

    def test_taken_elsewhere_while_it_was_asked_for(self) -> None:
        """What is confirmed and not wanted any more is cancelled at once, and nobody is invited to it."""
        here = night(register(person("ana"), credits=5))
        port, known = here.lms._port, here.snapshot()

        def enrol(order: Any) -> object:
            taken = TrainingRecord(person="ana", course="fire", completed_on=AT.date(), expires_on=date(2030, 1, 1))
            here.store.put(evolve(known, records=(*known.records, taken)))
            return port.enrol(order)

        here.lms.enrol = enrol
        assert [(row.act, row.fate, row.detail) for row in here.run().outcomes] == [
            ("enrol", Fate.DONE, "superseded"),
            ("cancel", Fate.DONE, "superseded"),
        ]
        assert here.statuses() == [RowStatus.CANCELLED]
        assert (here.store.letters(ACCOUNT), here.mailer.inbox) == ((), [])
        assert here.snapshot().account.credits == 5


class TestTheJournal:
    """An entry says under which settings it was decided: the account's and the course's, and no balance."""

    def test_settings(self) -> None:
        here = night(register(person("ana"), courses=[course("fire", name="Fire")], credits=5))
        here.run()
        found = [json.loads(entry.settings) for entry in here.store.journal(ACCOUNT)]
        assert [(one["course"]["id"], one["course"]["name"]) for one in found] == [("fire", "Fire")] * 2
        assert {one["account"]["id"] for one in found} == {ACCOUNT}
        assert all("credits" not in one["account"] for one in found)


class TestLogs:
    """What is logged names keys and codes, and nobody: no person, address, name, course or letter."""

    def test_a_night(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        people = person("canary-1", name="Canary Bird", email="canary@acme.example"), person("canary-2")
        here = night(register(*people, courses=[course("canary-course", name="Canary")], credits=1))
        mailer = Answering(here.mailer, send=[Refused("greylisted", final=False)])
        evolve(here, mailer=mailer).run()
        [row] = here.store.rows(ACCOUNT)
        here.clock.at += LATER
        here.run()
        assert f"enrol {row.key}: done" in caplog.text
        assert f"mail {row.key}: failed greylisted" in caplog.text
        assert "canary" not in caplog.text.lower()


class TestActions:
    """Some actions by themselves are carried out at once, each on the facts of now."""

    def test_the_plan_of_one_person(self) -> None:
        here = night()
        tonight = plan(here.snapshot(), on=AT.date(), people={"bo"})
        assert [row.person for row in here.act(*tonight.actions).of(Fate.DONE)] == ["bo", "bo"]
        assert here.run().of(Fate.ALREADY) == ()
        assert len(here.store.rows(ACCOUNT)) == 2

    def test_twice_in_one_go(self) -> None:
        here = night(register(person("ana"), credits=5))
        [enrol] = plan(here.snapshot(), on=AT.date()).actions
        assert isinstance(enrol, Enrol)
        report = here.act(enrol, enrol)
        assert [row.fate for row in report.outcomes if row.act == "enrol"] == [Fate.ALREADY, Fate.DONE]
        assert len(here.lms._port.bookings()) == 1

    def test_of_nobody_known(self) -> None:
        here = night()
        unknown = Invite(enrolment="gone", person="ana", course="fire")
        assert [(row.fate, row.detail) for row in here.act(unknown).outcomes] == [(Fate.DROPPED, "known")]
