"""Small registers, readably: somebody on a course, about to be enrolled on it.

    register(person("ana"), person("bo", email=None), courses=(course("fire"),), credits=10)

Everybody is an employee who holds the one role, the role requires every course, and every training expires in twenty
days: so everybody is enrolled on everything, until something is said to be otherwise.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from enrolpolicy.model import (
    Account,
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    HeldRole,
    Level,
    OptOut,
    Person,
    Role,
    RoleCourse,
    Scope,
    Snapshot,
    TrainingRecord,
    Validity,
)
from enrolpolicy.rows import Entry, Letter, Row, RowStatus

NIGHT = date(2026, 11, 23)
"""The night these registers are for, where no other is asked for."""
ROLE = "crew"

_NAMED = "{}@acme.example"


def person(
    id: str = "ana",
    *,
    name: str = "",
    email: str | None = _NAMED,
    employment: Employment = Employment.EMPLOYEE,
    archived: bool = False,
    auto_enrol: bool = True,
    roles: Sequence[str] = (ROLE,),
) -> Person:
    """Somebody who holds the role; their address is made from their id."""
    return Person(
        id=id,
        name=name,
        email=email.format(id) if email is not None else None,
        employment=employment,
        archived=archived,
        auto_enrol=auto_enrol,
        roles=tuple(HeldRole(role=role) for role in roles),
    )


def course(
    id: str = "fire",
    *,
    name: str = "",
    delivery: Delivery = Delivery.IHASCO,
    archived: bool = False,
    auto_enrol: bool = True,
    audience: Audience = Audience.EMPLOYEES,
    scope: Scope = Scope.REQUIRED,
    lead_days: int | None = None,
    validity: Validity | None = None,
    credit_cost: int = 1,
) -> Course:
    """A course that people are enrolled on automatically."""
    return Course(
        id=id,
        name=name,
        delivery=delivery,
        archived=archived,
        auto_enrol=auto_enrol,
        audience=audience,
        scope=scope,
        lead_days=lead_days,
        validity=validity,
        credit_cost=credit_cost,
    )


def record(
    person: str = "ana", course: str = "fire", *, on: date = NIGHT, expires_in: int = 20, valid_days: int = 365
) -> TrainingRecord:
    """A training that expires so many days after a night, and was valid for so many."""
    expires_on = on + timedelta(expires_in)
    return TrainingRecord(
        person=person, course=course, completed_on=expires_on - timedelta(valid_days), expires_on=expires_on
    )


def register(
    *people: Person,
    courses: Sequence[Course] = (),
    account: str = "acme",
    credits: int | None = None,
    on: date = NIGHT,
    records: Sequence[TrainingRecord] | None = None,
    enrolments: Sequence[Enrolment] = (),
    opt_outs: Sequence[tuple[str, str]] = (),
) -> Snapshot:
    """A register in which everybody is about to be enrolled on everything, on a night.

    Without people there is `ana`, without courses `fire`; `opt_outs` are pairs of a person and a course.
    """
    people, courses = people or (person(),), tuple(courses) or (course(),)
    if records is None:
        records = [record(one.id, other.id, on=on) for one in people for other in courses]
    requirements = tuple(RoleCourse(course=one.id, level=Level.REQUIRED) for one in courses)
    return Snapshot(
        account=Account(id=account, credits=credits),
        courses=courses,
        roles=(Role(id=ROLE, requirements=requirements),),
        personnel=people,
        records=tuple(records),
        enrolments=tuple(enrolments),
        opt_outs=tuple(OptOut(person=who, course=what) for who, what in opt_outs),
    )


# Rows, for the tests of stores

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)


def row(
    key: str = "k1",
    *,
    account: str = "acme",
    person: str = "ana",
    course: str = "fire",
    status: RowStatus = RowStatus.PENDING,
    credits: int = 1,
    fence: int = 1,
    lease_until: datetime | None = None,
    ended_at: datetime | None = None,
) -> Row:
    """A row of a store."""
    return Row(
        key=key,
        account=account,
        person=person,
        course=course,
        cycle="2025-12-13",
        status=status,
        because="expiring",
        credits=credits,
        fence=fence,
        lease_until=lease_until,
        sent_at=AT,
        asked_at=AT,
        enrolled_at=AT,
        ended_on=ended_at.date() if ended_at else None,
        ended_at=ended_at,
    )


def entry(of: Row, was: RowStatus | None = None, *, because: str = "expiring") -> Entry:
    """The journal's entry of a row that has just been moved to where it is."""
    return Entry(
        account=of.account,
        key=of.key,
        person=of.person,
        course=of.course,
        was=was,
        now=of.status,
        because=because,
        actor="enrolpolicy",
        on=NIGHT,
        at=AT,
        policy_version="1",
        settings='{"account": {}, "course": null}',
    )


def letter(
    of: Row,
    message_id: str = "0123456789abcdef0123456789abcdef",
    *,
    content: bytes = b"Subject: Fire safety\r\n\r\nDear Ana\r\n",
    lease_until: datetime | None = None,
    due_at: datetime | None = None,
) -> Letter:
    """The letter of a row."""
    return Letter(
        message_id=message_id,
        account=of.account,
        key=of.key,
        person=of.person,
        recipient=_NAMED.format("ana"),
        content=content,
        lease_until=lease_until,
        due_at=due_at,
    )
