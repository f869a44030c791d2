"""A whole register, read on one date.

A `Night` hands out a code (`enrolpolicy.facts`) for any pair, which is what the planner lives on, and whole `Candidate`
values where somebody wants to know more. Both are made of the same parts, so that no second path can tell another
story.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import final

from attrs import field, frozen

from enrolpolicy.bookings import Bookings, bookings
from enrolpolicy.candidate import Candidate, usable
from enrolpolicy.dates import add_days, civil
from enrolpolicy.facts import Status, code, facts_of
from enrolpolicy.model import Account, Course, Employment, Enrolment, Level, Person, Snapshot, TrainingRecord
from enrolpolicy.register import Register, register
from enrolpolicy.renewal import (
    FIRST_CYCLE,
    Lead,
    Renewal,
    counted,
    lead_of,
    own_expiry,
    renewal,
    status_on,
)

# Told apart by `is` below: looking an enumeration up in a dictionary takes several times as long.
REQUIRED, OPTIONAL = code(level=Level.REQUIRED), code(level=Level.OPTIONAL)
MISSING, CURRENT = code(status=Status.MISSING), code(status=Status.CURRENT)
EXPIRING, EXPIRED = code(status=Status.EXPIRING), code(status=Status.EXPIRED)
LATELY_EXPIRED = code(lately_expired=True)
ASKED_SINCE = code(asked_since=True)
OPTED_OUT = code(opted_out=True)
ENROLLED = code(enrolled=True)
AWAITING_RECORD = code(awaiting_record=True)
CANCELLED_ON_REQUEST = code(cancelled_on_request=True)
REFUSAL_PAUSE = code(refusal_pause=True)
OTHER_CYCLE = code(other_cycle=True)

REACHABLE = code(reachable=True)
_PEOPLE = {
    (archived, enabled, employment is Employment.EMPLOYEE): code(
        person_active=not archived, person_enabled=enabled, employment=employment
    )
    for archived in (False, True)
    for enabled in (False, True)
    for employment in Employment
}

NO_BOOKINGS = Bookings()


@final
@frozen(eq=False)
class Reading:
    """One pair as the night sees it: the facts' code, and what it came from."""

    person: Person
    course: Course
    code: int
    renewal: Renewal
    enrolments: Sequence[Enrolment]
    bookings: Bookings


@final
@frozen(eq=False, kw_only=True)
class CourseNight:
    """What is the same on that night for everybody on one course.

    No window is longer than its lead, so all that expires after `horizon` is current. Thousands of people completed a
    course on the same few hundred days, so the expiry that follows from each day is worked out once.
    """

    course: Course
    lead: Lead
    code: int
    on: date
    horizon: date
    looked_back_to: date
    _derived: dict[date, int] = field(factory=dict, init=False)

    def renewal(self, records: Sequence[TrainingRecord]) -> Renewal:
        """Where the training stands for somebody with these records."""
        return renewal(records, self.course.validity, self.lead.days, self.on)

    def code_of(self, found: Renewal) -> int:
        """What a code has from there."""
        if found.status is Status.EXPIRED:
            assert found.expires_on is not None
            return EXPIRED | LATELY_EXPIRED if found.expires_on >= self.looked_back_to else EXPIRED
        if found.status is Status.EXPIRING:
            return EXPIRING
        return CURRENT if found.status is Status.CURRENT else MISSING

    def standing(self, records: Sequence[TrainingRecord]) -> int:
        """The same in haste: `code_of(renewal(records))`."""
        if len(records) == 1:
            return self._standing_by(records[0])  # nearly everybody's case
        found = counted(records, self.course.validity, self.on)
        return MISSING if found is None else self._code_until(*found)

    def _standing_by(self, record: TrainingRecord) -> int:
        completed_on, expires_on = record.completed_on, record.expires_on
        if record.voided or completed_on > self.on:
            return MISSING
        if expires_on is not None or record.never_expires:
            return self._code_until(completed_on, expires_on)
        known = self._derived.get(completed_on)
        if known is None:
            known = self._code_until(completed_on, own_expiry(record, self.course.validity))
            self._derived[completed_on] = known
        return known

    def _code_until(self, completed_on: date, expires_on: date | None) -> int:
        if expires_on is None or expires_on > self.horizon:
            return CURRENT
        if expires_on < self.on:
            return EXPIRED if expires_on < self.looked_back_to else EXPIRED | LATELY_EXPIRED
        status = status_on(completed_on, expires_on, self.lead.days, self.on)
        return EXPIRING if status is Status.EXPIRING else CURRENT


@final
@frozen(eq=False)
class Night:
    """A register, read on one date."""

    register: Register
    on: date
    account_code: int
    courses: Mapping[str, CourseNight]

    def asked_alike(self, person: Person) -> tuple[int, tuple[str, ...], frozenset[str]]:
        """The same for people asked for the same courses since the same time, less the same, while the night lasts."""
        # People with the same roles share one mapping of levels, see `enrolpolicy.register`.
        rows = self.register
        return id(rows.levels[person.id]), rows.held_since(person, self._since), rows.out_of(person.id)

    def asked_codes(self, person: Person) -> Mapping[str, int]:
        """The courses somebody is asked for, with what a code has from the course, and from who asks or declines."""
        levels, since = self.register.levels[person.id], self._since
        lately = levels if since is None else self.register.asked_lately(person, since)
        out = self.register.out_of(person.id)
        found: dict[str, int] = {}
        for course, level in levels.items():
            code = self.courses[course].code | _level_code(level)
            code |= ASKED_SINCE if course in lately else 0
            found[course] = code | OPTED_OUT if course in out else code
        return found

    @property
    def _since(self) -> date | None:
        return self.register.account.missing_since

    def read(self, person: str, course: str, known: int | None = None) -> Reading:
        """One pair, whatever they have to do with each other; raises `UnknownId`. `known`: its code, if it is."""
        rows = self.register
        somebody, something = rows.person(person), rows.course(course)
        here, enrolments = self.courses[course], rows.enrolments[person].get(course, ())
        found = here.renewal(rows.records[person].get(course, ()))
        held = self._bookings(person, course, found) if enrolments else NO_BOOKINGS
        if known is None:
            level, own = _level_code(rows.levels[person].get(course)), self._own(person, course, held)
            known = self.account_code | person_code(somebody) | here.code | here.code_of(found) | level | own
        return Reading(somebody, something, known, found, enrolments, held)

    def _bookings(self, person: str, course: str, renewal: Renewal) -> Bookings:
        rows, cycle = self.register, renewal.cycle
        asked_on = rows.asked_on(person, course) if cycle == FIRST_CYCLE else None
        enrolments, records = rows.enrolments[person][course], rows.records[person].get(course, ())
        return bookings(enrolments, records, cycle, asked_on, rows.account.timezone)

    def _own(self, person: str, course: str, held: Bookings) -> int:
        """What few pairs have: enrolments, an opt-out, a requirement older than missing training is enrolled for."""
        rows = self.register
        own = self._asked_since(person, course) | bookings_code(held, self.on)
        return own | OPTED_OUT if course in rows.out_of(person) else own

    def _asked_since(self, person: str, course: str) -> int:
        since = self._since
        asked_on = None if since is None else self.register.asked_on(person, course)
        return ASKED_SINCE if since is None or (asked_on is not None and asked_on >= since) else 0

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
            lead=self.courses[course.id].lead,
            renewal=reading.renewal,
            enrolments=tuple(sorted(reading.enrolments, key=_by_id)),
            bookings=reading.bookings,
        )


def _by_id(enrolment: Enrolment) -> str:
    return enrolment.id


def night(snapshot: Snapshot, on: date, people: Collection[str] | None = None) -> Night:
    """Read a snapshot on a date, for everybody or for some people only."""
    return night_of(register(snapshot, people), on)


def night_of(rows: Register, on: date, only: Collection[str] | None = None) -> Night:
    """Read a register on a date; with `only`, for those of these courses that it has, which can then be asked about."""
    civil("on", on)
    chosen = rows.courses.values() if only is None else [rows.courses[id] for id in only if id in rows.courses]
    courses = {course.id: course_night(rows.account, course, on) for course in chosen}
    return Night(register=rows, on=on, account_code=account_code(rows.account), courses=courses)


def candidate(snapshot: Snapshot, *, person: str, course: str, on: date) -> Candidate:
    """One person and one course on a date; raises `UnknownId` for either that the snapshot does not have."""
    tonight = night(snapshot, on, {person})
    return tonight.candidate(tonight.read(person, course))


def course_night(account: Account, course: Course, on: date) -> CourseNight:
    """What is the same for everybody on a course on a night."""
    lead = lead_of(account, course)
    return CourseNight(
        course=course,
        lead=lead,
        code=course_code(course),
        on=on,
        horizon=add_days(on, lead.days) or date.max,
        looked_back_to=on - timedelta(min(account.expired_lookback_days, (on - date.min).days)),
    )


# Codes of parts of what is known of a pair


def bookings_code(held: Bookings, on: date) -> int:
    """What a code has from the bookings of a pair."""
    found = ENROLLED if held.enrolled else 0
    found |= AWAITING_RECORD if held.awaiting_record else 0
    found |= CANCELLED_ON_REQUEST if held.cancelled_on_request else 0
    found |= REFUSAL_PAUSE if held.retry_on is not None and on < held.retry_on else 0
    return found


def account_code(account: Account) -> int:
    """What a code has from the account."""
    return code(
        plan_active=account.elearning_plan_active,
        account_enabled=account.auto_enrol,
        missing_enabled=account.auto_enrol_missing,
    )


def course_code(course: Course) -> int:
    """What a code has from the course."""
    return code(
        course_active=not course.archived,
        delivery=course.delivery,
        course_enabled=course.auto_enrol,
        audience=course.audience,
        scope=course.scope,
    )


def _level_code(level: Level | None) -> int:
    if level is Level.REQUIRED:
        return REQUIRED
    return OPTIONAL if level is Level.OPTIONAL else 0


def person_code(person: Person) -> int:
    """What a code has from the person."""
    known = _PEOPLE[person.archived, person.auto_enrol, person.employment is Employment.EMPLOYEE]
    return known | REACHABLE if usable(person.email) else known
