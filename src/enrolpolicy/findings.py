"""What cannot be meant so: bad data and settings at odds with themselves (rule 7).

A finding stops nobody. Rows that name somebody unknown are ignored, and said to be; everything else is planned as it
stands. Paths give a row's place in the snapshot handed in.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from enrolpolicy.candidate import usable
from enrolpolicy.canonical import TABLES as _TABLES
from enrolpolicy.canonical import ordered
from enrolpolicy.constraints import shown
from enrolpolicy.dates import civil
from enrolpolicy.model import (
    Assignment,
    Enrolment,
    OptOut,
    Person,
    Role,
    Snapshot,
    TrainingRecord,
)
from enrolpolicy.plans import Finding, error, warning
from enrolpolicy.renewal import after
from enrolpolicy.settings import of_account, of_courses

ACCOUNT = "account"
TABLES = (ACCOUNT, *_TABLES)


def findings(snapshot: Snapshot, on: date | None) -> tuple[Finding, ...]:
    """Every finding about a snapshot on a date, in the order of its tables; without a date, those that need none."""
    if on is not None:
        civil("on", on)
    return tuple(row for table in TABLES for row in findings_in(table, snapshot, _rows(snapshot, table), on))


def canonical_findings(snapshot: Snapshot, on: date | None) -> tuple[Finding, ...]:
    """The same with paths into the canonical snapshot, so that the order of rows does not show."""
    found: list[Finding] = []
    for table in TABLES:
        rows = _rows(snapshot, table)
        here = findings_in(table, snapshot, rows, on)
        found += findings_in(table, snapshot, ordered(rows), on) if here else here
    return tuple(found)


def _rows(snapshot: Snapshot, table: str) -> tuple[Any, ...]:
    return () if table == ACCOUNT else getattr(snapshot, table)


def _unknown(kind: str, id: str, path: str, row: str) -> Finding:
    table = "personnel" if kind == "person" else f"{kind}s"
    return error(
        f"unknown-{kind}", path, f"{row} is ignored: there is no `{id}` in `{table}`; add it, or correct the id"
    )


def _roles(snapshot: Snapshot, rows: Iterable[Role], _: date | None) -> Iterator[Finding]:
    courses = {course.id for course in snapshot.courses}
    for index, role in enumerate(rows):
        for inner, requirement in enumerate(role.requirements):
            if requirement.course not in courses:
                path = f"$.roles[{index}].requirements[{inner}].course"
                yield _unknown("course", requirement.course, path, f"a requirement of role `{role.id}`")


def _personnel(snapshot: Snapshot, rows: Iterable[Person], _: date | None) -> Iterator[Finding]:
    roles = {role.id for role in snapshot.roles}
    addresses = Counter(
        person.email.casefold() for person in snapshot.personnel if person.email and not person.archived
    )
    for index, person in enumerate(rows):
        path = f"$.personnel[{index}]"
        if person.email is not None and not usable(person.email):
            yield warning(
                "invalid-email",
                f"{path}.email",
                f"`{person.id}` cannot be reached at {shown(person.email)}; correct the address",
            )
        elif person.email and not person.archived and addresses[person.email.casefold()] > 1:
            yield warning(
                "duplicate-email",
                f"{path}.email",
                f"`{person.id}` shares an address with somebody else, who would get their invitations; "
                "give each person their own",
            )
        for inner, held in enumerate(person.roles):
            if held.role not in roles:
                yield _unknown("role", held.role, f"{path}.roles[{inner}].role", f"a role of `{person.id}`")


def _records(snapshot: Snapshot, rows: Iterable[TrainingRecord], on: date | None) -> Iterator[Finding]:
    people = {person.id for person in snapshot.personnel}
    validities = {course.id: course.validity for course in snapshot.courses}
    latest = on or date.max
    far = min(latest, _FAR)
    for index, row in enumerate(rows):
        expires_on, completed_on = row.expires_on, row.completed_on
        sound = completed_on <= far and (expires_on is None or (expires_on >= completed_on and not row.never_expires))
        if sound and row.person in people and row.course in validities:
            continue  # nearly all of them
        if row.person not in people or row.course not in validities:
            yield from _dangling(people, validities, row.person, row.course, f"$.records[{index}]", "a training record")
            continue
        if row.expires_on is None:
            validity = validities[row.course]
            if validity and not row.never_expires and after(row.completed_on, validity) is None:
                yield warning(
                    "expiry-beyond-calendar",
                    f"$.records[{index}].completed_on",
                    f"{_named(row.person, row.course, row.completed_on)} would expire after the year 9999, so it never "
                    "does; correct the date, or the course's validity",
                )
        elif row.expires_on < row.completed_on:
            yield error(
                "expiry-before-completion",
                f"$.records[{index}].expires_on",
                f"{_named(row.person, row.course, row.completed_on)} expires on {row.expires_on}, before it was taken; "
                "correct one of the dates",
            )
        elif row.never_expires:
            yield warning(
                "expiry-and-never",
                f"$.records[{index}].never_expires",
                f"{_named(row.person, row.course, row.completed_on)} has an expiry, which counts, and is said never to "
                "expire; remove one of the two",
            )
        if row.completed_on > latest:
            yield warning(
                "completed-in-future",
                f"$.records[{index}].completed_on",
                f"{_named(row.person, row.course, row.completed_on)} lies in the future and does not count yet; "
                "correct the date",
            )


# A validity is at most a hundred years, so what was completed before then ends within the calendar.
_FAR = date(date.max.year - 101, 1, 1)


def _named(person: str, course: str, completed_on: date) -> str:
    return f"the record of `{person}` on `{course}` of {completed_on}"


def _dangling(
    people: Iterable[str], courses: Iterable[str], person: str, course: str, path: str, row: str
) -> Iterator[Finding]:
    if person not in people:
        yield _unknown("person", person, f"{path}.person", f"{row} for `{course}`")
    if course not in courses:
        yield _unknown("course", course, f"{path}.course", f"{row} of `{person}`")


_Pairs = Iterable[Assignment | Enrolment | OptOut]


def _assignments(snapshot: Snapshot, rows: _Pairs, _: date | None) -> Iterator[Finding]:
    return _pairs(snapshot, rows, "assignments", "an assignment")


def _opt_outs(snapshot: Snapshot, rows: _Pairs, _: date | None) -> Iterator[Finding]:
    return _pairs(snapshot, rows, "opt_outs", "an opt-out")


def _enrolments(snapshot: Snapshot, rows: _Pairs, _: date | None) -> Iterator[Finding]:
    return _pairs(snapshot, rows, "enrolments", "an enrolment")


def _pairs(snapshot: Snapshot, rows: _Pairs, table: str, kind: str) -> Iterator[Finding]:
    people = {person.id for person in snapshot.personnel}
    courses = {course.id for course in snapshot.courses}
    for index, row in enumerate(rows):
        if row.person not in people or row.course not in courses:
            yield from _dangling(people, courses, row.person, row.course, f"$.{table}[{index}]", kind)


_FINDERS: dict[str, Callable[[Snapshot, Any, date | None], Iterator[Finding]]] = {
    ACCOUNT: of_account,
    "courses": of_courses,
    "roles": _roles,
    "personnel": _personnel,
    "assignments": _assignments,
    "records": _records,
    "enrolments": _enrolments,
    "opt_outs": _opt_outs,
}


def findings_in(table: str, snapshot: Snapshot, rows: tuple[Any, ...], on: date | None) -> list[Finding]:
    """The findings about the rows of one table, in their order."""
    return list(_FINDERS[table](snapshot, rows, on))
