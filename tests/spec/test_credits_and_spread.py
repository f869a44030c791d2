"""Rule 4: whom a balance that is too small pays for, and whom the spread holds back."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    Account,
    Assignment,
    Course,
    Deferred,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    Level,
    Origin,
    Person,
    Scope,
    Snapshot,
    TrainingRecord,
    enrolment_key,
    explain,
    plan,
)

ON = date(2026, 11, 23)


def course(id: str, cost: int = 1) -> Course:
    return Course(id=id, delivery=Delivery.IHASCO, auto_enrol=True, credit_cost=cost, scope=Scope.REQUIRED_AND_OPTIONAL)


def person(id: str) -> Person:
    return Person(id=id, email=f"{id}@acme.example", employment=Employment.EMPLOYEE)


def asked(person: str, course: str, level: Level = Level.REQUIRED) -> Assignment:
    return Assignment(person=person, course=course, level=level)


def expiring(person: str, course: str, left: int) -> TrainingRecord:
    return TrainingRecord(
        person=person, course=course, completed_on=ON - timedelta(340), expires_on=ON + timedelta(left)
    )


def snapshot(credits: int | None, *wanted: tuple[str, str, Level, int | None], **more: Any) -> Snapshot:
    """People who want courses: who, which, how strongly, and the days their record is valid yet (None: none)."""
    return Snapshot(
        account=Account(id="acme", credits=credits, auto_enrol_missing=True),
        courses=(course("a"), course("b"), course("dear", 3), course("free", 0)),
        personnel=tuple(map(person, sorted({who for who, *_ in wanted} | {"zed"}))),
        assignments=tuple(asked(who, what, level) for who, what, level, _ in wanted),
        records=tuple(expiring(who, what, left) for who, what, _, left in wanted if left is not None),
        **more,
    )


REQUIRED, OPTIONAL = Level.REQUIRED, Level.OPTIONAL


def served(it: Snapshot) -> set[tuple[str, str]]:
    return {(row.person, row.course) for row in plan(it, on=ON).enrolments}


# From the first served to the last.
RANKING: list[tuple[str, str, Level, int | None]] = [
    ("late", "a", REQUIRED, -3),
    ("soon", "a", REQUIRED, 2),
    ("soon", "b", REQUIRED, 2),
    ("then", "a", REQUIRED, 2),
    ("ana", "a", REQUIRED, 3),
    ("bo", "a", OPTIONAL, -4),
    ("cy", "a", OPTIONAL, 1),
    ("di", "b", REQUIRED, None),
    ("ed", "a", REQUIRED, None),
    ("al", "a", OPTIONAL, None),
]


class TestTheRanking:
    """Renewals before missing training; what is required before what is optional; what expires first; then by id."""

    @pytest.mark.parametrize("credits", range(len(RANKING) + 1))
    def test_served_in_that_order(self, credits: int) -> None:
        it = snapshot(credits, *reversed(RANKING))
        assert served(it) == {(who, what) for who, what, *_ in RANKING[:credits]}

    def test_those_who_wait_know_how_long_the_queue_is(self) -> None:
        waiting = {(row.person, row.course): row.shortfall for row in plan(snapshot(7, *RANKING), on=ON).deferred}
        assert waiting == {("di", "b"): 1, ("ed", "a"): 2, ("al", "a"): 3}


class TestWhatIsAvailable:
    """The balance, less what open bookings have reserved. A start has spent it; an ended one has given it back."""

    @pytest.mark.parametrize("origin", Origin)
    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_pending_and_booked_reserve(self, status: EnrolmentStatus, origin: Origin) -> None:
        row = Enrolment(
            id="e1", person="zed", course="dear", origin=origin, status=status,
            enrolled_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip
        it = snapshot(4, ("ana", "a", REQUIRED, 1), ("ana", "b", REQUIRED, 2), enrolments=(row,))
        reserves = status in (EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED)
        assert len(served(it)) == (1 if reserves else 2)
        just_enough = evolve(it, account=evolve(it.account, credits=2))
        for stranger in (evolve(row, person="nobody"), evolve(row, course="nothing")):
            assert len(served(evolve(just_enough, enrolments=(stranger,)))) == 2

    def test_a_cancellation_gives_back_nothing_within_its_plan(self) -> None:
        row = Enrolment(
            id="e1", person="zed", course="a", cycle="first", origin=Origin.AUTO, status=EnrolmentStatus.BOOKED,
            enrolled_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip
        tonight = plan(snapshot(1, ("ana", "a", REQUIRED, 1), enrolments=(row,)), on=ON)
        assert [action.because for action in tonight.cancellations] == ["no-longer-assigned"]
        assert tonight.enrolments == ()

    def test_not_metered(self) -> None:
        assert len(served(snapshot(None, *RANKING))) == len(RANKING)


class TestFreeCoursesAlwaysPass:
    """From the first that cannot be paid, all paid ones wait, cheaper ones too; free ones do not."""

    def test_the_cheaper_one_behind_waits_too(self) -> None:
        it = snapshot(
            2,
            ("ana", "dear", REQUIRED, 1),
            ("bo", "a", REQUIRED, 2),
            ("cy", "free", REQUIRED, 3),
            ("di", "b", OPTIONAL, 9),
        )
        tonight = plan(it, on=ON)
        assert {(row.person, row.course) for row in tonight.enrolments} == {("cy", "free")}
        assert [(row.person, row.shortfall) for row in tonight.deferred] == [("ana", 1), ("bo", 2), ("di", 3)]

    def test_below_nothing(self) -> None:
        assert served(snapshot(-5, ("ana", "free", REQUIRED, 1), ("ana", "a", REQUIRED, 2))) == {("ana", "free")}

    def test_an_explanation_says_how_much_is_short(self) -> None:
        found = explain(snapshot(0, ("ana", "a", REQUIRED, 1)), person="ana", course="a", on=ON)
        assert (found.outcome, found.reason) == ("deferred", "credits")
        assert found.sentence == "waits for credits: 1 more would be enough"


def spread(days: int, left: int, completed: int = 340) -> Snapshot:
    it = snapshot(None, ("ana", "a", REQUIRED, left))
    done = evolve(it.records[0], completed_on=ON - timedelta(completed))
    return evolve(it, records=(done,), account=evolve(it.account, spread_days=days))


class TestTheSpread:
    """A renewal waits for some days of its window, the same ones whenever one looks; never into its last week."""

    @given(st.integers(1, 60), st.integers(0, 30))
    def test_by_definition(self, days: int, left: int) -> None:
        it = spread(days, left)
        cycle = (ON - timedelta(340)).isoformat()
        digits = hashlib.sha256(f"4:acme,3:ana,1:a,{len(cycle)}:{cycle},1:0,".encode()).hexdigest()[:8]
        opens_on, expires_on = ON + timedelta(left - 30), ON + timedelta(left)
        until = min(opens_on + timedelta(int(digits, 16) % days), expires_on - timedelta(7))
        waits = (Deferred(person="ana", course="a", cycle=cycle, because="spread", until=until),)
        assert plan(it, on=ON).deferred == (waits if until > ON else ())

    @given(st.integers(1, 3650), st.integers(0, 7))
    def test_never_in_the_last_week(self, days: int, left: int) -> None:
        assert plan(spread(days, left), on=ON).deferred == ()

    @pytest.mark.parametrize("left", [None, -1, -80])
    def test_never_for_the_missing_or_the_expired(self, left: int | None) -> None:
        it = snapshot(None, ("ana", "a", REQUIRED, left))
        assert served(evolve(it, account=evolve(it.account, spread_days=3650))) == {("ana", "a")}

    def test_before_credits_are_given_out(self) -> None:
        it = snapshot(1, ("ana", "a", REQUIRED, 29), ("bo", "a", OPTIONAL, 3))
        assert served(it) == {("ana", "a")}
        assert served(evolve(it, account=evolve(it.account, spread_days=3650))) == {("bo", "a")}

    def test_an_explanation_says_until_when(self) -> None:
        found = explain(spread(3650, 30), person="ana", course="a", on=ON)
        assert found.deferred is not None
        assert (found.outcome, found.reason) == ("deferred", "spread")
        assert found.sentence == f"held until {found.deferred.until}, so that not everybody is booked on one night"
        assert found.next_check_on == found.deferred.until


class TestTheIdentityOfAnEnrolment:
    """Account, person, course, cycle and attempt, and nothing else; another algorithm would enrol everybody again."""

    def test_frozen(self) -> None:
        """If this fails, the library would book everybody a second time. It must never be edited."""
        assert enrolment_key("acme", "ana", "fire", "2025-12-20", 0) == "ep1-4c7aeae5eb828b9ce7f02e4be4d04266553acc81"
        assert enrolment_key("ä", "", "日本", "first", 12) == "ep1-2ec360566b3a5bc9cd388e9e0aa3321386ff779b"

    @given(
        st.lists(
            st.tuples(*[st.text("ab:,1", max_size=3)] * 4, st.integers(0, 11)), min_size=2, max_size=2, unique=True
        )
    )
    def test_no_two_meet(self, parts: list[tuple[str, str, str, str, int]]) -> None:
        assert enrolment_key(*parts[0]) != enrolment_key(*parts[1])

    @given(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=5)] * 4, st.integers(0, 99))
    def test_by_definition(self, account: str, person: str, course: str, cycle: str, attempt: int) -> None:
        parts = [part.encode() for part in (account, person, course, cycle, str(attempt))]
        whole = b"".join(str(len(part)).encode() + b":" + part + b"," for part in parts)
        assert enrolment_key(account, person, course, cycle, attempt) == "ep1-" + hashlib.sha256(whole).hexdigest()[:40]
