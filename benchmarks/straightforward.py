"""The decision as most would write it: a loop over people and their courses, with pendulum dates.

It knows nothing of the library but its objects. Rows are looked up in dictionaries, as anybody would
after the first slow night.
"""

import hashlib
import re
from collections import defaultdict
from datetime import date
from typing import Any

import pendulum

from enrolpolicy import (
    Audience,
    Course,
    Delivery,
    Employment,
    Enrolment,
    EnrolmentStatus,
    Level,
    Origin,
    Scope,
    Snapshot,
    TrainingRecord,
    Withdrawal,
)

OPEN = {EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS}
USABLE = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def day(value: date | None) -> pendulum.Date | None:
    return None if value is None else pendulum.date(value.year, value.month, value.day)


def key(*parts: str) -> str:
    text = "".join(f"{len(part.encode())}:{part}," for part in parts)
    return "ep1-" + hashlib.sha256(text.encode()).hexdigest()[:40]


def expiry(record: TrainingRecord, course: Course) -> pendulum.Date | None:
    if record.expires_on is not None:
        return day(record.expires_on)
    if record.never_expires or course.validity is None:
        return None
    completed = pendulum.date(record.completed_on.year, record.completed_on.month, record.completed_on.day)
    if course.validity.months is not None:
        return completed.add(months=course.validity.months)
    return completed.add(days=course.validity.days or 0)


def actions(snapshot: Snapshot, on: date) -> list[tuple[Any, ...]]:
    account = snapshot.account
    today = pendulum.date(on.year, on.month, on.day)
    courses = {course.id: course for course in snapshot.courses}
    people = {person.id: person for person in snapshot.personnel}
    roles = {role.id: role for role in snapshot.roles}
    records: dict[tuple[str, str], list[TrainingRecord]] = defaultdict(list)
    enrolments: dict[tuple[str, str], list[Enrolment]] = defaultdict(list)
    asked: dict[tuple[str, str], list[tuple[Level, date | None]]] = defaultdict(list)
    for record in snapshot.records:
        records[record.person, record.course].append(record)
    for enrolment in snapshot.enrolments:
        enrolments[enrolment.person, enrolment.course].append(enrolment)
    for person in snapshot.personnel:
        for held in person.roles:
            for requirement in roles[held.role].requirements:
                asked[person.id, requirement.course].append((requirement.level, held.assigned_on))
    for assignment in snapshot.assignments:
        asked[assignment.person, assignment.course].append((assignment.level, assignment.assigned_on))
    opted_out = {(row.person, row.course) for row in snapshot.opt_outs}

    demand: list[tuple[Any, int, tuple[Any, ...]]] = []
    found: list[tuple[Any, ...]] = []
    for who, what in {*records, *enrolments, *asked, *opted_out}:
        person, course = people[who], courses[what]
        own, held_rows, sources = records[who, what], enrolments[who, what], asked[who, what]
        levels = {level for level, _ in sources}
        level = Level.REQUIRED if Level.REQUIRED in levels else Level.OPTIONAL if levels else None
        asked_on = max((since for _, since in sources if since is not None), default=None)

        # where the training stands
        valid = [
            (expiry(row, course), pendulum.date(row.completed_on.year, row.completed_on.month, row.completed_on.day))
            for row in own
            if not row.voided and day(row.completed_on) <= today  # type: ignore[operator]  # a completion is always dated
        ]
        expires = completed = None
        cycle, status = "first", "missing"
        if valid:
            expires, completed = max(valid, key=lambda row: (row[0] is None, row[0] or today, row[1]))
            cycle = completed.isoformat()
            if expires is None:
                status = "current"
            else:
                lead = 30
                if account.custom_expiry and course.lead_days is not None:
                    lead = course.lead_days
                elif account.custom_expiry and account.lead_days is not None:
                    lead = account.lead_days
                half = max(0, completed.diff(expires, abs=False).in_days() // 2)
                if expires < today:
                    status = "expired"
                elif expires.subtract(days=min(lead, half)) <= today:
                    status = "expiring"
                else:
                    status = "current"

        usable = person.email is not None and USABLE.fullmatch(person.email) is not None
        elearning = course.delivery in (Delivery.IHASCO, Delivery.SCORM)
        enabled = person.auto_enrol and (who, what) not in opted_out
        in_scope = level is Level.REQUIRED or course.scope is Scope.REQUIRED_AND_OPTIONAL
        in_audience = person.employment is Employment.EMPLOYEE or course.audience is Audience.EVERYONE

        for row in held_rows:
            if row.origin is not Origin.AUTO or row.status is not EnrolmentStatus.BOOKED:
                continue
            causes = (
                (Withdrawal.SUPERSEDED, status == "current" and row.cycle != cycle),
                (Withdrawal.PERSON_ARCHIVED, person.archived),
                (Withdrawal.NO_LONGER_ASSIGNED, level is None),
                (Withdrawal.COURSE_ARCHIVED, course.archived or not elearning),
                (Withdrawal.PERSON_DISABLED, not enabled),
                (Withdrawal.COURSE_DISABLED, not course.auto_enrol),
                (Withdrawal.OUT_OF_AUDIENCE, not in_audience),
                (Withdrawal.OUT_OF_SCOPE, not in_scope),
            )
            because = next((cause.value for cause, holds in causes if holds and cause in account.withdraw_when), None)
            if because is not None:
                found.append(("cancel", who, what, row.id, because))
            elif row.invited_at is None and usable:
                found.append(("invite", who, what, row.id))

        # whether to enrol
        if status == "current":
            continue
        days_ago = 0 if expires is None else expires.diff(today, abs=False).in_days()
        if status == "expired" and days_ago > account.expired_lookback_days:
            continue
        if not (account.elearning_plan_active and account.auto_enrol and elearning and course.auto_enrol):
            continue
        if course.archived or person.archived or not enabled or level is None or not in_scope or not in_audience:
            continue
        if status == "missing":
            since = account.missing_since
            if not account.auto_enrol_missing or (since is not None and (asked_on is None or asked_on < since)):
                continue
        if not usable or any(row.status in OPEN for row in held_rows):
            continue
        of_cycle = [row for row in held_rows if row.cycle == cycle]
        if any(_in_the_way(row, own, cycle, asked_on) for row in of_cycle):
            continue
        refused = [row for row in of_cycle if row.status is EnrolmentStatus.REFUSED]
        if refused:
            last = day(max(row.ended_on or row.enrolled_at.date() for row in refused))
            assert last is not None
            if today < last.add(days=min(32, 2 ** (len(refused) - 1))):
                continue
        attempt = len(of_cycle)
        rank = (expires is None, level is not Level.REQUIRED, expires or today, who, what)
        action = (
            "enrol", who, what, cycle, attempt, status, None if expires is None else expires.isoformat(),
            course.credit_cost, key(account.id, who, what, cycle, str(attempt)),
        )  # fmt: skip
        demand.append((rank, course.credit_cost, action))

    reserving = {EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED}
    reserved = sum(courses[row.course].credit_cost for row in snapshot.enrolments if row.status in reserving)
    spent = 0
    for _, cost, action in sorted(demand):
        spent += cost
        if cost == 0 or account.credits is None or spent <= account.credits - reserved:
            found.append(action)
    return found


def _in_the_way(row: Enrolment, own: list[TrainingRecord], cycle: str, asked_on: date | None) -> bool:
    if row.status is EnrolmentStatus.COMPLETED:
        return not any(record.completed_on >= row.enrolled_at.date() for record in own)
    if row.status is EnrolmentStatus.CANCELLED and row.ended_because == "requested":
        return cycle != "first" or asked_on is None or row.ended_on is None or row.ended_on >= asked_on
    return False
