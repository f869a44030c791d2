"""Registers of any size, the same ones every time: sixty courses, fourteen roles, some twenty records a person."""

import random
from datetime import UTC, date, datetime, time, timedelta

from enrolpolicy import (
    Account,
    Assignment,
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    HeldRole,
    Level,
    OptOut,
    Origin,
    Person,
    Role,
    RoleCourse,
    Scope,
    Snapshot,
    TrainingRecord,
    Validity,
)

ON = date(2026, 11, 23)
COURSES, ROLES = 60, 14
VALIDITIES = (
    Validity(months=12),
    Validity(months=24),
    Validity(months=36),
    Validity(days=365),
    Validity(months=6),
    None,
)
STATUSES = (
    (EnrolmentStatus.BOOKED, 50),
    (EnrolmentStatus.IN_PROGRESS, 15),
    (EnrolmentStatus.COMPLETED, 15),
    (EnrolmentStatus.CANCELLED, 10),
    (EnrolmentStatus.REFUSED, 7),
    (EnrolmentStatus.PENDING, 3),
)


def register(people: int, seed: int = 1) -> Snapshot:
    """An account with so many people, every rule at work somewhere, and credits that do not suffice."""
    dice = random.Random(seed)
    courses = tuple(_course(dice, number) for number in range(COURSES))
    roles = tuple(_role(dice, number, courses) for number in range(ROLES))
    personnel: list[Person] = []
    assignments: list[Assignment] = []
    records: list[TrainingRecord] = []
    enrolments: list[Enrolment] = []
    opt_outs: list[OptOut] = []
    for number in range(people):
        person = _person(dice, number, roles)
        personnel.append(person)
        if dice.random() < 0.1:
            level = dice.choice((Level.REQUIRED, Level.OPTIONAL))
            assigned_on = dice.choice((None, _ago(dice, 900)))
            asked = dice.choice(courses).id
            assignments.append(Assignment(person=person.id, course=asked, level=level, assigned_on=assigned_on))
        taken = dice.sample(courses, 18)
        for course in taken:
            for _ in range(dice.choices((1, 2), (9, 1))[0]):
                records.append(_record(dice, person, course))
        if dice.random() < 0.5:
            enrolments.append(_enrolment(dice, len(enrolments), person, dice.choice(taken), records))
        if dice.random() < 0.02:
            opt_outs.append(OptOut(person=person.id, course=dice.choice(courses).id))
    return Snapshot(
        account=Account(
            id="estate",
            timezone="UTC",
            auto_enrol_missing=True,
            missing_since=ON - timedelta(200),
            custom_expiry=True,
            lead_days=45,
            credits=people * 3 // 4,
        ),
        courses=courses,
        roles=roles,
        personnel=tuple(personnel),
        assignments=tuple(assignments),
        records=tuple(records),
        enrolments=tuple(enrolments),
        opt_outs=tuple(opt_outs),
    )


def _ago(dice: random.Random, days: int) -> date:
    return ON - timedelta(dice.randrange(days))


def _course(dice: random.Random, number: int) -> Course:
    return Course(
        id=f"course-{number:02}",
        delivery=dice.choices((Delivery.IHASCO, Delivery.SCORM, Delivery.CLASSROOM), (6, 3, 1))[0],
        archived=dice.random() < 0.05,
        auto_enrol=dice.random() < 0.8,
        audience=dice.choice(tuple(Audience)),
        scope=dice.choice(tuple(Scope)),
        lead_days=dice.choice((None, None, 14, 60, 90)),
        validity=dice.choice(VALIDITIES),
        credit_cost=dice.choice((0, 1, 1, 1, 2)),
    )


def _role(dice: random.Random, number: int, courses: tuple[Course, ...]) -> Role:
    asked = dice.sample(courses, 14)
    levels = dice.choices((Level.REQUIRED, Level.OPTIONAL), (4, 1), k=len(asked))
    rows = tuple(RoleCourse(course=course.id, level=level) for course, level in zip(asked, levels, strict=True))
    return Role(id=f"role-{number:02}", requirements=rows)


def _person(dice: random.Random, number: int, roles: tuple[Role, ...]) -> Person:
    id = f"person-{number:06}"
    held = dice.sample(roles, dice.choices((0, 1, 2), (1, 6, 3))[0])
    return Person(
        id=id,
        email=f"{id}@estate.example" if dice.random() < 0.97 else dice.choice((None, "", "nobody at all")),
        employment=dice.choices(tuple(Employment), (8, 2))[0],
        archived=dice.random() < 0.05,
        auto_enrol=dice.random() < 0.97,
        roles=tuple(HeldRole(role=role.id, assigned_on=dice.choice((None, _ago(dice, 900)))) for role in held),
    )


def _record(dice: random.Random, person: Person, course: Course) -> TrainingRecord:
    completed_on = _ago(dice, 1100)
    written = course.validity is None or dice.random() < 0.3
    return TrainingRecord(
        person=person.id,
        course=course.id,
        completed_on=completed_on,
        expires_on=completed_on + timedelta(dice.choice((180, 365, 730))) if written else None,
        never_expires=not written and dice.random() < 0.03,
        voided=dice.random() < 0.02,
    )


def _enrolment(
    dice: random.Random, number: int, person: Person, course: Course, records: list[TrainingRecord]
) -> Enrolment:
    own = [row for row in records[-40:] if (row.person, row.course) == (person.id, course.id)]
    status = dice.choices([status for status, _ in STATUSES], [weight for _, weight in STATUSES])[0]
    at = datetime.combine(_ago(dice, 60), time(2), tzinfo=UTC)
    ended = status not in (EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS)
    return Enrolment(
        id=f"enrolment-{number:06}",
        person=person.id,
        course=course.id,
        cycle=dice.choice((own[-1].completed_on.isoformat(), own[0].completed_on.isoformat(), "first", None)),
        origin=dice.choices(tuple(Origin), (9, 1))[0],
        status=status,
        enrolled_at=at,
        invited_at=dice.choices((at, None), (9, 1))[0],
        ended_on=at.date() + timedelta(dice.randrange(60)) if ended else None,
        ended_because=dice.choice(("requested", "superseded")) if status is EnrolmentStatus.CANCELLED else None,
    )
