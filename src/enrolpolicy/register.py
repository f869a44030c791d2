"""A snapshot, looked up by person and course. Rows that name somebody or something unknown are left out (rule 7)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Protocol, TypeVar, final

from attrs import frozen

from enrolpolicy.errors import UnknownId
from enrolpolicy.model import (
    Account,
    Assignment,
    Course,
    Enrolment,
    HeldRole,
    Level,
    OptOut,
    Person,
    Role,
    Snapshot,
    TrainingRecord,
)


class _OfPair(Protocol):
    @property
    def person(self) -> str: ...
    @property
    def course(self) -> str: ...


_Row = TypeVar("_Row", bound=_OfPair)
Table = dict[str, dict[str, list[_Row]]]
Levels = Mapping[str, Level]
OptOuts = Mapping[str, frozenset[str]]
"""The courses that people are out of auto-enrolment for, by person."""


@final
@frozen
class Source:
    """Why a training is asked of somebody: a role, or None for an assignment of their own."""

    role: str | None
    level: Level
    assigned_on: date | None


@final
@frozen(eq=False)
class Register:
    """The rows of a snapshot by what they are about; tables are looked up by person, then course."""

    account: Account
    courses: dict[str, Course]
    roles: dict[str, Role]
    people: dict[str, Person]
    levels: dict[str, Levels]
    assignments: Table[Assignment]
    records: Table[TrainingRecord]
    enrolments: Table[Enrolment]
    opt_outs: OptOuts
    asks: Mapping[str, frozenset[str]]
    """The courses that each role asks for which somebody here holds."""

    def person(self, id: str) -> Person:
        """The person of an id; raises `UnknownId`."""
        if id not in self.people:
            raise UnknownId("person", id)
        return self.people[id]

    def course(self, id: str) -> Course:
        """The course of an id; raises `UnknownId`."""
        if id not in self.courses:
            raise UnknownId("course", id)
        return self.courses[id]

    def courses_of(self, person: str) -> set[str]:
        """The courses that have something to do with a person: asked for, recorded or booked."""
        return self.levels[person].keys() | self.records[person].keys() | self.enrolments[person].keys()

    def sources(self, person: str, course: str) -> tuple[Source, ...]:
        """All that asks a person for a course: roles by id, then assignments."""
        by_role = (
            Source(held.role, requirement.level, held.assigned_on)
            for held in self.people[person].roles
            if held.role in self.roles
            for requirement in self.roles[held.role].requirements
            if requirement.course == course
        )
        own = (Source(None, row.level, row.assigned_on) for row in self.assignments.get(person, {}).get(course, ()))
        return tuple(sorted({*by_role, *own}, key=_source_order))

    def held_since(self, person: Person, since: date | None) -> tuple[str, ...]:
        """The roles that somebody was given on or after a date; none where no date is asked about."""
        if since is None:
            return ()
        return tuple([row.role for row in person.roles if row.assigned_on is not None and row.assigned_on >= since])

    def asked_lately(self, person: Person, since: date) -> Collection[str]:
        """The courses that were (last) asked of somebody on or after a date."""
        held = [self.asks[role] for role in self.held_since(person, since) if role in self.asks]
        own = self.assignments[person.id]
        by_hand = [
            course
            for course, rows in own.items()
            if any(row.assigned_on is not None and row.assigned_on >= since for row in rows)
        ]
        return frozenset(by_hand).union(*held)

    def out_of(self, person: str) -> frozenset[str]:
        """The courses that somebody is out of auto-enrolment for."""
        return self.opt_outs.get(person, frozenset())

    def asked_on(self, person: str, course: str) -> date | None:
        """The latest date on which the training was asked of the person; None where nobody noted one."""
        by_role = [held.assigned_on for held in self.people[person].roles if course in self.asks.get(held.role, ())]
        own = [row.assigned_on for row in self.assignments[person].get(course, ())]
        return max((day for day in (*by_role, *own) if day is not None), default=None)


def _source_order(source: Source) -> tuple[bool, str, str, date]:
    return source.role is None, source.role or "", source.level.value, source.assigned_on or date.min


def register(snapshot: Snapshot, people: Collection[str] | None = None) -> Register:
    """Look a snapshot up, whole or for some people only; raises `UnknownId` for one it does not have."""
    courses = {course.id: course for course in snapshot.courses}
    everybody = {person.id: person for person in snapshot.personnel}
    if people is not None:
        for id in people:
            if id not in everybody:
                raise UnknownId("person", id)
        everybody = {id: person for id, person in everybody.items() if id in people}
    roles = {role.id: role for role in snapshot.roles}
    held = {row.role for person in everybody.values() for row in person.roles}
    assignments = _table(snapshot.assignments, everybody, courses)
    return Register(
        account=snapshot.account,
        courses=courses,
        roles=roles,
        people=everybody,
        levels=_levels(everybody, roles, courses, assignments),
        assignments=assignments,
        records=_table(snapshot.records, everybody, courses),
        enrolments=_table(snapshot.enrolments, everybody, courses),
        opt_outs=opt_outs_of(snapshot.opt_outs),
        asks={id: frozenset(row.course for row in roles[id].requirements) for id in held & roles.keys()},
    )


def _table(rows: Iterable[_Row], people: Collection[str], courses: Collection[str]) -> Table[_Row]:
    table: Table[_Row] = {person: {} for person in people}
    for row in rows:
        of_person = table.get(row.person)
        if of_person is None:
            continue
        of_pair = of_person.get(row.course)
        if of_pair is not None:
            of_pair.append(row)
        elif row.course in courses:
            of_person[row.course] = [row]
    return table


def opt_outs_of(rows: Iterable[OptOut]) -> OptOuts:
    """The courses that people are out of auto-enrolment for, by person."""
    courses: dict[str, set[str]] = {}
    for row in rows:
        courses.setdefault(row.person, set()).add(row.course)
    return {person: frozenset(out) for person, out in courses.items()}


def _levels(
    people: Mapping[str, Person],
    roles: Mapping[str, Role],
    courses: Collection[str],
    assignments: Table[Assignment],
) -> dict[str, Levels]:
    """The strongest level of every training asked of everybody; people with the same roles share one mapping."""
    by_roles: dict[tuple[str, ...], Levels] = {}
    levels: dict[str, Levels] = {}
    for id, person in people.items():
        held = tuple([row.role for row in person.roles])
        asked = by_roles.get(held)
        if asked is None:
            asked = by_roles[held] = _role_levels(person.roles, roles, courses)
        own = assignments[id]
        levels[id] = _with_own(asked, own) if own else asked
    return levels


def levels_of(rows: Register, person: str) -> Levels:
    """The levels of one person by the rows as they are now."""
    asked = _role_levels(rows.people[person].roles, rows.roles, rows.courses)
    return _with_own(asked, rows.assignments[person])


def _role_levels(held: Iterable[HeldRole], roles: Mapping[str, Role], courses: Collection[str]) -> Levels:
    levels: dict[str, Level] = {}
    for row in held:
        for requirement in roles[row.role].requirements if row.role in roles else ():
            if requirement.course in courses:
                _strengthen(levels, requirement.course, requirement.level)
    return levels


def _with_own(asked: Levels, own: Mapping[str, Iterable[Assignment]]) -> Levels:
    levels = dict(asked)
    for course, rows in own.items():
        for row in rows:
            _strengthen(levels, course, row.level)
    return levels


def _strengthen(levels: dict[str, Level], course: str, level: Level) -> None:
    if levels.get(course) is not Level.REQUIRED:
        levels[course] = level
