"""Every night planned with `plan`, carried out with `project`, and lived through, on whole snapshots: slow, and plain.

It is what a forecast, which looks only at what can have changed, is held against.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from attrs import evolve
from hypothesis import strategies as st

from documents import near_ready_rows
from enrolpolicy import (
    Assumptions,
    Completion,
    Enrolment,
    EnrolmentStatus,
    Level,
    Snapshot,
    TrainingRecord,
    candidate,
    load,
    plan,
    project,
)
from enrolpolicy.dates import local_date
from enrolpolicy.planner import available_credits

OPEN = {EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED, EnrolmentStatus.IN_PROGRESS}

assumptions = st.builds(
    Assumptions,
    completed=st.sampled_from(Completion),
    after_days=st.sampled_from([0, 1, 2, 14, 40]),
    share=st.sampled_from([0.0, 0.5, 1.0, 1.0]),
)


@st.composite
def lively(draw: Any) -> tuple[Snapshot, date]:
    """A register in which much happens soon: short validities, expiries here and there, credits that may run out."""
    document, start = draw(near_ready_rows())
    short = st.sampled_from(
        [None, {"days": 20}, {"days": 45}, {"months": 1}, {"days": 60, "anchor": "previous-expiry"}, {"days": 1}]
    )
    for course in document["courses"]:
        course["validity"] = draw(short)
    for row in document["records"]:
        if row.get("expires_on") and draw(st.booleans()):
            expires_on = start + timedelta(draw(st.integers(-8, 60)))
            row["expires_on"] = expires_on.isoformat()
            row["completed_on"] = (expires_on - timedelta(draw(st.sampled_from([10, 45, 70, 365])))).isoformat()
        if course_validity(document, row) and draw(st.booleans()):
            row["expires_on"] = None
            row["completed_on"] = (start - timedelta(draw(st.integers(0, 61)))).isoformat()
    document["account"]["spread_days"] = draw(st.sampled_from([0, 0, 5, 20]))
    if draw(st.booleans()):
        document["account"]["credits"] = draw(st.integers(0, 8))
    return load(json.dumps(document)), start


def course_validity(document: Any, row: Any) -> Any:
    return next((course["validity"] for course in document["courses"] if course["id"] == row["course"]), None)


# Every night, one after the other, on whole snapshots


class Lived(NamedTuple):
    """One night and its day, as they come from planning every night."""

    actions: tuple[Any, ...]
    guards: tuple[str, ...]
    lapses: set[tuple[str, str]]
    held: int
    waiting: int
    shortfall: int
    left: int | None
    completed: int
    after: Snapshot


def lived(snapshot: Snapshot, start: date, until: date, how: Assumptions) -> Iterator[tuple[date, Lived]]:
    due = {row.id: due_on(snapshot, row, start, how) for row in snapshot.enrolments}
    on = start
    while on <= until:
        tonight = plan(snapshot, on=on)
        lapses = lapsed(snapshot, on)
        snapshot = project(snapshot, tonight)
        for row in snapshot.enrolments:
            if row.id not in due:
                due[row.id] = due_on(snapshot, row, on, how)
        today = [row for row in snapshot.enrolments if row.status in OPEN and due[row.id] == on]
        for row in today:
            snapshot = completed(snapshot, row, on)
        for_credits = [row for row in tonight.deferred if row.because == "credits"]
        yield (
            on,
            Lived(
                actions=tonight.actions,
                guards=tonight.guards,
                lapses=lapses,
                held=len(tonight.deferred) - len(for_credits),
                waiting=len(for_credits),
                shortfall=max((row.shortfall or 0 for row in for_credits), default=0),
                left=available_credits(snapshot),
                completed=len(today),
                after=snapshot,
            ),
        )
        on += timedelta(1)


def standing(snapshot: Snapshot, person: str, course: str, on: date) -> tuple[date | None, date | None]:
    """The completion that counts on a date, and the last day it is valid."""
    found = candidate(snapshot, person=person, course=course, on=on).renewal
    return found.completed_on, found.expires_on


def known(snapshot: Snapshot, row: Enrolment) -> bool:
    people = {person.id for person in snapshot.personnel if not person.archived}
    return row.person in people and row.course in {course.id for course in snapshot.courses}


def due_on(snapshot: Snapshot, row: Enrolment, today: date, how: Assumptions) -> date | None:
    """When an enrolment made by `today` is completed."""
    fraction = int.from_bytes(hashlib.sha256(row.id.encode()).digest()[:4]) / 2**32
    if row.status not in OPEN or not known(snapshot, row) or how.completed is Completion.NEVER or fraction >= how.share:
        return None
    made_on = local_date(snapshot.account.timezone, row.enrolled_at)
    _, last = standing(snapshot, row.person, row.course, today)
    if how.completed is Completion.LAST_DAY and last is not None and last >= today and last >= made_on:
        return last
    return max(today, made_on + timedelta(how.after_days))


def completed(snapshot: Snapshot, row: Enrolment, on: date) -> Snapshot:
    """The enrolment is completed, its record arrives, and a credit that was reserved is spent."""
    [course] = (course for course in snapshot.courses if course.id == row.course)
    began, ended = standing(snapshot, row.person, row.course, on)
    expires_on = None
    if course.validity is None and began is not None and ended is not None and ended > began:
        expires_on = on + (ended - began)
    done = TrainingRecord(person=row.person, course=row.course, completed_on=on, expires_on=expires_on)
    account = snapshot.account
    if account.credits is not None and row.status is not EnrolmentStatus.IN_PROGRESS:
        account = evolve(account, credits=account.credits - course.credit_cost)
    rows = tuple(
        evolve(other, status=EnrolmentStatus.COMPLETED, ended_on=on) if other.id == row.id else other
        for other in snapshot.enrolments
    )
    return evolve(snapshot, account=account, enrolments=rows, records=(*snapshot.records, done))


def lapsed(snapshot: Snapshot, on: date) -> set[tuple[str, str]]:
    return {
        (person.id, course.id)
        for person in snapshot.personnel
        for course in snapshot.courses
        if not person.archived
        and candidate(snapshot, person=person.id, course=course.id, on=on).facts.level is Level.REQUIRED
        and standing(snapshot, person.id, course.id, on)[1] == on - timedelta(1)
    }
