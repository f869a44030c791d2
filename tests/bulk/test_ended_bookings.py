"""What bookings that have ended come to, over columns and over objects, where days and time zones meet."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from enrolpolicy import (
    Account,
    Assignment,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    Level,
    Origin,
    Person,
    Snapshot,
    TrainingRecord,
    Validity,
    plan,
)
from enrolpolicy.bulk import estate_of, plan_estate, plans_of
from enrolpolicy.dates import local_date

THOROUGH = settings.get_current_profile_name() == "thorough"
ON = date(2026, 11, 23)
DONE = ON - timedelta(400)
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/London", "Asia/Kathmandu")
ENDED = (
    *(3 * [EnrolmentStatus.COMPLETED]),
    *(3 * [EnrolmentStatus.REFUSED]),
    *(3 * [EnrolmentStatus.CANCELLED]),
    *EnrolmentStatus,
)


@st.composite
def registers(draw: st.DrawFn) -> Snapshot:
    """One person and one course that all gates but those about bookings let through."""
    zone = draw(st.sampled_from(ZONES))
    renewed = draw(st.sampled_from([None, ON - timedelta(345), ON - timedelta(350)]))
    cycle = "first" if renewed is None else renewed.isoformat()
    enrolments = tuple(draw(booking(nth, cycle, zone)) for nth in range(draw(st.integers(1, 4))))
    records = [] if renewed is None else [record(renewed)]
    for row in enrolments:
        if draw(st.booleans()):
            near = local_date(zone, row.enrolled_at) + timedelta(draw(st.integers(-2, 1)))
            # What does not count any more has come all the same.
            records.append(evolve(record(near), voided=draw(st.sampled_from([True, True, False]))))
    return Snapshot(
        account=Account(id="acme", timezone=zone, auto_enrol_missing=True),
        courses=(Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True, validity=Validity(months=12)),),
        personnel=(Person(id="ana", email="ana@acme.example", employment=Employment.EMPLOYEE),),
        assignments=draw(assigned()),
        records=tuple(records),
        enrolments=enrolments,
    )


def record(completed_on: date) -> TrainingRecord:
    return TrainingRecord(person="ana", course="fire", completed_on=completed_on)


@st.composite
def assigned(draw: st.DrawFn) -> tuple[Assignment, ...]:
    asked_on = draw(st.sampled_from([None, *(ON - timedelta(days) for days in (1, 2, 3, 9))]))
    return (Assignment(person="ana", course="fire", level=Level.REQUIRED, assigned_on=asked_on),)


@st.composite
def booking(draw: st.DrawFn, nth: int, cycle: str, zone: str) -> Enrolment:
    status = draw(st.sampled_from(ENDED))
    ago = draw(st.sampled_from([0, 1, 2, 3, 4, 5, 8, 9, 31, 32, 33, 40]))
    hours = draw(st.sampled_from([0, 1, 10, 11, 12, 13, 14, 23]))
    ended: dict[str, Any] = {}
    if status in {EnrolmentStatus.COMPLETED, EnrolmentStatus.REFUSED, EnrolmentStatus.CANCELLED}:
        ended["ended_on"] = draw(st.sampled_from([None, *(ON - timedelta(days) for days in (0, 1, 2, 3, 4, 8, 32))]))
    if status is EnrolmentStatus.CANCELLED:
        ended["ended_because"] = draw(st.sampled_from(["requested", "superseded", None]))
    return Enrolment(
        id=f"e{nth}",
        person="ana",
        course="fire",
        cycle=draw(st.sampled_from([cycle, cycle, cycle, "first", None])),
        origin=Origin.AUTO,
        status=status,
        enrolled_at=datetime(2026, 11, 23, hours, tzinfo=UTC) - timedelta(ago),
        **ended,
    )


class TestEndedBookings:
    """Awaiting a record, cancelled by a person, paused after a refusal, tried so often: the same as over objects."""

    @given(st.lists(registers(), min_size=1, max_size=3), st.integers(-3, 40))
    @settings(max_examples=20_000 if THOROUGH else 120)
    def test_every_night_is_the_same(self, drawn: list[Snapshot], later: int) -> None:
        estate = [evolve(one, account=evolve(one.account, id=f"a{nth}")) for nth, one in enumerate(drawn)]
        on = ON + timedelta(later)
        found = plans_of(plan_estate(estate_of(estate), on=on))
        for ours, snapshot in zip(found, estate, strict=True):
            theirs = plan(snapshot, on=on)
            assert (ours.actions, ours.deferred, ours.counts) == (theirs.actions, theirs.deferred, theirs.counts)

    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize(("status", "day"), [(EnrolmentStatus.COMPLETED, DONE), (EnrolmentStatus.REFUSED, ON)])
    def test_a_booking_around_a_day(self, status: EnrolmentStatus, day: date, zone: str) -> None:
        """Completed, and made so many hours before or after what counts was completed: has its record come since?
        Refused, nobody knows when, and made so many hours before tonight: is the pause over?"""
        made = {
            f"{days:+}-{hours:02}": datetime(day.year, day.month, day.day, hours, tzinfo=UTC) + timedelta(days)
            for days, hours in product(range(-4, 5), (0, 9, 10, 11, 13, 14, 15, 23))
        }
        one = Snapshot(
            account=Account(id="acme", timezone=zone),
            courses=(Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True, validity=Validity(months=12)),),
            personnel=tuple(Person(id=id, email="a@acme.example", employment=Employment.EMPLOYEE) for id in made),
            assignments=tuple(Assignment(person=id, course="fire", level=Level.REQUIRED) for id in made),
            records=tuple(evolve(record(DONE), person=id) for id in made),
            enrolments=tuple(
                Enrolment(
                    id=f"e{id}", person=id, course="fire", cycle=DONE.isoformat(), origin=Origin.AUTO,
                    status=status, enrolled_at=at,
                )
                for id, at in made.items()
            ),
        )  # fmt: skip
        [found] = plans_of(plan_estate(estate_of([one]), on=ON))
        theirs = plan(one, on=ON)
        assert (found.actions, found.counts) == (theirs.actions, theirs.counts)
        assert 0 < len(theirs.actions) < len(made)

    def test_the_calendar_ends_before_the_pause(self) -> None:
        last = date.max
        refused = Enrolment(
            id="e1", person="ana", course="fire", cycle="first", origin=Origin.AUTO, status=EnrolmentStatus.REFUSED,
            enrolled_at=datetime(9999, 12, 1, tzinfo=UTC), ended_on=last - timedelta(1),
        )  # fmt: skip
        one = Snapshot(
            account=Account(id="acme", auto_enrol_missing=True),
            courses=(Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True),),
            personnel=(Person(id="ana", email="ana@acme.example", employment=Employment.EMPLOYEE),),
            assignments=(Assignment(person="ana", course="fire", level=Level.REQUIRED),),
            records=(),
            enrolments=(refused, evolve(refused, id="e2"), evolve(refused, id="e3")),
        )
        for on in (last - timedelta(1), last):
            [found] = plans_of(plan_estate(estate_of([one]), on=on))
            assert found.actions == plan(one, on=on).actions
