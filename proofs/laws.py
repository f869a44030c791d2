"""The laws of the rule kernel, for CrossHair: each holds on every path, or a counter-example is found.

A law is a function. The asserts before its first other statement say what is given, if only a type; those after it what
follows. What is called is the library's own. Days are counted from 2000-01-01 and held to where the arithmetic cannot
leave the calendar; the calendar's ends, and months, belong to the tests, because their paths cannot be exhausted.
"""

from datetime import date, timedelta

from attrs import evolve

from enrolpolicy.bookings import retry_on
from enrolpolicy.facts import Facts, Status
from enrolpolicy.lifecycle import ENDED, Event, Forbidden, move
from enrolpolicy.model import (
    Account,
    Audience,
    Course,
    Delivery,
    EnrolmentStatus,
    Level,
    Scope,
    TrainingRecord,
    Validity,
    Withdrawal,
)
from enrolpolicy.permissions import Actor, Area, Permission, permits
from enrolpolicy.policy import GATES, TRIGGERS, WITHDRAWALS
from enrolpolicy.renewal import counted, effective_lead, lead_of, standing, status_on
from enrolpolicy.verdict import Verdict, withdrawn_because

TRIGGER = {row.id: row.holds for row in TRIGGERS}
GATE = {row.id: row.holds for row in GATES}
WITHDRAWN = {row.id: row.holds for row in WITHDRAWALS}
ZERO = date(2000, 1, 1)


def day(number: int) -> date:
    """A date, counted in days."""
    return ZERO + timedelta(number)


# Triggers


def at_most_one_trigger_fires(facts: Facts) -> None:
    """Triggers exclude each other."""
    assert isinstance(facts, Facts)
    fired = [holds(facts) for holds in TRIGGER.values()]
    assert fired.count(True) <= 1


def what_is_current_is_never_due(facts: Facts) -> None:
    """No trigger fires for a training that is current."""
    assert facts.status is Status.CURRENT
    fired = [holds(facts) for holds in TRIGGER.values()]
    assert True not in fired


def looking_back_further_removes_nobody(facts: Facts) -> None:
    """Whoever has a trigger with a shorter lookback has one with a longer."""
    assert not facts.lately_expired
    wider = evolve(facts, lately_expired=True)
    fired = [(holds(facts), holds(wider)) for holds in TRIGGER.values()]
    assert (True, False) not in fired


# Gates


def a_wider_audience_removes_nobody(facts: Facts) -> None:
    """Whom a course for employees enrols, a course for everyone enrols too."""
    assert isinstance(facts, Facts)
    wider = evolve(facts, audience=Audience.EVERYONE)
    assert GATE["in-audience"](wider) or not GATE["in-audience"](facts)


def a_wider_scope_removes_nobody(facts: Facts) -> None:
    """Whom a course for required training enrols, one for optional training enrols too."""
    assert isinstance(facts, Facts)
    wider = evolve(facts, scope=Scope.REQUIRED_AND_OPTIONAL)
    assert GATE["in-scope"](wider) or not GATE["in-scope"](facts)


def required_training_is_always_in_scope(facts: Facts) -> None:
    """No scope leaves out what is required."""
    assert facts.level is Level.REQUIRED
    holds = GATE["in-scope"](facts)
    assert holds


def missing_settings_concern_missing_training_alone(facts: Facts) -> None:
    """The switch for missing training and its date say nothing about training that is on record."""
    assert facts.status is not Status.MISSING
    other = evolve(facts, missing_enabled=not facts.missing_enabled, asked_since=not facts.asked_since)
    assert GATE["missing-enabled"](facts) and GATE["missing-enabled"](other)


def what_is_no_elearning_is_never_booked(facts: Facts) -> None:
    """Only what the vendor or a SCORM package teaches can be booked."""
    assert isinstance(facts, Facts)
    holds = GATE["course-elearning"](facts)
    assert holds == (facts.delivery not in (Delivery.CLASSROOM, Delivery.OTHER))


def either_toggle_takes_out(facts: Facts) -> None:
    """The toggle on the profile and the opt-out from a course each suffice."""
    assert isinstance(facts, Facts)
    holds = GATE["person-enabled"](facts)
    assert holds == (not (facts.opted_out or not facts.person_enabled))


# Withdrawals


def a_withdrawal_is_its_gates_seen_from_the_other_side(facts: Facts) -> None:
    """Every cause but the first holds just where a gate of its own is shut."""
    assert isinstance(facts, Facts)
    sides = {
        "person-archived": GATE["person-active"](facts),
        "no-longer-assigned": GATE["assigned"](facts),
        "person-disabled": GATE["person-enabled"](facts),
        "course-disabled": GATE["course-enabled"](facts),
        "out-of-audience": GATE["in-audience"](facts),
        "out-of-scope": GATE["in-scope"](facts),
    }
    assert all(WITHDRAWN[cause](facts) != opened for cause, opened in sides.items())


def nothing_due_is_superseded(facts: Facts) -> None:
    """A booking is superseded only where the training is current again, by another completion."""
    assert isinstance(facts, Facts)
    holds = WITHDRAWN["superseded"](facts)
    assert holds == (facts.status is Status.CURRENT and facts.other_cycle)


def only_a_chosen_cause_withdraws(facts: Facts, archived: bool, disabled: bool) -> None:
    """What an account did not choose never takes a booking back."""
    assert isinstance(facts, Facts)
    chosen = {Withdrawal.PERSON_ARCHIVED: archived, Withdrawal.PERSON_DISABLED: disabled}
    because = withdrawn_because(facts, frozenset(cause for cause, ticked in chosen.items() if ticked))
    assert because is None or chosen[Withdrawal(because)]


def choosing_another_cause_keeps_what_was_withdrawn(facts: Facts) -> None:
    """One more cause never saves a booking."""
    assert isinstance(facts, Facts)
    fewer = withdrawn_because(facts, frozenset({Withdrawal.PERSON_DISABLED}))
    more = withdrawn_because(facts, frozenset({Withdrawal.PERSON_DISABLED, Withdrawal.PERSON_ARCHIVED}))
    assert fewer is None or more is not None


# Verdict


def a_gate_can_only_refuse(trigger: bool, first: bool, second: bool) -> None:
    """Whoever is enrolled with a gate shut is enrolled with it open, and never the other way."""
    assert isinstance(trigger, bool)
    because = "expiring" if trigger else None
    shut = tuple(id for id, is_shut in (("assigned", first), ("reachable", second)) if is_shut)
    with_gates, without = Verdict(because, shut), Verdict(because, ())
    assert without.enrols or not with_gates.enrols
    assert with_gates.enrols == (trigger and not first and not second)
    assert (with_gates.reason is None) == with_gates.enrols


# Windows


def the_lead_is_held_to_half(validity: int, lead: int) -> None:
    """A window is never longer than its lead, and never opens in the first half of what it renews."""
    assert 0 <= validity <= 40_000 and 0 <= lead <= 3650
    effective = effective_lead(ZERO, day(validity), lead)
    assert 0 <= effective <= lead
    assert 2 * effective <= validity


def a_status_is_a_place_on_the_calendar(validity: int, lead: int, gone: int) -> None:
    """Current before the window, expiring in it, up to and including the last valid day, expired behind."""
    assert 0 <= validity <= 40_000 and 0 <= lead <= 3650 and 0 <= gone <= 50_000
    found = standing(ZERO, day(validity), lead, day(gone))
    assert found.opens_on is not None
    assert (found.status is Status.EXPIRED) == (gone > validity)
    assert (found.status is Status.EXPIRING) == (found.opens_on <= day(gone) <= day(validity))


def a_longer_lead_removes_nobody(validity: int, lead: int, longer: int, gone: int) -> None:
    """Whoever is due is due with a longer lead."""
    assert 0 <= validity <= 40_000 and 0 <= lead <= longer <= 3650 and 0 <= gone <= 50_000
    due = status_on(ZERO, day(validity), lead, day(gone)) is Status.EXPIRING
    assert not due or status_on(ZERO, day(validity), longer, day(gone)) is Status.EXPIRING


def what_is_due_stays_due(validity: int, lead: int, gone: int) -> None:
    """The night after, it is due still, or expired: a missed night loses nobody."""
    assert 0 <= validity <= 40_000 and 0 <= lead <= 3650 and 0 <= gone <= 50_000
    due = status_on(ZERO, day(validity), lead, day(gone)) is Status.EXPIRING
    assert not due or status_on(ZERO, day(validity), lead, day(gone + 1)) in (Status.EXPIRING, Status.EXPIRED)


def nothing_is_due_on_the_day_it_was_done(validity: int, lead: int) -> None:
    """No settings renew for ever: what lasts a day or more is not due at once."""
    assert 1 <= validity <= 40_000 and 0 <= lead <= 3650
    status = status_on(ZERO, day(validity), lead, ZERO)
    assert status is Status.CURRENT


def all_days_moved_together_change_nothing(validity: int, lead: int, gone: int, by: int) -> None:
    """The status depends on the distance between days, not on which they are."""
    assert 0 <= validity <= 40_000 and 0 <= lead <= 3650 and 0 <= gone <= 50_000 and 0 <= by <= 10_000
    here = status_on(ZERO, day(validity), lead, day(gone))
    assert status_on(day(by), day(validity + by), lead, day(gone + by)) is here


def days_count_only_where_switched_on(account_days: int, course_days: int) -> None:
    """With custom expiry off no stored number matters; with it on the course's wins."""
    assert 0 <= account_days <= 3650 and 0 <= course_days <= 3650
    course = Course(id="c", delivery=Delivery.SCORM, lead_days=course_days)
    off = lead_of(Account(id="a", lead_days=account_days), course)
    on = lead_of(Account(id="a", lead_days=account_days, custom_expiry=True), course)
    assert (off.days, on.days) == (30, course_days)


# Records


def the_order_of_records_does_not_matter(first: int, second: int, lasts: int, forever: bool, on: int) -> None:
    """The same record counts, whichever stands first."""
    assert 0 <= first <= 3000 and 0 <= second <= 3000 and 0 <= lasts <= 3000 and 0 <= on <= 6000
    one = TrainingRecord(person="p", course="c", completed_on=day(first), expires_on=day(first + lasts))
    other = TrainingRecord(person="p", course="c", completed_on=day(second), never_expires=forever)
    validity = Validity(days=365)
    assert counted((one, other), validity, day(on)) == counted((other, one), validity, day(on))


def what_was_not_completed_yet_does_not_count(completed: int, on: int) -> None:
    """A record counts from the day it was completed."""
    assert 0 <= completed <= 3000 and 0 <= on <= 3000
    record = TrainingRecord(person="p", course="c", completed_on=day(completed))
    assert (counted((record,), None, day(on)) is None) == (on < completed)


# Refusals


def pauses_double_up_to_a_month(refusals: int, on: int) -> None:
    """1, 2, 4, 8, 16 days, and 32 ever after."""
    assert 1 <= refusals <= 40 and 0 <= on <= 3000
    pause = (retry_on(day(on), refusals) - day(on)).days
    assert pause == (2 ** (refusals - 1) if refusals <= 6 else 32)


# Lifecycle


def nothing_leads_out_of_an_end(status: EnrolmentStatus, event: Event) -> None:
    """What has ended stays as it is."""
    assert status in ENDED
    found = move(status, event)
    assert isinstance(found, Forbidden)


def what_was_started_is_never_cancelled(status: EnrolmentStatus, event: Event) -> None:
    """Only a booking that nobody started can be cancelled."""
    assert isinstance(status, EnrolmentStatus)
    found = move(status, event)
    assert found is not EnrolmentStatus.CANCELLED or status is EnrolmentStatus.BOOKED


def nothing_goes_back(status: EnrolmentStatus, event: Event) -> None:
    """No event leads to pending, or from started to booked."""
    assert isinstance(status, EnrolmentStatus)
    found = move(status, event)
    assert found is not EnrolmentStatus.PENDING
    assert found is not EnrolmentStatus.BOOKED or status is EnrolmentStatus.PENDING


# Permissions


def actor(permissions: frozenset[Permission], ours: bool, active: bool, primary: bool) -> Actor:
    """Somebody with these permissions, of this account or of another."""
    division = None if primary else "north"
    return Actor(
        id="kim", account="acme" if ours else "other", permissions=permissions, division=division, active=active
    )


def held(owner: bool, admin: bool, courses: bool, personnel: bool) -> frozenset[Permission]:
    """The permissions ticked."""
    ticked = zip(Permission, (owner, admin, courses, personnel), strict=True)
    return frozenset(permission for permission, has in ticked if has)


def strangers_and_leavers_change_nothing(area: Area, ours: bool, active: bool, owner: bool, primary: bool) -> None:
    """An actor of another account, or one who is not active, may do nothing whatever they hold."""
    assert not (ours and active)
    may = permits(actor(held(owner, True, True, True), ours, active, primary), area, "acme")
    assert not may


def one_more_permission_never_takes_one_away(area: Area, admin: bool, courses: bool, personnel: bool) -> None:
    """Whoever may change something may with one permission more."""
    assert isinstance(area, Area)
    fewer = actor(held(False, admin, courses, personnel), ours=True, active=True, primary=True)
    more = actor(held(True, admin, courses, personnel), ours=True, active=True, primary=True)
    assert permits(more, area, "acme") or not permits(fewer, area, "acme")


def editors_keep_to_their_area(area: Area, courses: bool, personnel: bool, primary: bool) -> None:
    """Editors change courses, or people and their bookings; never the account's settings."""
    assert isinstance(area, Area)
    may = permits(actor(held(False, False, courses, personnel), True, True, primary), area, "acme")
    assert not may or area is not Area.ACCOUNT
    assert may == ((courses and area is Area.COURSE) or (personnel and area in (Area.PERSON, Area.CANCELLING)))


def account_settings_are_changed_at_the_primary_division(owner: bool, admin: bool, primary: bool) -> None:
    """Even an owner goes there first."""
    assert isinstance(owner, bool)
    may = permits(actor(held(owner, admin, True, True), True, True, primary), Area.ACCOUNT, "acme")
    assert may == (primary and (owner or admin))
