"""Rule 6: a plan tells each action's preconditions, so that newer data drops just the actions whose facts changed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from documents import near_ready
from enrolpolicy import (
    GATES,
    Account,
    Cancel,
    Course,
    Delivery,
    Employment,
    Enrol,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    InvalidValue,
    Invite,
    Level,
    OptOut,
    Origin,
    Person,
    Rechecked,
    Role,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    cancel,
    load,
    plan,
    preconditions,
    project,
    recheck,
)

ON = date(2026, 11, 23)
NIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def person(id: str) -> Person:
    return Person(id=id, email=f"{id}@acme.example", employment=Employment.EMPLOYEE, roles=(HeldRole(role="warden"),))


def booking(id: str, of: str, **changes: Any) -> Enrolment:
    row = Enrolment(
        id=id, person=of, course="fire", cycle="2025-12-10", origin=Origin.AUTO, status=EnrolmentStatus.BOOKED,
        enrolled_at=NIGHT,
    )  # fmt: skip
    return evolve(row, **changes)


SNAPSHOT = Snapshot(
    account=Account(id="acme", credits=10),
    courses=(Course(id="fire", delivery=Delivery.IHASCO, auto_enrol=True),),
    roles=(Role(id="warden", requirements=(RoleCourse(course="fire", level=Level.REQUIRED),)),),
    personnel=(person("ana"), person("bo"), person("cy"), evolve(person("di"), archived=True)),
    records=tuple(
        TrainingRecord(person=id, course="fire", completed_on=date(2025, 12, 10), expires_on=date(2026, 12, 10))
        for id in ("ana", "bo", "cy", "di")
    ),
    enrolments=(booking("e-cy", "cy"), booking("e-di", "di")),
)
PLAN = plan(SNAPSHOT, on=ON)
ANA, BO, DI, CY = PLAN.actions


def changed(found: Rechecked) -> dict[object, tuple[str, ...]]:
    return {row.action: tuple(change.id for change in row.changed) for row in found.dropped}


def with_person(id: str, **changes: Any) -> Snapshot:
    rows = tuple(evolve(row, **changes) if row.id == id else row for row in SNAPSHOT.personnel)
    return evolve(SNAPSHOT, personnel=rows)


def with_course(**changes: Any) -> Snapshot:
    return evolve(SNAPSHOT, courses=tuple(evolve(row, **changes) for row in SNAPSHOT.courses))


def with_account(**changes: Any) -> Snapshot:
    return evolve(SNAPSHOT, account=evolve(SNAPSHOT.account, **changes))


def with_booking(id: str, **changes: Any) -> Snapshot:
    rows = tuple(evolve(row, **changes) if row.id == id else row for row in SNAPSHOT.enrolments)
    return evolve(SNAPSHOT, enrolments=rows)


class TestAPlanStandsOnItsOwnSnapshot:
    """Nothing is dropped where nothing changed, and everything where the plan was carried out already."""

    @given(near_ready())
    def test_nothing_changed(self, drawn: tuple[str, date]) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        assert recheck(tonight, snapshot) == Rechecked(standing=tonight.actions, dropped=())

    @given(near_ready())
    def test_nothing_is_done_twice(self, drawn: tuple[str, date]) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        tonight = plan(snapshot, on=on)
        again = recheck(tonight, project(snapshot, tonight))
        assert again.standing == ()
        assert all(row.changed for row in again.dropped)


class TestOnlyWhatChangedIsDropped:
    """An enrolment stands on newer data exactly when a plan made on that data would hold the same one."""

    @given(near_ready(), near_ready())
    def test_the_standing_enrolments_are_those_planned_again(
        self, drawn: tuple[str, date], newer: tuple[str, date]
    ) -> None:
        old, new, on = load(drawn[0]), load(newer[0]), drawn[1]
        old, new = (evolve(row, account=evolve(row.account, id="one", credits=None)) for row in (old, new))
        tonight = plan(old, on=on)
        standing = {row for row in recheck(tonight, new).standing if isinstance(row, Enrol)}
        assert standing == set(tonight.enrolments) & set(plan(new, on=on).enrolments)

    def test_one_person_s_change_leaves_the_others(self) -> None:
        found = recheck(PLAN, with_person("ana", auto_enrol=False))
        assert found.standing == (BO, DI, CY)
        assert changed(found) == {ANA: ("person-enabled",)}


class TestTheFactThatChangedIsNamed:
    """Every precondition that fails is named by its id, in words that say what is the case now."""

    @pytest.mark.parametrize(
        ("newer", "expected"),
        [
            (with_course(archived=True), ("course-active",)),
            (with_course(auto_enrol=False), ("course-enabled",)),
            (with_course(credit_cost=2), ("same-cost",)),
            (with_account(elearning_plan_active=False), ("plan-active",)),
            (evolve(SNAPSHOT, opt_outs=(OptOut(person="ana", course="fire"),)), ("person-enabled",)),
            (with_person("ana", email=None), ("reachable",)),
            (with_person("ana", roles=()), ("assigned", "in-scope")),
            (evolve(SNAPSHOT, enrolments=(booking("new", "ana"),)), ("not-enrolled",)),
            (
                evolve(SNAPSHOT, enrolments=(booking("new", "ana", status=EnrolmentStatus.CANCELLED),)),
                ("same-attempt",),
            ),
            (
                evolve(SNAPSHOT, records=(evolve(SNAPSHOT.records[0], expires_on=date(2026, 12, 11)),)),
                ("same-expiry",),
            ),
            (evolve(SNAPSHOT, records=()), ("expiring", "missing-enabled", "same-cycle", "same-expiry")),
            (evolve(SNAPSHOT, personnel=()), ("known",)),
            (evolve(SNAPSHOT, courses=()), ("known",)),
            # two bookings are open, so that two credits leave none
            (with_account(credits=2), ("credits",)),
            (with_account(spread_days=3650), ("spread",)),
        ],
    )
    def test_of_an_enrolment(self, newer: Snapshot, expected: tuple[str, ...]) -> None:
        found = recheck(PLAN, newer)
        assert changed(found)[ANA] == expected
        [stale] = (row for row in found.dropped if row.action == ANA)
        assert all(change.sentence and "{" not in change.sentence for change in stale.changed)

    @pytest.mark.parametrize(
        ("newer", "expected"),
        [
            (with_booking("e-di", status=EnrolmentStatus.IN_PROGRESS), ("booked",)),
            (with_booking("e-di", origin=Origin.MANUAL), ("automatic",)),
            (with_booking("e-di", person="cy"), ("known",)),
            (with_person("di", archived=False), ("person-archived",)),
            (with_account(withdraw_when=frozenset()), ("person-archived",)),
            (evolve(SNAPSHOT, enrolments=()), ("known",)),
        ],
    )
    def test_of_a_cancellation(self, newer: Snapshot, expected: tuple[str, ...]) -> None:
        assert changed(recheck(PLAN, newer))[DI] == expected

    @pytest.mark.parametrize(
        ("newer", "expected"),
        [
            (with_booking("e-cy", invited_at=NIGHT + timedelta(hours=1)), ("not-invited",)),
            (with_booking("e-cy", status=EnrolmentStatus.CANCELLED), ("booked",)),
            (with_person("cy", email="cy at acme"), ("reachable",)),
            (with_person("cy", archived=True), ("not-withdrawn",)),
        ],
    )
    def test_of_an_invitation(self, newer: Snapshot, expected: tuple[str, ...]) -> None:
        assert changed(recheck(PLAN, newer))[CY] == expected

    def test_of_a_requested_cancellation(self) -> None:
        asked = cancel(SNAPSHOT, "e-cy")
        assert isinstance(asked, Cancel)
        mine = evolve(PLAN, actions=(asked,))
        assert recheck(mine, SNAPSHOT).standing == (asked,)
        assert changed(recheck(mine, with_booking("e-cy", status=EnrolmentStatus.IN_PROGRESS))) == {asked: ("booked",)}


class TestAReasonThatIsNone:
    """An enrolment for a reason that is no trigger, as an edited document may have it, is dropped."""

    DUE, CURRENT = SNAPSHOT, evolve(SNAPSHOT, records=(evolve(SNAPSHOT.records[0], expires_on=date(2036, 12, 10)),))

    @pytest.mark.parametrize("because", ["", "because", "no-trigger", "reachable", "superseded"])
    @pytest.mark.parametrize("register", [DUE, CURRENT])
    def test_it_is_dropped(self, register: Snapshot, because: str) -> None:
        assert isinstance(ANA, Enrol)
        edited = evolve(ANA, because=because, expires_on=register.records[0].expires_on)
        found = recheck(evolve(PLAN, actions=(edited,)), register)
        assert found.standing == ()
        assert changed(found) == {edited: ("known",)}

    def test_another_trigger(self) -> None:
        assert isinstance(ANA, Enrol)
        edited = evolve(ANA, because="expired")
        assert changed(recheck(evolve(PLAN, actions=(edited,)), SNAPSHOT)) == {edited: ("expired",)}


class TestWhatAnActionRestsOn:
    """The preconditions follow from an action alone: its rules, and what it promised."""

    def test_an_enrolment_rests_on_its_trigger_and_every_gate(self) -> None:
        assert preconditions(ANA)[:2] == ("known", "expiring")
        assert preconditions(ANA)[2 : 2 + len(GATES)] == tuple(gate.id for gate in GATES)

    def test_a_booking_rests_on_not_being_started(self) -> None:
        assert preconditions(DI) == ("known", "automatic", "booked", "person-archived")
        assert isinstance(CY, Invite)
        assert preconditions(CY) == ("known", "automatic", "booked", "not-invited", "not-withdrawn", "reachable")

    @given(near_ready(), near_ready())
    def test_what_is_named_is_among_them(self, drawn: tuple[str, date], newer: tuple[str, date]) -> None:
        old, new = (load(text) for text, _ in (drawn, newer))
        new = evolve(new, account=evolve(new.account, id=old.account.id))
        for row in recheck(plan(old, on=drawn[1]), new).dropped:
            assert {change.id for change in row.changed} <= set(preconditions(row.action))

    def test_another_account_s_plan_is_refused(self) -> None:
        with pytest.raises(InvalidValue, match="is for account `acme`, not `other`; plan anew"):
            recheck(PLAN, with_account(id="other"))
