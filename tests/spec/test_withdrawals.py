"""Rule 5: whose booking is taken back, for which of the causes the account has chosen."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy import (
    Delivery,
    Employment,
    EnrolmentStatus,
    OptOut,
    Origin,
    Role,
    Snapshot,
    TrainingRecord,
    Withdrawal,
    plan,
)
from test_gates import DONE, ON, OPTIONAL, SNAPSHOT, account, course, enrolled, enrolment, person

BOOKED = enrolment(EnrolmentStatus.BOOKED, invited_at=datetime(2026, 11, 10, 13, tzinfo=UTC))
RENEWED = TrainingRecord(person="ana", course="fire", completed_on=date(2026, 11, 20), expires_on=date(2027, 11, 20))

# What makes each cause hold, and no cause that stands before it.
CAUSES: dict[Withdrawal, Snapshot] = {
    Withdrawal.SUPERSEDED: evolve(SNAPSHOT, records=(DONE, RENEWED)),
    Withdrawal.PERSON_ARCHIVED: person(archived=True),
    Withdrawal.NO_LONGER_ASSIGNED: evolve(SNAPSHOT, roles=()),
    Withdrawal.COURSE_ARCHIVED: course(archived=True),
    Withdrawal.PERSON_DISABLED: person(auto_enrol=False),
    Withdrawal.COURSE_DISABLED: course(auto_enrol=False),
    Withdrawal.OUT_OF_AUDIENCE: person(employment=Employment.SUBCONTRACTOR),
    Withdrawal.OUT_OF_SCOPE: evolve(SNAPSHOT, roles=(Role(id="warden", requirements=OPTIONAL),)),
}
BY_DEFAULT = {
    Withdrawal.SUPERSEDED,
    Withdrawal.PERSON_ARCHIVED,
    Withdrawal.NO_LONGER_ASSIGNED,
    Withdrawal.COURSE_ARCHIVED,
}


def cancelled(snapshot: Snapshot, **booking: Any) -> list[str]:
    rows = enrolled(evolve(BOOKED, **booking), into=snapshot)
    return [row.because for row in plan(rows, on=ON).cancellations]


def choosing(snapshot: Snapshot, *causes: Withdrawal) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, withdraw_when=frozenset(causes)))


class TestEachCause:
    """A booking is withdrawn for a cause that holds and that the account has chosen, and for no other."""

    def test_nothing_is_wrong(self) -> None:
        assert cancelled(choosing(SNAPSHOT, *Withdrawal)) == []

    @pytest.mark.parametrize("cause", Withdrawal)
    def test_chosen(self, cause: Withdrawal) -> None:
        assert cancelled(choosing(CAUSES[cause], cause)) == [cause.value]
        assert cancelled(choosing(CAUSES[cause], *Withdrawal)) == [cause.value]

    @pytest.mark.parametrize("cause", Withdrawal)
    def test_not_chosen(self, cause: Withdrawal) -> None:
        others = set(Withdrawal) - {cause, Withdrawal.OUT_OF_SCOPE}
        assert cancelled(choosing(CAUSES[cause], *others)) == []

    @pytest.mark.parametrize("cause", Withdrawal)
    def test_four_are_chosen_by_default(self, cause: Withdrawal) -> None:
        assert cancelled(CAUSES[cause]) == ([cause.value] if cause in BY_DEFAULT else [])

    def test_a_course_that_is_no_elearning_any_more(self) -> None:
        assert cancelled(course(delivery=Delivery.CLASSROOM)) == ["course-archived"]

    def test_an_opt_out_disables(self) -> None:
        out = evolve(SNAPSHOT, opt_outs=(OptOut(person="ana", course="fire"),))
        assert cancelled(choosing(out, *Withdrawal)) == ["person-disabled"]


class TestOnlyWhatIsOursAndNotStarted:
    """Automatic and booked: whatever else an enrolment is, it is never withdrawn."""

    @pytest.mark.parametrize("origin", Origin)
    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_status_and_origin(self, status: EnrolmentStatus, origin: Origin) -> None:
        ours = (status, origin) == (EnrolmentStatus.BOOKED, Origin.AUTO)
        assert cancelled(person(archived=True), status=status, origin=origin) == (["person-archived"] if ours else [])


class TestSuperseded:
    """The training is current through another completion than the one the booking renews."""

    def test_a_first_booking_once_a_record_has_arrived(self) -> None:
        assert cancelled(evolve(SNAPSHOT, records=(RENEWED,)), cycle="first") == ["superseded"]

    def test_a_narrowed_lead_supersedes_nothing(self) -> None:
        assert cancelled(account(custom_expiry=True, lead_days=1)) == []

    def test_an_edited_expiry_supersedes_nothing(self) -> None:
        later = evolve(DONE, expires_on=date(2027, 6, 1))
        assert cancelled(evolve(SNAPSHOT, records=(later,))) == []

    def test_another_completion_that_is_due_itself_supersedes_nothing(self) -> None:
        due = evolve(RENEWED, completed_on=date(2025, 12, 5), expires_on=date(2026, 12, 2))
        assert cancelled(evolve(SNAPSHOT, records=(DONE, due))) == []

    def test_a_cycle_nobody_recorded_is_another_one(self) -> None:
        current = evolve(DONE, expires_on=date(2027, 6, 1))
        assert cancelled(evolve(SNAPSHOT, records=(current,)), cycle=None) == ["superseded"]


class TestInvitations:
    """A booking that was made and never announced is announced: unless it is withdrawn, or there is no address."""

    def invited(self, snapshot: Snapshot, **booking: Any) -> list[str]:
        rows = enrolled(evolve(BOOKED, **{"invited_at": None, **booking}), into=snapshot)
        return [row.enrolment for row in plan(rows, on=ON).invitations]

    def test_never_announced(self) -> None:
        assert self.invited(SNAPSHOT) == ["e1"]
        assert self.invited(SNAPSHOT, invited_at=datetime(2026, 11, 11, tzinfo=UTC)) == []

    @pytest.mark.parametrize("origin", Origin)
    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_ours_and_booked(self, status: EnrolmentStatus, origin: Origin) -> None:
        ours = (status, origin) == (EnrolmentStatus.BOOKED, Origin.AUTO)
        assert self.invited(SNAPSHOT, status=status, origin=origin) == (["e1"] if ours else [])

    def test_not_withdrawn_and_reachable(self) -> None:
        assert self.invited(person(archived=True)) == []
        assert self.invited(person(email="ana")) == []

    @given(st.booleans())
    def test_even_with_everything_switched_off(self, active: bool) -> None:
        assert self.invited(account(auto_enrol=False, elearning_plan_active=active)) == ["e1"]
