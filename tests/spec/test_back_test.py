"""Back-testing: the nights of an older system planned again, and every difference by its rule."""

import json
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from documents import ready
from enrolpolicy import (
    Account,
    Assignment,
    Assumptions,
    BackTest,
    Course,
    Delivery,
    Employment,
    Enrol,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    InvalidValue,
    Level,
    Match,
    Origin,
    PastEnrolment,
    Person,
    Role,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    Validity,
    back_test,
    load,
)
from living import lived, lively

Drawn = tuple[Snapshot, date]
STAYS, COMPLETED = "e3", "e4"
"""Of the one it is assumed that it is never completed where a share of 0.7 is; of the other that it is."""


def undated_after(snapshot: Snapshot, start: date) -> Snapshot:
    """The snapshot without what is dated on the first night or later."""
    midnight = datetime.combine(start - timedelta(1), time(), UTC)
    return evolve(
        snapshot,
        account=evolve(snapshot.account, credits=None),
        records=tuple(row for row in snapshot.records if row.completed_on < start),
        assignments=tuple(row for row in snapshot.assignments if (row.assigned_on or date.min) < start),
        enrolments=tuple(
            row for row in snapshot.enrolments if row.enrolled_at < midnight and (row.ended_on or date.min) < start
        ),
    )


def history(drawn: Drawn, days: int) -> tuple[Snapshot, date, date, list[PastEnrolment]]:
    """What a register looks like after some nights of ours, and what was booked on them."""
    snapshot, start = undated_after(*drawn), drawn[1]
    until = start + timedelta(days)
    made, after = [], snapshot
    for on, night in lived(snapshot, start, until, Assumptions(after_days=9, share=0.7)):
        rows = [row for row in night.actions if isinstance(row, Enrol)]
        made += [PastEnrolment(person=row.person, course=row.course, on=on) for row in rows]
        after = night.after
    return after, start, until, made


class TestOurOwnHistory:
    """What was made by this policy itself agrees with it, night by night, to the last row."""

    @given(lively(), st.sampled_from([3, 25, 50]))
    @settings(max_examples=20)
    def test_agrees(self, drawn: Drawn, days: int) -> None:
        after, start, until, made = history(drawn, days)
        found = back_test(after, made, start=start, until=until)
        assert [row for row in found.rows if row.match is not Match.AGREED] == []
        assert len(found.rows) == len(made)
        event(f"rows: {min(4, len(made))}")

    def test_agrees_where_one_of_two_bookings_stays_open(self) -> None:
        """The record that the other one brings does not complete it: how it ended is known."""
        start = date(2026, 11, 23)
        document = ready(1, 1, start)
        document["courses"][0]["validity"] = {"days": 20}
        for id in (STAYS, COMPLETED):
            document["enrolments"].append(
                {
                    "id": id, "person": "p0", "course": "c0", "cycle": "2020-01-01", "origin": "manual",
                    "status": "booked", "enrolled_at": "2026-11-20T12:00:00+00:00",
                }
            )  # fmt: skip
        after, start, until, made = history((load(json.dumps(document)), start), 50)
        assert [row.status for row in after.enrolments] == [EnrolmentStatus.BOOKED, EnrolmentStatus.COMPLETED]
        assert back_test(after, made, start=start, until=until).rows == ()


class TestADifference:
    """It is told once, with its rule: another night, only ours, or only theirs."""

    @given(lively(), st.integers(1, 6), st.data())
    @settings(max_examples=12)
    def test_another_night(self, drawn: Drawn, days: int, data: st.DataObject) -> None:
        """Ours comes the very days later that theirs was moved ahead."""
        after, start, until, made = history(drawn, 25)

        def same_renewal(row: PastEnrolment) -> bool:
            of_pair = [one for one in after.records if (one.person, one.course) == (row.person, row.course)]
            return not any(timedelta() < row.on - one.completed_on <= timedelta(days) for one in of_pair)

        late = [row for row in made if row.on >= start + timedelta(days) and same_renewal(row)]
        if late:
            row = data.draw(st.sampled_from(late))
            moved = evolve(row, on=row.on - timedelta(days))
            found = back_test(after, [*(one for one in made if one != row), moved], start=start, until=until)
            [other] = [one for one in found.rows if one.match is not Match.AGREED]
            assert (other.person, other.course, other.ours_on, other.theirs_on) == (
                row.person, row.course, row.on, moved.on,
            )  # fmt: skip
            assert other.days_later == days
            event(f"told as {other.match.value}")

    @given(lively(), st.data())
    @settings(max_examples=12)
    def test_only_ours(self, drawn: Drawn, data: st.DataObject) -> None:
        after, start, until, made = history(drawn, 25)
        if made:
            gone = data.draw(st.sampled_from(made))
            found = back_test(after, [row for row in made if row != gone], start=start, until=until)
            [other] = [row for row in found.rows if row.match is not Match.AGREED]
            assert (other.match, other.person, other.course, other.ours_on, other.theirs_on) == (
                Match.OURS_ONLY, gone.person, gone.course, gone.on, None,
            )  # fmt: skip
            assert other.reasons[0] in {"expiring", "expired", "missing"}
            assert found.rules == ((Match.OURS_ONLY, other.reasons[0], 1),)

    def test_only_theirs_is_told_with_every_shut_gate(self) -> None:
        snapshot = on_the_demo(("daniel-osei", "fire-safety"), ("bella-conti", "first-aid"))
        assert [(row.match, row.reasons) for row in snapshot.rows if row.match is Match.THEIRS_ONLY] == [
            (Match.THEIRS_ONLY, ("course-elearning", "assigned", "in-scope", "missing-enabled")),
            (Match.THEIRS_ONLY, ("person-enabled",)),
        ]

    def test_of_nobody_known_or_of_another_night(self) -> None:
        found = on_the_demo(("nobody", "fire-safety"), ("ana", "nothing"), on=date(2026, 1, 1))
        assert [row.person for row in found.unknown] == ["ana", "nobody"]
        early = on_the_demo(("daniel-osei", "fire-safety"), on=date(2026, 1, 1))
        assert [row.on for row in early.outside] == [date(2026, 1, 1)]

    def test_nights_the_wrong_way_round(self) -> None:
        with pytest.raises(InvalidValue, match="give a later date"):
            back_test(DEMO, [], start=date(2026, 11, 23), until=date(2026, 11, 22))


DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())


def on_the_demo(*pairs: tuple[str, str], on: date = date(2026, 11, 20)) -> BackTest:
    theirs = [PastEnrolment(person=person, course=course, on=on) for person, course in pairs]
    return back_test(DEMO, theirs, start=date(2026, 11, 1), until=date(2026, 11, 22))


class TestThePast:
    """What is dated a day is known to the night after it; what an older system had booked before is there."""

    ON = date(2026, 11, 23)

    def test_a_role_given_meanwhile(self) -> None:
        """Somebody new is booked the night after their role was given, not months before."""
        snapshot = one_person(assigned_on=self.ON + timedelta(5))
        found = back_test(snapshot, [], start=self.ON, until=self.ON + timedelta(20))
        assert [(row.ours_on, row.match) for row in found.rows] == [(self.ON + timedelta(6), Match.OURS_ONLY)]

    def test_a_training_asked_of_one_person_meanwhile(self) -> None:
        asked = Assignment(person="ana", course="fire", level=Level.REQUIRED, assigned_on=self.ON + timedelta(5))
        snapshot = evolve(one_person(assigned_on=None), roles=(), assignments=(asked,))
        found = back_test(snapshot, [], start=self.ON, until=self.ON + timedelta(20))
        assert [row.ours_on for row in found.rows] == [self.ON + timedelta(6)]

    def test_a_booking_made_by_hand_meanwhile(self) -> None:
        """It is there from the day it was made to the day it was cancelled; ours comes the night after."""
        record = TrainingRecord(
            person="ana", course="fire", completed_on=date(2025, 12, 29), expires_on=date(2026, 12, 29)
        )
        hand = Enrolment(
            id="e1", person="ana", course="fire", origin=Origin.MANUAL, status=EnrolmentStatus.CANCELLED,
            enrolled_at=datetime(2026, 11, 25, 12, tzinfo=UTC), ended_on=date(2026, 12, 5), ended_because="requested",
        )  # fmt: skip
        snapshot = evolve(one_person(assigned_on=None), records=(record,), enrolments=(hand,))
        found = back_test(snapshot, [], start=self.ON, until=self.ON + timedelta(20))
        assert [row.ours_on for row in found.rows] == [date(2026, 12, 6)]

    def test_what_was_booked_before_and_not_completed(self) -> None:
        """It is a booking on the first night; a completion since then makes room for the next renewal."""
        snapshot = one_person(assigned_on=None)
        theirs = [PastEnrolment(person="ana", course="fire", on=self.ON - timedelta(9))]
        found = back_test(snapshot, theirs, start=self.ON, until=self.ON + timedelta(20))
        assert (found.rows, found.outside) == ((), tuple(theirs))
        assert len(back_test(snapshot, [], start=self.ON, until=self.ON + timedelta(20)).rows) == 1

    def test_a_booking_of_theirs_that_somebody_cancelled(self) -> None:
        """Ours, made in its place, is cancelled that day, and not made again for that renewal."""
        auto = Enrolment(
            id="e1", person="ana", course="fire", origin=Origin.AUTO, status=EnrolmentStatus.CANCELLED, cycle="first",
            enrolled_at=datetime(2026, 11, 25, 12, tzinfo=UTC), ended_on=date(2026, 12, 5), ended_because="requested",
        )  # fmt: skip
        snapshot = evolve(one_person(assigned_on=None), enrolments=(auto,))
        theirs = [PastEnrolment(person="ana", course="fire", on=date(2026, 11, 25))]
        found = back_test(snapshot, theirs, start=self.ON, until=self.ON + timedelta(40))
        assert [(row.match, row.days_later) for row in found.rows] == [(Match.OTHER_NIGHT, -2)]


def one_person(assigned_on: date | None) -> Snapshot:
    """Ana, of whom one role asks one course, never recorded."""
    course = Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True, validity=Validity(months=12))
    role = Role(id="crew", requirements=(RoleCourse(course="fire", level=Level.REQUIRED),))
    ana = Person(
        id="ana", email="ana@acme.example", employment=Employment.EMPLOYEE,
        roles=(HeldRole(role="crew", assigned_on=assigned_on),),
    )  # fmt: skip
    account = Account(id="acme", auto_enrol_missing=True)
    return Snapshot(account=account, courses=(course,), roles=(role,), personnel=(ana,))
