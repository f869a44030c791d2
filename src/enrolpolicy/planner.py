"""The plan of a night, and the snapshot after it.

Two stages, kept apart (rule 4). *Demand* is each candidate's own verdict, in which nobody else has a say. *Allocation*
ranks the demand, holds some of it back to spread the load, and pays for the rest while credits last: the first that
cannot be paid ends it for all paid ones behind, so that one more credit never takes anybody off.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import final

from attrs import evolve, frozen

from enrolpolicy.bookings import OPEN
from enrolpolicy.candidate import enrolment_key, usable
from enrolpolicy.dates import first_instant
from enrolpolicy.errors import InvalidValue
from enrolpolicy.facts import facts_of
from enrolpolicy.findings import canonical_findings
from enrolpolicy.model import Account, Enrolment, EnrolmentStatus, Guards, Level, Origin, Snapshot
from enrolpolicy.night import OTHER_CYCLE, Night, Reading, night
from enrolpolicy.plans import Action, Cancel, Counts, Deferred, Enrol, Invite, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER
from enrolpolicy.resting import collector_at_rest
from enrolpolicy.sweep import sweep
from enrolpolicy.verdict import verdict_of, withdrawn_because

KEPT_CLEAR_DAYS = 7
"""A renewal is never spread into the last days before its expiry."""

RESERVING = frozenset({EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED})


@final
@frozen(kw_only=True, eq=False)
class Demand:
    """Somebody who is to be enrolled, before others are looked at."""

    account: str
    person: str
    course: str
    cycle: str
    attempt: int
    because: str
    level: Level | None
    expires_on: date | None
    opens_on: date | None
    credits: int

    @property
    def rank(self) -> tuple[bool, bool, date, str, str]:
        """Renewals first, then what is required, then what expires first, then by id."""
        missing = self.expires_on is None
        return missing, self.level is not Level.REQUIRED, self.expires_on or date.min, self.person, self.course

    @property
    def key(self) -> str:
        """The identity of the enrolment asked for."""
        return enrolment_key(self.account, self.person, self.course, self.cycle, self.attempt)


@final
@frozen(eq=False)
class Survey:
    """What every candidate asks for by itself."""

    demand: tuple[Demand, ...]
    cancellations: tuple[Cancel, ...]
    invitations: tuple[Invite, ...]
    reasons: Mapping[str, int]


def plan(snapshot: Snapshot, *, on: date, people: Collection[str] | None = None) -> Plan:
    """Tonight's plan: whom to enrol, whose booking to cancel, whom to invite again, who waits, and what was noticed.

    `on` is the account's local date (`run_date`). With `people`, the same answers for some people only: what the whole
    night would give them, credits included. Raises `UnknownId` for a person the snapshot does not have. The same
    snapshot and date give the same plan, whatever the order of the rows; nothing is changed, and no clock is read.
    """
    if isinstance(people, str):  # also a collection of texts, and never meant as one
        raise InvalidValue("people", "must be a collection of ids, like `{id}`, not one id")
    with collector_at_rest():
        return planned(snapshot, night(snapshot, on, people), people)


def planned(snapshot: Snapshot, tonight: Night, people: Collection[str] | None = None) -> Plan:
    """The same of a night that was read before, of the same snapshot and people."""
    account, on = snapshot.account, tonight.on
    surveyed = survey(tonight)
    demand = surveyed.demand
    if people is not None and account.credits is not None:
        # Credits are the one thing people share: who else asks for them has to be known.
        demand = survey(night(snapshot, on)).demand
    enrolled, deferred = allocate(demand, account, on, available_credits(snapshot))
    if people is not None:
        enrolled = [row for row in enrolled if row.person in people]
        deferred = [row for row in deferred if row.person in people]
    actions = ordered(enrolled, surveyed.cancellations, surveyed.invitations)
    return Plan(
        account=account.id,
        on=on,
        actions=actions,
        deferred=tuple(sorted(deferred, key=_pair)),
        findings=canonical_findings(snapshot, on),
        guards=tripped(snapshot, actions, cancellable(snapshot)),
        counts=Counts(
            enrol=len(enrolled),
            cancel=len(surveyed.cancellations),
            invite=len(surveyed.invitations),
            deferred=len(deferred),
            not_enrolled=_in_table_order(surveyed.reasons),
        ),
        source=snapshot,
    )


def survey(tonight: Night) -> Survey:
    """Ask every candidate of a night."""
    found = sweep(tonight)
    demand = [demand_of(tonight, tonight.read(person, course, code)) for person, course, code in found.enrols]
    booked = [
        tonight.read(person, course)
        for person, of_person in tonight.register.enrolments.items()
        for course, rows in of_person.items()
        if any(map(is_ours_and_booked, rows))
    ]
    looked_after = [upkeep(tonight, reading) for reading in booked]
    cancellations = [cancel for withdrawn, _ in looked_after for cancel in withdrawn]
    invitations = [invite for _, forgotten in looked_after for invite in forgotten]
    return Survey(tuple(demand), tuple(cancellations), tuple(invitations), found.reasons)


def upkeep(tonight: Night, reading: Reading) -> tuple[list[Cancel], list[Invite]]:
    """What a night does about the bookings of a pair: those it withdraws, and those whose invitation it repeats."""
    cancellations = list(_withdrawals(tonight, reading))
    withdrawn = {cancel.enrolment for cancel in cancellations}
    return cancellations, list(_invitations(reading, withdrawn))


def demand_of(tonight: Night, reading: Reading) -> Demand:
    """What a candidate that is to be enrolled asks for."""
    because = verdict_of(reading.code).trigger
    person, course, standing = reading.person.id, reading.course, reading.renewal
    assert because is not None
    return Demand(
        account=tonight.register.account.id,
        person=person,
        course=course.id,
        cycle=standing.cycle,
        attempt=reading.bookings.attempt,
        because=because,
        level=tonight.register.levels[person].get(course.id),
        expires_on=standing.expires_on,
        opens_on=standing.opens_on,
        credits=course.credit_cost,
    )


def _withdrawals(tonight: Night, reading: Reading) -> Iterable[Cancel]:
    causes = tonight.register.account.withdraw_when
    for row in reading.enrolments:
        if not is_ours_and_booked(row):
            continue
        facts = facts_of(reading.code | (OTHER_CYCLE if row.cycle != reading.renewal.cycle else 0))
        cause = withdrawn_because(facts, causes)
        if cause is not None:
            yield Cancel(enrolment=row.id, person=row.person, course=row.course, because=cause)


def _invitations(reading: Reading, withdrawn: Collection[str]) -> Iterable[Invite]:
    for row in reading.enrolments:
        forgotten = is_ours_and_booked(row) and row.invited_at is None and row.id not in withdrawn
        if forgotten and usable(reading.person.email):
            yield Invite(enrolment=row.id, person=row.person, course=row.course)


def is_ours_and_booked(row: Enrolment) -> bool:
    """Whether a booking is one this policy may withdraw or invite to: made by it, and not started."""
    return row.origin is Origin.AUTO and row.status is EnrolmentStatus.BOOKED


# Allocation


def available_credits(snapshot: Snapshot) -> int | None:
    """The balance less what open bookings have reserved; None where credits are not metered."""
    if snapshot.account.credits is None:
        return None
    people = {person.id for person in snapshot.personnel}
    costs = {course.id: course.credit_cost for course in snapshot.courses}
    reserved = sum(
        costs.get(row.course, 0) for row in snapshot.enrolments if row.status in RESERVING and row.person in people
    )
    return snapshot.account.credits - reserved


def allocate(
    demand: Iterable[Demand], account: Account, on: date, available: int | None
) -> tuple[list[Enrol], list[Deferred]]:
    """Who of the demand is enrolled tonight, and who waits, and for what."""
    enrolled: list[Enrol] = []
    deferred: list[Deferred] = []
    asked = 0
    for row in sorted(demand, key=_rank):
        until = spread_until(row, account.spread_days)
        if until is not None and on < until:
            deferred.append(_deferred(row, "spread", until=until))
            continue
        asked += row.credits
        if row.credits == 0 or available is None or asked <= available:
            enrolled.append(_enrol(row))
        else:
            deferred.append(_deferred(row, "credits", shortfall=asked - available))
    return enrolled, deferred


def _enrol(row: Demand) -> Enrol:
    return Enrol(
        person=row.person,
        course=row.course,
        cycle=row.cycle,
        attempt=row.attempt,
        because=row.because,
        expires_on=row.expires_on,
        credits=row.credits,
        key=row.key,
    )


def _rank(row: Demand) -> tuple[bool, bool, date, str, str]:
    return row.rank


def _deferred(row: Demand, because: str, until: date | None = None, shortfall: int | None = None) -> Deferred:
    return Deferred(
        person=row.person, course=row.course, cycle=row.cycle, because=because, until=until, shortfall=shortfall
    )


def spread_until(row: Demand, spread_days: int) -> date | None:
    """The date until which a renewal is held back so that not all are booked on one night; None: it is not."""
    expires_on = row.expires_on
    if not spread_days or row.because != "expiring" or row.opens_on is None or expires_on is None:
        return None
    offset = int(row.key.removeprefix("ep1-")[:8], 16) % spread_days
    # Counted back from the expiry, because `opens_on + offset` can lie past the calendar's end.
    days_before = max(KEPT_CLEAR_DAYS, (expires_on - row.opens_on).days - offset)
    return expires_on - timedelta(min(days_before, (expires_on - date.min).days))


# The plan as a whole


def ordered(enrolled: Iterable[Enrol], cancelled: Iterable[Cancel], invited: Iterable[Invite]) -> tuple[Action, ...]:
    """Actions in the order a plan has them."""
    return (
        *sorted(enrolled, key=_pair),
        *sorted(cancelled, key=_booking),
        *sorted(invited, key=_booking),
    )


def _pair(row: Enrol | Deferred) -> tuple[str, str]:
    return row.person, row.course


def _booking(row: Cancel | Invite) -> tuple[str, str, str]:
    return row.person, row.course, row.enrolment


def _in_table_order(reasons: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((id, reasons[id]) for id in (*(gate.id for gate in GATES), NO_TRIGGER) if id in reasons)


def tripped(snapshot: Snapshot, actions: Iterable[Action], booked: int) -> tuple[str, ...]:
    """The guards that say a plan must not be carried out unread; `booked` counts the bookings it could withdraw."""
    enrols = [action for action in actions if isinstance(action, Enrol)]
    cancels = sum(isinstance(action, Cancel) for action in actions)
    credits = sum(enrol.credits for enrol in enrols)
    reached = Reached(enrolments=len(enrols), credits=credits, cancellations=cancels, cancellable=booked)
    deserted = not snapshot.personnel and any(row.status in OPEN for row in snapshot.enrolments)
    return exceeded(snapshot.account.guards, reached, deserted=deserted)


@final
@frozen(kw_only=True)
class Reached:
    """What a plan comes to, as its guards look at it; `cancellable` bookings there are, of which it cancels some."""

    enrolments: int
    credits: int
    cancellations: int
    cancellable: int


def exceeded(guards: Guards, plan: Reached, *, deserted: bool) -> tuple[str, ...]:
    """The guards that a plan trips; `deserted`: there are open bookings, and nobody on the register."""
    share = plan.cancellations / plan.cancellable if plan.cancellable else 0
    limits: tuple[tuple[str, float, float | None], ...] = (
        ("max-enrolments", plan.enrolments, guards.max_enrolments),
        ("max-credits", plan.credits, guards.max_credits),
        ("max-cancellations", plan.cancellations, guards.max_cancellations),
        ("max-cancelled-fraction", share, guards.max_cancelled_fraction),
    )
    tripped = [id for id, reached, limit in limits if limit is not None and reached > limit]
    return (*tripped, "empty-personnel") if deserted else tuple(tripped)


def cancellable(snapshot: Snapshot) -> int:
    if snapshot.account.guards.max_cancelled_fraction is None:
        return 0  # nobody asks
    people = {person.id for person in snapshot.personnel}
    courses = {course.id for course in snapshot.courses}
    return sum(
        is_ours_and_booked(row) and row.person in people and row.course in courses for row in snapshot.enrolments
    )


def project(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """The snapshot as it is after the plan was carried out without a fault.

    New bookings are dated to the first instant of the night, and count as invited; their id is their key. The balance
    stays: a booking only reserves (rule 4).
    """
    at = first_instant(snapshot.account.timezone, plan.on)
    cancelled = {action.enrolment: action for action in plan.cancellations}
    invited = {action.enrolment for action in plan.invitations}

    def after(row: Enrolment) -> Enrolment:
        if row.id in cancelled:
            return withdrawn(row, cancelled[row.id], plan.on)
        return evolve(row, invited_at=at) if row.id in invited else row

    booked = (booking(action, at) for action in plan.enrolments)
    return evolve(snapshot, enrolments=(*map(after, snapshot.enrolments), *booked))


def booking(action: Enrol, at: datetime) -> Enrolment:
    """The booking that carrying out an enrolment makes."""
    return Enrolment(
        id=action.key,
        person=action.person,
        course=action.course,
        cycle=action.cycle,
        origin=Origin.AUTO,
        status=EnrolmentStatus.BOOKED,
        because=action.because,
        enrolled_at=at,
        invited_at=at,
    )


def withdrawn(row: Enrolment, action: Cancel, on: date) -> Enrolment:
    """A booking after its cancellation was carried out."""
    return evolve(row, status=EnrolmentStatus.CANCELLED, ended_on=on, ended_because=action.because)
