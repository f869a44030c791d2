"""One person and one course on one date: all that the rules may see, and the evidence behind it.

A `Night` reads the whole register on a date. It hands out codes (`enrolpolicy.facts`) for every pair, which is what
the planner lives on, and whole `Candidate` values where somebody wants to know more. Both come from `Night.read`, so
that no second path can tell another story.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import final

from attrs import frozen

from enrolpolicy.dates import local_date
from enrolpolicy.facts import Facts, Status, code, facts_of
from enrolpolicy.model import Account, Course, Enrolment, EnrolmentStatus, Level, Person, Snapshot, TrainingRecord
from enrolpolicy.register import Register, Source, register
from enrolpolicy.renewal import FIRST_CYCLE, Lead, Renewal, lead_of, renewal

OPEN = frozenset({EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS})
ENDED = frozenset({EnrolmentStatus.COMPLETED, EnrolmentStatus.CANCELLED, EnrolmentStatus.REFUSED})
REQUESTED = "requested"
"""`Enrolment.ended_because` where a person cancelled."""

LONGEST_PAUSE_DAYS = 32

_LEVELS = {level: code(level=level) for level in (None, *Level)}
_STATUSES = {status: code(status=status) for status in Status}
_LATELY_EXPIRED = code(lately_expired=True)
_OPTED_OUT = code(opted_out=True)
_ASKED_SINCE = code(asked_since=True)
OTHER_CYCLE = code(other_cycle=True)

_USABLE_ADDRESS = re.compile(r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f.]+(\.[^@\s\x00-\x1f\x7f-\x9f.]+)+")


def usable(email: str | None) -> bool:
    """Whether an invitation can be sent there: one `@`, nothing blank or unprintable, a dot inside the domain."""
    return email is not None and _USABLE_ADDRESS.fullmatch(email) is not None


def enrolment_key(account: str, person: str, course: str, cycle: str, attempt: int) -> str:
    """The identity of an enrolment, the same whenever and by whichever version it is computed.

    `ep1-` and 40 hex digits of the SHA-256 over the five parts as netstrings (`4:acme,`), so that no choice of ids can
    make two of them meet. Idempotency key for LMS and mail, and seed of the spread. Another algorithm would enrol
    everybody again; a test holds its bytes.
    """
    parts = (part.encode() for part in (account, person, course, cycle, str(attempt)))
    netstrings = b"".join(b"%d:%s," % (len(part), part) for part in parts)
    return f"ep1-{hashlib.sha256(netstrings).hexdigest()[:40]}"


@final
@frozen
class Bookings:
    """What the enrolments of a pair mean for its present cycle.

    `attempt` counts those of this cycle that have ended; `retry_on` is the first date after a refusal's pause.
    """

    code: int = 0
    attempt: int = 0
    refusals: int = 0
    retry_on: date | None = None


NO_BOOKINGS = Bookings()


@final
@frozen(kw_only=True)
class Candidate:
    """One person and one course on one date. `facts` is all a rule may see; the rest is the evidence behind it."""

    account: Account
    person: Person
    course: Course
    on: date
    facts: Facts
    sources: tuple[Source, ...]
    lead: Lead
    renewal: Renewal
    enrolments: tuple[Enrolment, ...]
    bookings: Bookings

    @property
    def cycle(self) -> str:
        """Which renewal this is: the completion being renewed, or `first`."""
        return self.renewal.cycle

    @property
    def attempt(self) -> int:
        """How many enrolments of this cycle have ended before."""
        return self.bookings.attempt

    @property
    def key(self) -> str:
        """The identity of this enrolment, see `enrolment_key`."""
        return enrolment_key(self.account.id, self.person.id, self.course.id, self.cycle, self.attempt)

    @property
    def lead_clamped(self) -> bool:
        """Whether the lead set was longer than half of what it renews, and was held to that."""
        return self.renewal.lead_days < self.lead.days


@final
@frozen
class Reading:
    """One pair as the night sees it, cheap enough to make for every pair: the facts' code, and what it came from."""

    person: Person
    course: Course
    code: int
    renewal: Renewal
    enrolments: Sequence[Enrolment]
    bookings: Bookings


@final
@frozen(eq=False)
class Night:
    """A register, read on one date."""

    register: Register
    on: date
    leads: dict[str, Lead]
    account_code: int
    course_codes: dict[str, int]

    def readings(self) -> Iterator[Reading]:
        """Every pair that has something to do with each other, in no particular order."""
        courses = self.register.courses
        for id, person in self.register.people.items():
            person_code = _person_code(person)
            for course in self.register.courses_of(id):
                yield self._read(person, person_code, courses[course])

    def read(self, person: str, course: str) -> Reading:
        """One pair, whatever they have to do with each other; raises `UnknownId`."""
        somebody = self.register.person(person)
        return self._read(somebody, _person_code(somebody), self.register.course(course))

    def candidate(self, reading: Reading) -> Candidate:
        """A reading with all the evidence."""
        person, course = reading.person, reading.course
        return Candidate(
            account=self.register.account,
            person=person,
            course=course,
            on=self.on,
            facts=facts_of(reading.code),
            sources=self.register.sources(person.id, course.id),
            lead=self.leads[course.id],
            renewal=reading.renewal,
            enrolments=tuple(sorted(reading.enrolments, key=_by_id)),
            bookings=reading.bookings,
        )

    def _read(self, person: Person, person_code: int, course: Course) -> Reading:
        register, pid, cid = self.register, person.id, course.id
        records = register.records[pid].get(cid, ())
        enrolments = register.enrolments[pid].get(cid, ())
        standing = renewal(records, course.validity, self.leads[cid].days, self.on)
        bookings = self._bookings(pid, cid, standing.cycle, records, enrolments) if enrolments else NO_BOOKINGS
        pair_code = (
            self.account_code
            | self.course_codes[cid]
            | person_code
            | _LEVELS[register.levels[pid].get(cid)]
            | _STATUSES[standing.status]
            | bookings.code
        )
        if standing.status is Status.EXPIRED and self._lately(standing.expires_on):
            pair_code |= _LATELY_EXPIRED
        if (pid, cid) in register.opt_outs:
            pair_code |= _OPTED_OUT
        if self._asked_since(pid, cid):
            pair_code |= _ASKED_SINCE
        return Reading(person, course, pair_code, standing, enrolments, bookings)

    def _lately(self, expires_on: date | None) -> bool:
        return expires_on is not None and (self.on - expires_on).days <= self.register.account.expired_lookback_days

    def _asked_since(self, person: str, course: str) -> bool:
        since = self.register.account.missing_since
        if since is None:
            return True
        asked_on = self.register.asked_on(person, course)
        return asked_on is not None and asked_on >= since

    def _bookings(
        self,
        person: str,
        course: str,
        cycle: str,
        records: Sequence[TrainingRecord],
        enrolments: Sequence[Enrolment],
    ) -> Bookings:
        timezone = self.register.account.timezone
        of_cycle = [row for row in enrolments if row.cycle == cycle]
        asked_on = self.register.asked_on(person, course) if cycle == FIRST_CYCLE else None
        refusals = [
            row.ended_on or local_date(timezone, row.enrolled_at)
            for row in of_cycle
            if row.status is EnrolmentStatus.REFUSED
        ]
        retry_on = _retry_on(refusals)
        return Bookings(
            code=code(
                enrolled=any(row.status in OPEN for row in enrolments),
                awaiting_record=any(_awaits_record(row, records, timezone) for row in of_cycle),
                cancelled_on_request=any(_still_cancelled(row, asked_on) for row in of_cycle),
                refusal_pause=retry_on is not None and self.on < retry_on,
            ),
            attempt=sum(row.status in ENDED for row in of_cycle),
            refusals=len(refusals),
            retry_on=retry_on,
        )


def _by_id(enrolment: Enrolment) -> str:
    return enrolment.id


def night(snapshot: Snapshot, on: date, people: Collection[str] | None = None) -> Night:
    """Read a snapshot on a date, for everybody or for some people only."""
    rows = register(snapshot, people)
    return Night(
        rows,
        on,
        leads={id: lead_of(rows.account, course) for id, course in rows.courses.items()},
        account_code=_account_code(rows.account),
        course_codes={id: _course_code(course) for id, course in rows.courses.items()},
    )


def candidate(snapshot: Snapshot, *, person: str, course: str, on: date) -> Candidate:
    """One person and one course on a date; raises `UnknownId` for either that the snapshot does not have."""
    tonight = night(snapshot, on, {person})
    return tonight.candidate(tonight.read(person, course))


def _account_code(account: Account) -> int:
    return code(
        plan_active=account.elearning_plan_active,
        account_enabled=account.auto_enrol,
        missing_enabled=account.auto_enrol_missing,
    )


def _course_code(course: Course) -> int:
    return code(
        course_active=not course.archived,
        delivery=course.delivery,
        course_enabled=course.auto_enrol,
        audience=course.audience,
        scope=course.scope,
    )


def _person_code(person: Person) -> int:
    return code(
        person_active=not person.archived,
        person_enabled=person.auto_enrol,
        employment=person.employment,
        reachable=usable(person.email),
    )


def _awaits_record(enrolment: Enrolment, records: Sequence[TrainingRecord], timezone: str) -> bool:
    """Completed, and no record since, voided or not, that could be the one."""
    if enrolment.status is not EnrolmentStatus.COMPLETED:
        return False
    enrolled_on = local_date(timezone, enrolment.enrolled_at)
    return not any(record.completed_on >= enrolled_on for record in records)


def _still_cancelled(enrolment: Enrolment, asked_on: date | None) -> bool:
    """Cancelled by a person, and not asked for anew since (`asked_on` is only given for a first booking)."""
    if enrolment.status is not EnrolmentStatus.CANCELLED or enrolment.ended_because != REQUESTED:
        return False
    return asked_on is None or enrolment.ended_on is None or enrolment.ended_on >= asked_on


def _retry_on(refusals: Sequence[date]) -> date | None:
    """The first date on which a refused enrolment is tried again: 1, 2, 4 … 32 days after the last refusal."""
    if not refusals:
        return None
    pause = min(2 ** min(len(refusals) - 1, 10), LONGEST_PAUSE_DAYS)
    try:
        return max(refusals) + timedelta(pause)
    except OverflowError:
        return date.max
