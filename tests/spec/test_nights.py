"""One night after another: what is due is due until it is done, and is done once."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    Account,
    Assignment,
    Cancel,
    CancelEnrolment,
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
    applied,
    explain,
    explain_all,
    load,
    plan,
    project,
)
from enrolpolicy.dates import first_instant

Drawn = tuple[str, date]
ON = date(2026, 11, 23)


def ample(text: str) -> Snapshot:
    snapshot = load(text)
    return evolve(snapshot, account=evolve(snapshot.account, credits=None))


def night(snapshot: Snapshot, on: date) -> Snapshot:
    return project(snapshot, plan(snapshot, on=on))


def state(snapshot: Snapshot) -> set[Any]:
    """The enrolments, but for the moment at which they were made."""
    at = datetime(2000, 1, 1, tzinfo=UTC)
    return {evolve(row, enrolled_at=at, invited_at=row.invited_at and at, ended_on=None) for row in snapshot.enrolments}


class TestAPlanCarriedOutLeavesNothingToDo:
    """Planned again the same night, there is nobody left to enrol, to cancel or to invite."""

    @given(near_ready())
    def test_with_credits_enough(self, drawn: Drawn) -> None:
        snapshot, on = ample(drawn[0]), drawn[1]
        again = plan(night(snapshot, on), on=on)
        assert again.enrolments == ()
        assert again.cancellations == ()
        assert again.invitations == ()

    @given(near_ready())
    def test_with_credits_short(self, drawn: Drawn) -> None:
        """Only what the night's own cancellations gave back can enrol somebody, and only who had to wait for it."""
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        again = plan(project(snapshot, tonight), on=on)
        waited = {(row.person, row.course) for row in tonight.deferred if row.because == "credits"}
        freed = {(row.person, row.course) for row in tonight.cancellations}
        assert {(row.person, row.course) for row in again.enrolments} <= waited
        assert freed or again.enrolments == ()

    def test_a_cancellation_s_credit_is_spent_by_the_next_plan(self) -> None:
        leaver = evolve(PERSON, id="bo", archived=True)
        booking = Enrolment(
            id="e1", person="bo", course="fire", origin=Origin.AUTO, status=EnrolmentStatus.BOOKED,
            enrolled_at=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip
        snapshot = evolve(SNAPSHOT, personnel=(PERSON, leaver), enrolments=(booking,))
        snapshot = evolve(snapshot, account=evolve(ACCOUNT, credits=1))
        tonight = plan(snapshot, on=ON)
        assert [type(action) for action in tonight.actions] == [Cancel]
        assert [row.because for row in tonight.deferred] == ["credits"]
        assert [row.person for row in plan(project(snapshot, tonight), on=ON).enrolments] == ["ana"]

    @given(near_ready(), st.data())
    def test_carried_out_in_part(self, drawn: Drawn, data: st.DataObject) -> None:
        """Whatever part of a plan was carried out, the next plan is the rest."""
        snapshot, on = ample(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        assume(tonight.actions)
        chosen = data.draw(st.sets(st.sampled_from(tonight.actions)))
        part = evolve(tonight, actions=tuple(row for row in tonight.actions if row in chosen))
        rest = plan(project(snapshot, part), on=on).actions
        assert set(rest) == set(tonight.actions) - chosen


class TestTheRegisterAfterAPlan:
    """It has every row of the plan in it, dated to the night, and nothing else has changed."""

    @given(near_ready())
    def test_row_by_row(self, drawn: Drawn) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        after = project(snapshot, tonight)
        midnight = first_instant(snapshot.account.timezone, on)
        ended = {row.enrolment: row.because for row in tonight.cancellations}
        invited = {row.enrolment for row in tonight.invitations}
        assert evolve(after, enrolments=snapshot.enrolments) == snapshot
        kept, made = after.enrolments[: len(snapshot.enrolments)], after.enrolments[len(snapshot.enrolments) :]
        for old, new in zip(snapshot.enrolments, kept, strict=True):
            if old.id in ended:
                assert (new.status, new.ended_on, new.ended_because) == (
                    EnrolmentStatus.CANCELLED, on, ended[old.id],
                )  # fmt: skip
                assert evolve(new, status=old.status, ended_on=old.ended_on, ended_because=old.ended_because) == old
            else:
                assert new == (evolve(old, invited_at=midnight) if old.id in invited else old)
        assert list(made) == [
            Enrolment(
                id=row.key, person=row.person, course=row.course, cycle=row.cycle, origin=Origin.AUTO,
                status=EnrolmentStatus.BOOKED, because=row.because, enrolled_at=midnight, invited_at=midnight,
            )
            for row in tonight.enrolments
        ]  # fmt: skip


class TestMissedAndRepeatedNights:
    """A week with some nights missed, or made twice, ends as a week in which every night was made."""

    @given(near_ready(most_flips=3), st.lists(st.sampled_from([0, 1, 2]), min_size=6, max_size=6))
    @settings(max_examples=40)
    def test_the_week_ends_the_same(self, drawn: Drawn, times: list[int]) -> None:
        snapshot, on = ample(drawn[0]), drawn[1]
        # A night may be missed for as long as nothing is over in the meantime.
        lookback = evolve(snapshot.account, expired_lookback_days=3_650)
        nightly = patchy = evolve(snapshot, account=lookback)
        for offset, count in enumerate([*times, 1]):
            nightly = night(nightly, on + timedelta(offset))
            for _ in range(count):
                patchy = night(patchy, on + timedelta(offset))
        assert state(patchy) == state(nightly)

    @given(near_ready())
    def test_due_stays_due(self, drawn: Drawn) -> None:
        """Of demand: nothing but the end of the lookback takes a renewal off again by time alone."""
        snapshot, on = ample(drawn[0]), drawn[1]
        tomorrow = {(row.person, row.course): row for row in explain_all(snapshot, on=on + timedelta(1))}
        for row in explain_all(snapshot, on=on):
            later = tomorrow[row.person, row.course]
            new_record = any(record.completed_on == on + timedelta(1) for record in snapshot.records)
            if (
                row.trigger
                and not row.shut
                and not new_record
                and row.expires_on != on - timedelta(days=snapshot.account.expired_lookback_days)
            ):
                assert (later.trigger is not None, later.shut) == (True, ())


class TestTheNextCheck:
    """`next_check_on` is the next date on which the answer changes by time alone: not before it, and on it."""

    @pytest.mark.parametrize("later_by", [1, 30, 270])
    def test_a_record_that_does_not_count_yet(self, later_by: int) -> None:
        """The window that opens next can be that of a record dated to a later day, which will count by then."""
        first = TrainingRecord(person="ana", course="fire", completed_on=ON - timedelta(30))
        second = evolve(first, completed_on=ON + timedelta(later_by))
        found = explain(evolve(SNAPSHOT, records=(first, second)), person="ana", course="fire", on=ON)
        alone = explain(evolve(SNAPSHOT, records=(second,)), person="ana", course="fire", on=second.completed_on)
        assert found.next_check_on == alone.opens_on

    @pytest.mark.parametrize(("last_day", "days"), [(0, 1), (1, 91), (90, 91)])
    def test_from_the_last_day_until_nobody_looks_back(self, last_day: int, days: int) -> None:
        """What expires is expired a day later, and stays so until it lies further back than the account looks."""
        taken = TrainingRecord(
            person="ana", course="fire", completed_on=date(2025, 12, 1), expires_on=date(2026, 12, 1)
        )
        on = date(2026, 12, 1) + timedelta(last_day)
        found = explain(evolve(SNAPSHOT, records=(taken,)), person="ana", course="fire", on=on)
        assert found.next_check_on == date(2026, 12, 1) + timedelta(days)

    @given(near_ready(people=1, courses=1))
    @settings(max_examples=60)
    def test_nothing_changes_before_it(self, drawn: Drawn) -> None:
        snapshot, on = ample(drawn[0]), drawn[1]
        for row in explain_all(snapshot, on=on):
            end = row.next_check_on or on + timedelta(200)
            for offset in range(1, min(200, (end - on).days)):
                assert _answer(snapshot, row.person, row.course, on + timedelta(offset)) == _answer(
                    snapshot, row.person, row.course, on
                )
            if row.next_check_on is not None:
                assert _answer(snapshot, row.person, row.course, row.next_check_on) != _answer(
                    snapshot, row.person, row.course, on
                )


def _answer(snapshot: Snapshot, person: str, course: str, on: date) -> Any:
    found = explain(snapshot, person=person, course=course, on=on)
    return found.status, found.trigger, found.shut, found.outcome


ACCOUNT = Account(id="acme", auto_enrol_missing=True)
PERSON = Person(id="ana", email="ana@acme.example", employment=Employment.EMPLOYEE)
COURSE = Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True, validity=Validity(months=12))
SNAPSHOT = Snapshot(
    account=ACCOUNT,
    courses=(COURSE,),
    personnel=(PERSON,),
    assignments=(Assignment(person="ana", course="fire", level=Level.REQUIRED),),
)

validities = st.one_of(
    st.builds(Validity, months=st.integers(1, 4)),
    st.builds(Validity, days=st.integers(1, 90)),
)


class TestNoRenewalLoop:
    """No valid settings renew for ever: whoever completes a renewal at once is not booked again that night, and is
    booked at most as often as half of the validity fits into the time that passed."""

    @given(validities, st.integers(0, 3650), st.integers(1, 120))
    @settings(max_examples=60)
    def test_completed_at_once(self, validity: Validity, lead: int, nights: int) -> None:
        account = evolve(ACCOUNT, custom_expiry=True, lead_days=lead)
        snapshot = evolve(SNAPSHOT, account=account, courses=(evolve(COURSE, validity=validity),))
        booked = []
        for offset in range(nights):
            on = ON + timedelta(offset)
            snapshot = night(snapshot, on)
            new = [row for row in snapshot.enrolments if row.status is EnrolmentStatus.BOOKED]
            assert len(new) <= 1
            if new:
                booked.append(on)
                snapshot = _completed(snapshot, on)
                assert plan(snapshot, on=on).enrolments == ()
        shortest = validity.days or 28 * (validity.months or 0)
        assert all((later - earlier).days >= shortest / 2 for earlier, later in itertools.pairwise(booked))

    @given(validities, st.integers(0, 3650))
    def test_the_window_never_opens_in_the_first_half(self, validity: Validity, lead: int) -> None:
        account = evolve(ACCOUNT, custom_expiry=True, lead_days=lead)
        done = TrainingRecord(person="ana", course="fire", completed_on=ON)
        snapshot = evolve(SNAPSHOT, account=account, courses=(evolve(COURSE, validity=validity),), records=(done,))
        found = explain(snapshot, person="ana", course="fire", on=ON)
        assert found.expires_on is not None
        assert found.opens_on is not None
        assert (found.opens_on - ON) * 2 >= found.expires_on - ON

    def test_a_record_that_expires_on_the_day_it_was_made(self) -> None:
        """What is written to expire at once is due at once: half of nothing is nothing. The register says so itself,
        a finding cannot know better, and the course's validity would not have said it."""
        day_after = ON + timedelta(1)
        done = TrainingRecord(person="ana", course="fire", completed_on=ON, expires_on=ON)
        snapshot = evolve(SNAPSHOT, records=(done,))
        assert plan(snapshot, on=ON).enrolments[0].because == "expiring"
        assert plan(snapshot, on=day_after).enrolments[0].because == "expired"


def _completed(snapshot: Snapshot, on: date) -> Snapshot:
    """Whoever is booked completes that night, and the record arrives."""
    rows = tuple(
        evolve(row, status=EnrolmentStatus.COMPLETED, ended_on=on) if row.status is EnrolmentStatus.BOOKED else row
        for row in snapshot.enrolments
    )
    done = TrainingRecord(person="ana", course="fire", completed_on=on)
    return evolve(snapshot, enrolments=rows, records=(*snapshot.records, done))


class TestARequestedCancellationHoldsForItsCycle:
    """Cancelled by a person, a renewal is left alone until the next one, however many nights pass; then it is not."""

    def test_for_this_cycle_and_only_this(self) -> None:
        done = TrainingRecord(person="ana", course="fire", completed_on=ON - timedelta(350))
        snapshot = night(evolve(SNAPSHOT, records=(done,)), ON)
        [row] = snapshot.enrolments
        snapshot = applied(snapshot, CancelEnrolment(enrolment=row.id), on=ON)
        for offset in range(100):
            assert plan(snapshot, on=ON + timedelta(offset)).actions == ()
        again = TrainingRecord(person="ana", course="fire", completed_on=ON + timedelta(20))
        later = plan(evolve(snapshot, records=(done, again)), on=ON + timedelta(20 + 345))
        assert [(row.because, row.attempt) for row in later.enrolments] == [("expiring", 0)]

    def test_a_withdrawal_of_the_plan_s_own_does_not_hold(self) -> None:
        done = TrainingRecord(person="ana", course="fire", completed_on=ON - timedelta(350))
        booked = night(evolve(SNAPSHOT, records=(done,)), ON)
        away = evolve(booked, personnel=(evolve(PERSON, archived=True),))
        withdrawn = night(away, ON)
        back = evolve(withdrawn, personnel=(PERSON,))
        [again] = plan(back, on=ON).enrolments
        assert (again.because, again.attempt) == ("expiring", 1)
        assert again.key != booked.enrolments[0].id
