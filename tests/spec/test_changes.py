"""Rules 5 and 8: what somebody wants to be different, whether they may, and the snapshot in which it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve, fields

from enrolpolicy import (
    Actor,
    Amended,
    Area,
    Audience,
    Cancel,
    CancelEnrolment,
    CancelRefused,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
    EnrolmentStatus,
    Guards,
    InvalidValue,
    OptOut,
    Origin,
    Permission,
    PermissionDenied,
    Scope,
    Snapshot,
    UnknownId,
    Withdrawal,
    amend,
    applied,
    cancel,
    plan,
)
from enrolpolicy.changes import AREAS, Change
from test_gates import ON, enrolled, enrolment

OWNER = Actor(id="ola", account="acme", permissions=frozenset({Permission.ACCOUNT_OWNER}))
NOBODY = Actor(id="kim", account="acme", permissions=frozenset())
BOOKED = enrolled(enrolment(EnrolmentStatus.BOOKED))


class TestARequestedCancellation:
    """A booking of ours that was not started can be cancelled; everything else is refused, with its own code."""

    def test_had(self) -> None:
        assert cancel(BOOKED, "e1") == Cancel(enrolment="e1", person="ana", course="fire", because="requested")

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            ("pending", "pending"),
            ("in-progress", "in-progress"),
            ("completed", "completed"),
            ("cancelled", "already-cancelled"),
            ("refused", "refused"),
        ],
    )
    def test_refused_for_its_status(self, status: str, code: str) -> None:
        answer = cancel(enrolled(enrolment(EnrolmentStatus(status))), "e1")
        assert isinstance(answer, CancelRefused)
        assert (answer.enrolment, answer.code) == ("e1", code)

    @pytest.mark.parametrize("status", EnrolmentStatus)
    def test_made_by_hand(self, status: EnrolmentStatus) -> None:
        answer = cancel(enrolled(enrolment(status, origin=Origin.MANUAL)), "e1")
        assert isinstance(answer, CancelRefused)
        assert answer.code == "manual"

    def test_unknown(self) -> None:
        answer = cancel(BOOKED, "e2")
        assert isinstance(answer, CancelRefused)
        assert (answer.code, answer.sentence) == ("unknown", "there is no such enrolment in the snapshot; check its id")


CHANGES: list[tuple[Change, Area, str, tuple[tuple[str, str, str], ...]]] = [
    (ChangeCourse(course="fire", auto_enrol=False), Area.COURSE, "fire", (("auto_enrol", "True", "False"),)),
    (
        ChangeCourse(course="fire", audience=Audience.EVERYONE, scope=Scope.REQUIRED_AND_OPTIONAL, lead_days=14),
        Area.COURSE,
        "fire",
        (
            ("audience", "employees", "everyone"),
            ("scope", "required", "required-and-optional"),
            ("lead_days", "None", "14"),
        ),
    ),
    (
        ChangeAccount(auto_enrol_missing=True, missing_since=ON, guards=Guards(max_credits=5)),
        Area.ACCOUNT,
        "acme",
        (
            ("auto_enrol_missing", "False", "True"),
            ("missing_since", "None", "2026-11-23"),
            ("guards", "(None, None, None, None)", "(None, 5, None, None)"),
        ),
    ),
    (
        ChangeAccount(withdraw_when=frozenset({Withdrawal.SUPERSEDED})),
        Area.ACCOUNT,
        "acme",
        (
            (
                "withdraw_when",
                "('course-archived', 'no-longer-assigned', 'person-archived', 'superseded')",
                "('superseded',)",
            ),
        ),
    ),
    (ChangePerson(person="ana", auto_enrol=False), Area.PERSON, "ana", (("auto_enrol", "True", "False"),)),
    (
        ChangeOptOut(person="ana", course="fire", opted_out=True),
        Area.PERSON,
        "ana",
        (("opted out of fire", "False", "True"),),
    ),
    (
        CancelEnrolment(enrolment="e1"),
        Area.CANCELLING,
        "e1",
        (
            ("status", "booked", "cancelled"),
            ("ended_on", "None", "2026-11-23"),
            ("ended_because", "None", "requested"),
        ),
    ),
]


class TestAChange:
    """Made by somebody who may, it gives a new snapshot, and an entry that tells every field that changed."""

    @pytest.mark.parametrize(("change", "area", "target", "changed"), CHANGES)
    def test_the_entry(self, change: Change, area: Area, target: str, changed: Any) -> None:
        after = amend(BOOKED, change, OWNER, on=ON)
        assert isinstance(after, Amended)
        entry = after.entry
        assert (entry.actor, entry.account, entry.on, entry.area, entry.target) == ("ola", "acme", ON, area, target)
        assert entry.changed == changed
        assert after.snapshot == applied(BOOKED, change, on=ON)

    @pytest.mark.parametrize(("change", "area", "target", "changed"), CHANGES)
    def test_denied_to_who_may_not(self, change: Change, area: Area, target: str, changed: Any) -> None:
        before = hash(BOOKED)
        assert amend(BOOKED, change, NOBODY, on=ON) == PermissionDenied(actor="kim", area=area, code="not-permitted")
        assert hash(BOOKED) == before

    @pytest.mark.parametrize(("change", "area", "target", "changed"), CHANGES[:-1])
    def test_made_twice_it_changes_nothing_more(self, change: Change, area: Area, target: str, changed: Any) -> None:
        once = applied(BOOKED, change, on=ON)
        again = amend(once, change, OWNER, on=ON)
        assert isinstance(again, Amended)
        assert (again.snapshot, again.entry.changed) == (once, ())

    def test_only_what_is_named_changes(self) -> None:
        after = applied(BOOKED, ChangeCourse(course="fire", lead_days=14), on=ON)
        assert evolve(after, courses=BOOKED.courses) == BOOKED
        [old], [new] = BOOKED.courses, after.courses
        assert evolve(new, lead_days=None) == old

    def test_undone(self) -> None:
        on_and_off = applied(BOOKED, ChangeAccount(lead_days=9, custom_expiry=True), on=ON)
        assert applied(on_and_off, ChangeAccount(lead_days=None, custom_expiry=False), on=ON) == BOOKED
        out = applied(BOOKED, ChangeOptOut(person="ana", course="fire", opted_out=True), on=ON)
        assert out.opt_outs == (OptOut(person="ana", course="fire"),)
        assert applied(out, ChangeOptOut(person="ana", course="fire", opted_out=False), on=ON) == BOOKED

    def test_every_setting_of_the_account_can_be_changed_but_what_is_not_a_setting(self) -> None:
        fixed = {"id", "timezone", "elearning_plan_active", "credits"}
        assert {one.name for one in fields(ChangeAccount)} == {one.name for one in fields(type(BOOKED.account))} - fixed

    def test_every_change_has_its_area(self) -> None:
        assert {type(change) for change, *_ in CHANGES} == set(AREAS)

    @pytest.mark.parametrize(
        "change",
        [
            ChangeCourse(course="water"),
            ChangePerson(person="bo", auto_enrol=False),
            ChangeOptOut(person="bo", course="fire", opted_out=True),
            ChangeOptOut(person="ana", course="water", opted_out=True),
            CancelEnrolment(enrolment="e9"),
        ],
    )
    def test_to_something_unknown(self, change: Change) -> None:
        with pytest.raises(UnknownId, match="check the id's spelling"):
            applied(BOOKED, change, on=ON)

    def test_to_a_value_its_field_cannot_hold(self) -> None:
        with pytest.raises(InvalidValue, match="lead_days"):
            amend(BOOKED, ChangeCourse(course="fire", lead_days=-1), OWNER, on=ON)

    def test_a_cancellation_that_is_refused_changes_nothing(self) -> None:
        started: Snapshot = enrolled(enrolment(EnrolmentStatus.IN_PROGRESS))
        answer = amend(started, CancelEnrolment(enrolment="e1"), OWNER, on=ON)
        assert isinstance(answer, CancelRefused)
        assert answer.code == "in-progress"
        assert applied(started, CancelEnrolment(enrolment="e1"), on=ON) == started

    def test_a_cancellation_outlives_midnight(self) -> None:
        row = enrolment(EnrolmentStatus.BOOKED, invited_at=datetime(2026, 11, 11, tzinfo=UTC))
        after = applied(enrolled(row), CancelEnrolment(enrolment="e1"), on=ON)
        assert plan(after, on=ON).counts.not_enrolled == (("not-cancelled", 1),)
