"""What people see: the course register, the panel beside a course, a person's profile."""

from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    TRIGGERS,
    BookingStatus,
    Course,
    Delivery,
    EnrolmentStatus,
    Level,
    Light,
    Origin,
    Role,
    Snapshot,
    Status,
    TrainingRecord,
    UnknownId,
    course_panel,
    course_register,
    explain_all,
    load,
    personnel_profile,
    plan,
    project,
)
from enrolpolicy.ahead.shown import _REASONS, method
from test_gates import ON, OPTIONAL, enrolled, enrolment

Drawn = tuple[str, date]
OPEN = {EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS}
BASE = enrolled(enrolment(EnrolmentStatus.BOOKED))


def status_of(snapshot: Snapshot, on: date = ON) -> BookingStatus:
    [row] = course_panel(snapshot, course="fire", on=on).people
    return row.status


class TestTheMethodColumn:
    """How a course is taken, with the enrol symbol where its auto-enrol box is ticked."""

    @pytest.mark.parametrize(
        ("delivery", "ticked", "cell"),
        [
            (Delivery.IHASCO, True, "iHasco ⟳"),
            (Delivery.IHASCO, False, "iHasco"),
            (Delivery.SCORM, True, "SCORM ⟳"),
            (Delivery.CLASSROOM, False, "Classroom"),
            (Delivery.OTHER, False, "Other"),
        ],
    )
    def test_cells(self, delivery: Delivery, ticked: bool, cell: str) -> None:
        assert method(Course(id="fire", delivery=delivery, auto_enrol=ticked)) == cell

    @given(near_ready())
    def test_the_counts(self, drawn: Drawn) -> None:
        """Who is asked, and what is booked, of everybody who is not archived."""
        snapshot, on = load(drawn[0]), drawn[1]
        here = {person.id for person in snapshot.personnel if not person.archived}
        rows = [row for row in explain_all(snapshot, on=on) if row.person in here]
        for course in course_register(snapshot):
            assert course.asked == sum(row.course == course.course and row.level is not None for row in rows)
            assert course.booked == sum(
                row.course == course.course and row.person in here and row.status in OPEN for row in snapshot.enrolments
            )


class TestThePanel:
    """Everybody whom a course concerns, with where they stand: by the open booking, else the last of this renewal, else
    the training itself."""

    @given(near_ready(), st.data())
    def test_everybody_stands_somewhere(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        course = data.draw(st.sampled_from([row.id for row in snapshot.courses]))
        told = {row.person: row for row in explain_all(snapshot, on=on) if row.course == course}
        archived = {person.id for person in snapshot.personnel if person.archived}
        panel = course_panel(snapshot, course=course, on=on)
        assert {row.person for row in panel.people} == told.keys() - archived
        for row in panel.people:
            answer = told[row.person]
            booked = row.status in (BookingStatus.BOOKED, BookingStatus.IN_PROGRESS)
            assert booked == ("not-enrolled" in answer.shut)
            assert row.why
            if row.status is BookingStatus.NOT_BOOKED:
                assert answer.status is not Status.CURRENT
                assert (row.why, row.automatic) == (answer.sentence, None)

    @given(near_ready())
    def test_who_is_enrolled_tonight_is_booked_tomorrow(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        after = project(snapshot, tonight)
        for action in tonight.enrolments[:1]:
            panel = course_panel(after, course=action.course, on=on)
            [row] = (row for row in panel.people if row.person == action.person)
            assert (row.status, row.automatic) == (BookingStatus.BOOKED, True)
            assert _REASONS[action.because] in row.why
            [training] = (
                row
                for row in personnel_profile(after, person=action.person, on=on).trainings
                if row.course == action.course
            )
            assert training.tag is not None
            assert training.tag.why == row.why.partition("; ")[2]
            assert training.tag.enrolled_on == row.since

    @pytest.mark.parametrize(
        ("status", "shown"),
        [
            (EnrolmentStatus.PENDING, BookingStatus.BOOKED),
            (EnrolmentStatus.BOOKED, BookingStatus.BOOKED),
            (EnrolmentStatus.IN_PROGRESS, BookingStatus.IN_PROGRESS),
            (EnrolmentStatus.COMPLETED, BookingStatus.COMPLETED),
            (EnrolmentStatus.CANCELLED, BookingStatus.CANCELLED),
            (EnrolmentStatus.REFUSED, BookingStatus.NOT_BOOKED),
        ],
    )
    def test_by_the_booking(self, status: EnrolmentStatus, shown: BookingStatus) -> None:
        assert status_of(enrolled(enrolment(status, ended_on=ON, ended_because="requested"))) is shown

    def test_by_the_training(self) -> None:
        done = TrainingRecord(person="ana", course="fire", completed_on=ON, expires_on=ON + timedelta(365))
        assert status_of(evolve(BASE, enrolments=(), records=(done,))) is BookingStatus.COMPLETED
        assert status_of(evolve(BASE, enrolments=(), records=())) is BookingStatus.NOT_BOOKED

    def test_the_latest_open_booking_is_shown(self) -> None:
        by_hand = enrolment(
            EnrolmentStatus.IN_PROGRESS, id="e2", origin=Origin.MANUAL, enrolled_at=datetime(2026, 11, 22, tzinfo=UTC)
        )
        [row] = course_panel(evolve(BASE, enrolments=(by_hand, *BASE.enrolments)), course="fire", on=ON).people
        assert (row.status, row.automatic, row.why) == (BookingStatus.IN_PROGRESS, False, "under way; made by hand")

    def test_of_an_unknown_course(self) -> None:
        with pytest.raises(UnknownId):
            course_panel(BASE, course="water", on=ON)

    def test_a_reason_for_every_trigger(self) -> None:
        assert _REASONS.keys() == {row.id for row in TRIGGERS}


class TestTheTrafficLight:
    """Green is valid, amber expires within the course's own days or the account's, red expired or was never recorded;
    only required training colours a person."""

    @given(near_ready(), st.data())
    def test_by_the_definition(self, drawn: Drawn, data: st.DataObject) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        person = data.draw(st.sampled_from([row.id for row in snapshot.personnel]))
        told = {row.course: row for row in explain_all(snapshot, on=on) if row.person == person}
        courses = {row.id: row for row in snapshot.courses}
        profile = personnel_profile(snapshot, person=person, on=on)
        worst = []
        assert {row.course for row in profile.trainings} == told.keys()
        for row in profile.trainings:
            answer, course = told[row.course], courses[row.course]
            custom = course.lead_days if snapshot.account.custom_expiry else None
            soon = snapshot.account.expiring_soon_days if custom is None else custom
            if answer.status is Status.MISSING or (answer.expires_on is not None and answer.expires_on < on):
                wanted = Light.RED
            elif answer.expires_on is not None and answer.expires_on <= on + timedelta(soon):
                wanted = Light.AMBER
            else:
                wanted = Light.GREEN
            assert row.light is wanted
            if row.level is Level.REQUIRED:
                worst.append(wanted)
        order = [Light.RED, Light.AMBER, Light.GREEN]
        assert profile.light == next((light for light in order if light in worst), None)

    @pytest.mark.parametrize(
        ("days", "wanted"), [(-1, Light.RED), (0, Light.AMBER), (60, Light.AMBER), (61, Light.GREEN)]
    )
    def test_the_days(self, days: int, wanted: Light) -> None:
        done = TrainingRecord(
            person="ana", course="fire", completed_on=ON - timedelta(700), expires_on=ON + timedelta(days)
        )
        assert personnel_profile(evolve(BASE, records=(done,)), person="ana", on=ON).light is wanted

    def test_optional_training_colours_nobody(self) -> None:
        optional = evolve(BASE, records=(), roles=(Role(id="warden", requirements=OPTIONAL),))
        profile = personnel_profile(optional, person="ana", on=ON)
        assert ([row.light for row in profile.trainings], profile.light) == ([Light.RED], None)
