"""A sheet to a snapshot, what was not understood, and what is still to be told.

Pure: rows of cells in, values out. Nothing is invented: what the matrix and the mapping do not say is either listed, or
taken for what claims least (a course of unknown delivery is never enrolled), and that is listed too.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from typing import final

from attrs import frozen

from enrolpolicy.constraints import shown
from enrolpolicy.errors import InvalidSnapshot, InvalidValue, Problem
from enrolpolicy.matrix.cells import Sheet, Unread
from enrolpolicy.matrix.heads import Column, Heads, heads_of
from enrolpolicy.matrix.mapping import Asked, MappedCourse, MappedRole, Mapping
from enrolpolicy.matrix.people import People, Row, people_of, slug
from enrolpolicy.matrix.records import Cells, Training, cells_of, reading_of
from enrolpolicy.matrix.remarks import Remark, assumptions, questions
from enrolpolicy.matrix.words import head_key
from enrolpolicy.model import (
    Account,
    Assignment,
    Course,
    Delivery,
    Level,
    OptOut,
    Role,
    RoleCourse,
    Snapshot,
    repeated_ids,
)


@final
@frozen(kw_only=True)
class Imported:
    """What became of a matrix.

    `snapshot` holds all that was understood, `unread` all that was not, in the order of the sheet. `assumed` says what
    was taken to be so although nobody said it, `untold` what has to be told before the plan of this snapshot means
    anything.
    """

    snapshot: Snapshot
    unread: tuple[Unread, ...]
    assumed: tuple[Remark, ...]
    untold: tuple[Remark, ...]


NO_MAPPING = Mapping()


def read_matrix(sheet: Sheet, *, account: str | Account | None = None, mapping: Mapping = NO_MAPPING) -> Imported:
    """A training matrix, people by courses, as a snapshot; `account` is its id, or its settings.

    Raises `InvalidSnapshot` where the sheet's heads cannot be told, the mapping names what the sheet does not have, or
    neither it nor `account` says whose matrix this is.
    """
    settings = _account(account, mapping)
    heads = heads_of(sheet, mapping)
    courses = _courses(sheet, heads, mapping)
    roles = _requirements(mapping, courses)
    people = people_of(sheet, heads, mapping)
    reading, evidence = reading_of(sheet, heads, mapping)
    cells = cells_of(sheet, heads, mapping, reading, people.rows, courses)
    snapshot = _snapshot(settings, courses, people, roles, cells, mapping)
    return Imported(
        snapshot=snapshot,
        unread=tuple(sorted((*people.unread, *cells.unread), key=_place)),
        assumed=tuple(assumptions(snapshot, heads, people.rows, cells.trainings, mapping, evidence)),
        untold=tuple(questions(snapshot, _delivered(heads, courses))),
    )


def _place(row: Unread) -> tuple[int, int, str]:
    return row.row or 0, len(row.column or ""), row.column or ""


def _account(account: str | Account | None, mapping: Mapping) -> Account:
    if isinstance(account, Account):
        return account
    if mapping.account is not None:
        if account is not None and account != mapping.account.id:
            message = f"is {shown(mapping.account.id)}, and {shown(account)} was asked for; name one of them"
            raise _refused(Problem(path="$.account.id", code="two-accounts", message=message))
        return mapping.account
    if account is None:
        message = "nobody says whose matrix this is; give `--account`, or say `account.id` in a mapping"
        raise _refused(Problem(path="$.account", code="missing", message=message))
    try:
        return Account(id=account)
    except InvalidValue as error:
        raise _refused(Problem(path="$.account.id", code="invalid", message=error.problem)) from None


def _refused(*problems: Problem) -> InvalidSnapshot:
    return InvalidSnapshot(problems)


# Courses


def _courses(sheet: Sheet, heads: Heads, mapping: Mapping) -> dict[str, Course]:
    """The courses of the columns, by what the columns call them."""
    columns = {column.course: column for column in reversed(heads.columns)}
    courses = {name: _course(column) for name, column in sorted(columns.items(), key=lambda item: item[1].index)}
    places = [f"{sheet.name}!{columns[name].letters}{heads.row + 1}" for name in courses]
    problems = [
        Problem(path=places[at], code="duplicate-id", message=f"{_NO_OWN_ID} `{course.id}`; {_SAY_ID}")
        for at, course in enumerate(courses.values())
        if course.id in [other.id for number, other in enumerate(courses.values()) if number < at]
    ]
    if problems:
        raise _refused(*problems[:1000])
    return courses


_NO_OWN_ID = "the course's words give the same id as another's,"
_SAY_ID = "say its `id` in a mapping"


def _course(column: Column) -> Course:
    said = column.mapped or MappedCourse(header=column.course)
    return Course(
        id=said.id or slug(column.course) or f"column-{column.letters.lower()}",
        name=said.name or column.course,
        delivery=said.delivery or Delivery.OTHER,
        auto_enrol=said.auto_enrol,
        audience=said.audience,
        scope=said.scope,
        lead_days=said.lead_days,
        validity=said.validity,
        credit_cost=said.credit_cost,
    )


def _delivered(heads: Heads, courses: Dictionary[str, Course]) -> frozenset[str]:
    """The courses of which the mapping says how they are delivered."""
    said = {column.course for column in heads.columns if column.mapped and column.mapped.delivery is not None}
    return frozenset(courses[name].id for name in said)


# Roles, and whom training is asked of


def _requirements(mapping: Mapping, courses: Dictionary[str, Course]) -> dict[str, tuple[RoleCourse, ...]]:
    """What the mapping's roles ask for, by the roles' ids."""
    known = {course.id: course.id for course in courses.values()}
    known |= {head_key(name): course.id for name, course in courses.items()}
    problems: list[Problem] = []
    found = {}
    for index, role in enumerate(mapping.roles):
        problems += [
            Problem(path=path, code="unknown-course", message=f"no column is of the course {shown(name)}; {_CORRECT}")
            for path, name, _ in _asked_by(role, index)
            if name not in known and head_key(name) not in known
        ]
        found[role.id or slug(role.name)] = tuple(
            RoleCourse(course=known.get(name) or known.get(head_key(name), name), level=level)
            for _, name, level in _asked_by(role, index)
        )
    problems += repeated_ids("roles", [role.id or slug(role.name) for role in mapping.roles])
    if problems:
        raise _refused(*problems[:1000])
    return found


_CORRECT = "correct it, or take it out"


def _asked_by(role: MappedRole, index: int) -> Iterator[tuple[str, str, Level]]:
    for level, names in ((Level.REQUIRED, role.required), (Level.OPTIONAL, role.optional)):
        for at, name in enumerate(names):
            yield f"$.roles[{index}].{level.value}[{at}]", name, level


def _snapshot(
    account: Account,
    courses: Dictionary[str, Course],
    people: People,
    requirements: Dictionary[str, tuple[RoleCourse, ...]],
    cells: Cells,
    mapping: Mapping,
) -> Snapshot:
    roles = tuple(Role(id=role.id, name=role.name, requirements=requirements.get(role.id, ())) for role in people.roles)
    persons = tuple(row.person for row in people.rows if row.person is not None)
    return Snapshot(
        account=account,
        courses=tuple(courses.values()),
        roles=roles,
        personnel=persons,
        assignments=tuple(_assignments(cells.trainings, mapping.asked)),
        records=tuple(training.record for training in cells.trainings if training.record is not None),
        opt_outs=tuple(_opt_outs(people.rows, requirements, cells.trainings)),
    )


def _assignments(trainings: Sequence[Training], asked: Asked) -> Iterator[Assignment]:
    for training in trainings:
        wanted = {
            Asked.ROLES: False,
            Asked.RECORDED: training.record is not None,
            Asked.UNLESS_NA: training.asked,
        }[asked]
        if wanted:
            yield Assignment(person=training.person, course=training.course, level=Level.REQUIRED)


def _opt_outs(
    rows: Sequence[Row], requirements: Dictionary[str, tuple[RoleCourse, ...]], trainings: Sequence[Training]
) -> Iterator[OptOut]:
    """Where a role asks somebody for what their own cell says is not asked of them."""
    asked = {
        (row.person.id, requirement.course)
        for row in rows
        if row.person is not None
        for held in row.person.roles
        for requirement in requirements.get(held.role, ())
    }
    for training in trainings:
        if not training.asked and (training.person, training.course) in asked:
            yield OptOut(person=training.person, course=training.course)
