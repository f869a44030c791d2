"""Rule 3, the gates: who looks as if they were to be enrolled, and is not.

`SNAPSHOT` enrols Ana. Each of `SWITCHES` changes one thing about it, and exactly one gate shuts.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    GATES,
    Account,
    Assignment,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    Level,
    OptOut,
    Origin,
    Person,
    Role,
    RoleCourse,
    Scope,
    Snapshot,
    TrainingRecord,
    explain,
    plan,
)

ON = date(2026, 11, 23)
DONE = TrainingRecord(person="ana", course="fire", completed_on=date(2025, 12, 1), expires_on=date(2026, 12, 1))
CYCLE = "2025-12-01"
SNAPSHOT = Snapshot(
    account=Account(id="acme"),
    courses=(Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True),),
    roles=(Role(id="warden", requirements=(RoleCourse(course="fire", level=Level.REQUIRED),)),),
    personnel=(
        Person(
            id="ana", email="ana@acme.example", employment=Employment.EMPLOYEE,
            roles=(HeldRole(role="warden", assigned_on=date(2026, 11, 1)),),
        ),
    ),
    records=(DONE,),
)  # fmt: skip
NEVER = evolve(SNAPSHOT, records=(), account=Account(id="acme", auto_enrol_missing=True))


def account(**changes: Any) -> Snapshot:
    return evolve(SNAPSHOT, account=evolve(SNAPSHOT.account, **changes))


def course(**changes: Any) -> Snapshot:
    return evolve(SNAPSHOT, courses=(evolve(SNAPSHOT.courses[0], **changes),))


def person(**changes: Any) -> Snapshot:
    return evolve(SNAPSHOT, personnel=(evolve(SNAPSHOT.personnel[0], **changes),))


def enrolment(status: EnrolmentStatus, **changes: Any) -> Enrolment:
    row = Enrolment(
        id="e1", person="ana", course="fire", cycle=CYCLE, origin=Origin.AUTO, status=status,
        enrolled_at=datetime(2026, 11, 10, 12, tzinfo=UTC),
    )  # fmt: skip
    return evolve(row, **changes)


def enrolled(*rows: Enrolment, into: Snapshot = SNAPSHOT) -> Snapshot:
    return evolve(into, enrolments=rows)


def shut(snapshot: Snapshot, on: date = ON) -> tuple[str, ...]:
    return explain(snapshot, person="ana", course="fire", on=on).shut


def requested(ended_on: date | None, cycle: str = CYCLE) -> Enrolment:
    return enrolment(EnrolmentStatus.CANCELLED, ended_on=ended_on, ended_because="requested", cycle=cycle)


def refused(count: int, ended_on: date | None = ON) -> tuple[Enrolment, ...]:
    return tuple(enrolment(EnrolmentStatus.REFUSED, id=f"r{n}", ended_on=ended_on) for n in range(count))


OPTIONAL = (RoleCourse(course="fire", level=Level.OPTIONAL),)
SWITCHES: dict[str, Snapshot] = {
    "plan-active": account(elearning_plan_active=False),
    "account-enabled": account(auto_enrol=False),
    "course-active": course(archived=True),
    "course-elearning": course(delivery=Delivery.CLASSROOM),
    "course-enabled": course(auto_enrol=False),
    "person-active": person(archived=True),
    "person-enabled": person(auto_enrol=False),
    "assigned": evolve(course(scope=Scope.REQUIRED_AND_OPTIONAL), roles=()),
    "in-scope": evolve(SNAPSHOT, roles=(Role(id="warden", requirements=OPTIONAL),)),
    "in-audience": person(employment=Employment.SUBCONTRACTOR),
    "missing-enabled": evolve(SNAPSHOT, records=()),
    "not-enrolled": enrolled(enrolment(EnrolmentStatus.IN_PROGRESS)),
    "completion-recorded": enrolled(enrolment(EnrolmentStatus.COMPLETED)),
    "not-cancelled": enrolled(requested(date(2026, 11, 11))),
    "not-refused": enrolled(*refused(1)),
    "reachable": person(email=None),
}


class TestFlipOneSwitch:
    """Each gate refuses by itself: flip the one thing it is about, and it shuts, and no other does."""

    def test_there_is_a_switch_for_every_gate(self) -> None:
        assert list(SWITCHES) == [gate.id for gate in GATES]

    def test_before_it_ana_is_enrolled(self) -> None:
        assert [row.person for row in plan(SNAPSHOT, on=ON).enrolments] == ["ana"]

    @pytest.mark.parametrize("gate", SWITCHES)
    def test_exactly_that_gate_shuts(self, gate: str) -> None:
        assert shut(SWITCHES[gate]) == (gate,)

    @pytest.mark.parametrize("gate", SWITCHES)
    def test_and_the_plan_leaves_ana_out_for_it(self, gate: str) -> None:
        tonight = plan(SWITCHES[gate], on=ON)
        assert tonight.enrolments == ()
        assert tonight.counts.not_enrolled == ((gate, 1),)

    @pytest.mark.parametrize("gate", SWITCHES)
    def test_and_it_says_so(self, gate: str) -> None:
        found = explain(SWITCHES[gate], person="ana", course="fire", on=ON)
        assert (found.outcome, found.reason) == ("not-enrolled", gate)
        assert found.sentence == next(row.sentence for row in found.rows if row.id == gate)

    def test_every_reason_is_told_at_once(self) -> None:
        both = evolve(SWITCHES["course-enabled"], personnel=SWITCHES["reachable"].personnel)
        assert shut(both) == ("course-enabled", "reachable")


class TestPersonEnabled:
    """The toggle on a profile takes somebody out of everything, an opt-out out of one course."""

    def test_an_opt_out(self) -> None:
        assert shut(evolve(SNAPSHOT, opt_outs=(OptOut(person="ana", course="fire"),))) == ("person-enabled",)

    def test_from_another_course_or_of_somebody_else(self) -> None:
        others = (OptOut(person="ana", course="water"), OptOut(person="bo", course="fire"))
        assert shut(evolve(SNAPSHOT, opt_outs=others)) == ()


class TestAssigned:
    """Training is asked of somebody by a role, or by an assignment of their own; the strongest level counts."""

    @pytest.mark.parametrize("level", Level)
    def test_an_assignment_will_do(self, level: Level) -> None:
        own = (Assignment(person="ana", course="fire", level=level),)
        snapshot = evolve(course(scope=Scope.REQUIRED_AND_OPTIONAL), roles=(), assignments=own)
        assert shut(snapshot) == ()

    def test_required_beats_optional(self) -> None:
        own = (Assignment(person="ana", course="fire", level=Level.REQUIRED),)
        found = explain(
            evolve(SWITCHES["in-scope"], assignments=own), person="ana", course="fire", on=ON
        )  # fmt: skip
        assert (found.level, found.shut) == (Level.REQUIRED, ())

    def test_a_role_that_is_not_held_asks_nothing(self) -> None:
        assert shut(person(roles=())) == ("assigned", "in-scope")

    def test_a_role_nobody_knows_asks_nothing(self) -> None:
        assert shut(person(roles=(HeldRole(role="gone"),))) == ("assigned", "in-scope")


class TestMissingEnabled:
    """Training never recorded is left alone unless the account asks for it, and then only where it was asked of the
    person on or after the date the account gives."""

    @pytest.mark.parametrize(("days", "expected"), [(-1, ()), (0, ()), (1, ("missing-enabled",))])
    def test_the_date_itself_counts(self, days: int, expected: tuple[str, ...]) -> None:
        since = date(2026, 11, 1) + timedelta(days)
        assert shut(evolve(NEVER, account=evolve(NEVER.account, missing_since=since))) == expected

    def test_the_latest_time_it_was_asked_counts(self) -> None:
        again = (Assignment(person="ana", course="fire", level=Level.OPTIONAL, assigned_on=date(2026, 11, 20)),)
        late = evolve(NEVER, assignments=again, account=evolve(NEVER.account, missing_since=date(2026, 11, 20)))
        assert shut(late) == ()

    def test_nobody_knows_since_when(self) -> None:
        snapshot = evolve(NEVER, personnel=person(roles=(HeldRole(role="warden"),)).personnel)
        assert shut(snapshot) == ()
        assert shut(evolve(snapshot, account=evolve(NEVER.account, missing_since=date.min))) == ("missing-enabled",)

    @pytest.mark.parametrize("order", [1, -1])
    def test_each_of_those_with_the_same_role_since_another_day(self, order: int) -> None:
        """Whose role is the same is planned together, and is not therefore asked since the same day."""
        [somebody] = NEVER.personnel
        days = {"ana": date(2026, 11, 1), "bo": date(2026, 10, 31), "cy": None, "di": date(2026, 11, 1)}
        people = tuple(
            evolve(somebody, id=id, roles=(HeldRole(role="warden", assigned_on=since),)) for id, since in days.items()
        )
        since = evolve(NEVER.account, missing_since=date(2026, 11, 1))
        tonight = plan(evolve(NEVER, account=since, personnel=people[::order]), on=ON)
        assert [row.person for row in tonight.enrolments] == ["ana", "di"]

    def test_an_earlier_reason_comes_first_for_those_asked_too_early(self) -> None:
        early = evolve(NEVER.account, missing_since=date(2026, 11, 2), elearning_plan_active=False)
        snapshot = evolve(NEVER, account=early)
        assert shut(snapshot) == ("plan-active", "missing-enabled")
        assert plan(snapshot, on=ON).counts.not_enrolled == (("plan-active", 1),)

    def test_it_is_about_missing_training_only(self) -> None:
        assert shut(account(missing_since=ON)) == ()


class TestNotEnrolled:
    """One booking, one credit: any open enrolment is in the way, whoever made it and whatever it renews."""

    @pytest.mark.parametrize("origin", Origin)
    @pytest.mark.parametrize("cycle", [CYCLE, "first", None])
    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_open_ones_only(self, status: EnrolmentStatus, cycle: str | None, origin: Origin) -> None:
        row = enrolment(status, cycle=cycle, origin=origin)
        is_open = status.value in ("pending", "booked", "in-progress")
        assert ("not-enrolled" in shut(enrolled(row))) == is_open

    def test_on_another_course(self) -> None:
        assert shut(enrolled(enrolment(EnrolmentStatus.BOOKED, course="water"))) == ()


class TestCompletionRecorded:
    """A completed enrolment waits for its record: any since the enrolment, in the account's days, voided or not."""

    @pytest.mark.parametrize(("days", "expected"), [(-1, ("completion-recorded",)), (0, ()), (1, ())])
    def test_a_record_since(self, days: int, expected: tuple[str, ...]) -> None:
        arrived = TrainingRecord(
            person="ana", course="fire", completed_on=date(2026, 11, 10) + timedelta(days), voided=True
        )
        snapshot = enrolled(enrolment(EnrolmentStatus.COMPLETED))
        assert shut(evolve(snapshot, records=(DONE, arrived))) == expected

    @pytest.mark.parametrize(("timezone", "expected"), [("UTC", ("completion-recorded",)), ("Pacific/Pago_Pago", ())])
    def test_the_day_is_the_account_s(self, timezone: str, expected: tuple[str, ...]) -> None:
        # Half past ten in the morning in London is still the day before in Samoa.
        row = enrolment(EnrolmentStatus.COMPLETED, enrolled_at=datetime(2026, 11, 10, 10, 30, tzinfo=UTC))
        arrived = TrainingRecord(person="ana", course="fire", completed_on=date(2026, 11, 9), voided=True)
        snapshot = evolve(account(timezone=timezone), enrolments=(row,), records=(DONE, arrived))
        assert shut(snapshot) == expected

    def test_of_this_cycle_only(self) -> None:
        assert shut(enrolled(enrolment(EnrolmentStatus.COMPLETED, cycle="2024-12-01"))) == ()


class TestNotCancelled:
    """A cancellation that somebody asked for holds for its cycle; for a first booking, until it is asked for anew."""

    @pytest.mark.parametrize("because", [None, "superseded", "person-archived", "Requested"])
    def test_only_what_a_person_asked_for(self, because: str | None) -> None:
        assert shut(enrolled(enrolment(EnrolmentStatus.CANCELLED, ended_because=because, ended_on=ON))) == ()

    def test_of_this_cycle_only(self) -> None:
        assert shut(enrolled(requested(ON, cycle="2024-12-01"))) == ()

    @given(st.integers(0, 400))
    def test_a_renewal_s_holds_whenever_it_is_asked_for(self, days: int) -> None:
        asked = (HeldRole(role="warden", assigned_on=ON),)
        snapshot = evolve(person(roles=asked), enrolments=(requested(ON - timedelta(days)),))
        assert shut(snapshot) == ("not-cancelled",)

    @pytest.mark.parametrize(("days", "expected"), [(-1, ()), (0, ("not-cancelled",)), (1, ("not-cancelled",))])
    def test_a_first_booking_s_until_it_is_asked_for_anew(self, days: int, expected: tuple[str, ...]) -> None:
        ended_on = date(2026, 11, 1) + timedelta(days)
        assert shut(enrolled(requested(ended_on, cycle="first"), into=NEVER)) == expected

    def test_on_a_day_nobody_noted(self) -> None:
        assert shut(enrolled(requested(None, cycle="first"), into=NEVER)) == ("not-cancelled",)
        unknown = evolve(NEVER, personnel=person(roles=(HeldRole(role="warden"),)).personnel)
        assert shut(enrolled(requested(ON, cycle="first"), into=unknown)) == ("not-cancelled",)


class TestNotRefused:
    """What the LMS refused is tried again after 1, 2, 4, 8, 16, and then always 32 days."""

    @pytest.mark.parametrize(("times", "pause"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 32), (40, 32)])
    def test_with_growing_pauses(self, times: int, pause: int) -> None:
        snapshot = enrolled(*refused(times, ON - timedelta(pause)))
        assert shut(snapshot) == ()
        assert shut(snapshot, on=ON - timedelta(1)) == ("not-refused",)

    def test_from_the_last_refusal(self) -> None:
        early, late = refused(2)
        snapshot = enrolled(evolve(early, ended_on=ON - timedelta(9)), evolve(late, ended_on=ON - timedelta(1)))
        assert shut(snapshot) == ("not-refused",)

    def test_on_a_day_nobody_noted_it_is_when_it_was_asked(self) -> None:
        snapshot = enrolled(*refused(1, None))
        assert shut(snapshot, on=date(2026, 11, 10)) == ("not-refused",)
        assert shut(snapshot, on=date(2026, 11, 11)) == ()

    def test_of_this_cycle_only(self) -> None:
        assert shut(enrolled(*(evolve(row, cycle="2024-12-01") for row in refused(3)))) == ()

    def test_at_the_end_of_the_calendar(self) -> None:
        assert shut(enrolled(*refused(6, date.max))) == ("not-refused",)


ADDRESSES: list[tuple[str | None, bool]] = [
    ("ana@acme.example", True),
    ("a@b.c", True),
    ("zoë@münchen.example", True),
    ("first.last+tag@sub.acme.example", True),
    (None, False),
    ("", False),
    ("ana", False),
    ("@acme.example", False),
    ("ana@", False),
    ("ana@acme", False),
    ("ana@.example", False),
    ("ana@acme.", False),
    ("ana@acme..example", False),
    ("ana@acme@acme.example", False),
    ("ana @acme.example", False),
    ("ana@acme.example ", False),
    ("ana@ac\u00a0me.example", False),
    ("ana@acme.example\n", False),
    ("a\x00na@acme.example", False),
    ("ana@acme.exa\x7fmple", False),
    ("ana@acme.exa\x85mple", False),
]


class TestReachable:
    """An address is usable with one `@`, nothing blank or unprintable, and a dot inside the domain."""

    @pytest.mark.parametrize(("address", "usable"), ADDRESSES)
    def test_addresses(self, address: str | None, usable: bool) -> None:
        assert shut(person(email=address)) == (() if usable else ("reachable",))

    @given(st.text(max_size=8), st.sampled_from([" ", "\t", "\n", "@", "\x00", "\x9f", "\u2003"]), st.text(max_size=8))
    def test_never_with_something_in_between(self, before: str, between: str, after: str) -> None:
        # `@` twice, or a blank, or a control character
        assert shut(person(email=_sound(f"a{before}{between}{after}@acme.example"))) == ("reachable",)


def _sound(text: str) -> str:
    return text.encode(errors="replace").decode()
