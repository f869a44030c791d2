"""The heads of a matrix: which row they are in, and what each column is.

A sheet that cannot be told from its heads is refused as a whole, with everything that is missing; a column that nothing
is known about but its course is not, see `enrolpolicy.matrix.records`.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from difflib import get_close_matches
from typing import final

from attrs import evolve, frozen

from enrolpolicy.constraints import shown
from enrolpolicy.errors import InvalidSnapshot, Problem
from enrolpolicy.matrix.cells import LONGEST, Cell, Sheet, blank, letters, text_of
from enrolpolicy.matrix.mapping import MappedCourse, Mapping
from enrolpolicy.matrix.words import ASIDE, FIELDS, Kind, course_and_kind, head_key

SEARCHED = 30
"""The heads are looked for in so many rows."""


@final
@frozen(kw_only=True)
class Column:
    """A column of dates: its index, its head, the course it is about, and what the dates are (None: nobody said)."""

    index: int
    head: str
    course: str
    kind: Kind | None
    mapped: MappedCourse | None = None

    @property
    def letters(self) -> str:
        """Its letters."""
        return letters(self.index)


@final
@frozen(kw_only=True)
class Heads:
    """What the columns are.

    `row` is the index of the heads' row; `fields` has the columns of each thing said about people; `aside` those that
    say nothing about training, and `headless` those without a head.
    """

    row: int
    fields: Dictionary[str, tuple[int, ...]]
    columns: tuple[Column, ...]
    aside: tuple[int, ...]
    headless: tuple[int, ...]
    texts: tuple[str, ...]


def heads_of(sheet: Sheet, mapping: Mapping) -> Heads:
    """What the columns of a sheet are; raises `InvalidSnapshot` where that cannot be told."""
    row = _row(sheet, mapping)
    texts = tuple(text_of(cell) for cell in sheet.rows[row])
    problems = list(_unknown_heads(sheet, texts, mapping))
    fields = _fields(texts, mapping)
    problems += _doubled_fields(sheet, row, texts, fields)
    taken = {index for indices in fields.values() for index in indices}
    aside = tuple(i for i, text in enumerate(texts) if i not in taken and _set_aside(text, mapping))
    headless = tuple(i for i, text in enumerate(texts) if not text)
    rest = [i for i, text in enumerate(texts) if text and i not in taken and i not in aside]
    columns = tuple(_columns(sheet, row, texts, rest, mapping))
    problems += [*_problems_of(sheet, row, columns), *_unmatched(mapping, columns)]
    if problems:
        raise InvalidSnapshot(tuple(problems[:1000]), max(0, len(problems) - 1000))
    return Heads(row=row, fields=fields, columns=columns, aside=aside, headless=headless, texts=texts)


# The row


def _row(sheet: Sheet, mapping: Mapping) -> int:
    if mapping.header_row is not None:
        index = mapping.header_row - 1
        if index < len(sheet.rows) and _names_people(sheet.rows[index], mapping):
            return index
        raise _refused(sheet.name, "no-heads", f"row {mapping.header_row} names no column for the people; {_SAY_NAME}")
    for index, cells in enumerate(sheet.rows[:SEARCHED]):
        if _names_people(cells, mapping) and sum(not blank(cell) for cell in cells) > 1:
            return index
    if all(blank(cell) for cells in sheet.rows for cell in cells):
        raise _refused(sheet.name, "empty", "there is nothing in it; choose another sheet or file")
    message = f"none of the first {SEARCHED} rows has heads with a column for the people's names; {_SAY_NAME}"
    raise _refused(sheet.name, "no-heads", message)


_SAY_NAME = "call the column `Name`, or say `columns.name` in a mapping"


def _names_people(cells: Sequence[Cell], mapping: Mapping) -> bool:
    fields = _fields([text_of(cell) for cell in cells], mapping)
    return "name" in fields or {"first_name", "last_name"} <= fields.keys()


def _fields(texts: Sequence[str], mapping: Mapping) -> dict[str, tuple[int, ...]]:
    """The columns about people: where the mapping says, else where heads have their usual words."""
    found = {}
    heads = [head_key(text[:LONGEST]) for text in texts]
    left_out = {head_key(text) for text in mapping.ignore}
    for field, usual in FIELDS.items():
        said = getattr(mapping.columns, field)
        wanted = usual - left_out if said is None else {head_key(said)}
        indices = tuple(index for index, head in enumerate(heads) if head in wanted and head)
        if indices:
            found[field] = indices
    return _without_taken(found, mapping)


def _without_taken(found: dict[str, tuple[int, ...]], mapping: Mapping) -> dict[str, tuple[int, ...]]:
    """A column that the mapping gives to one thing is not taken for another because of its head."""
    said = {i for field, indices in found.items() if getattr(mapping.columns, field) is not None for i in indices}
    kept = {
        field: indices if getattr(mapping.columns, field) is not None else tuple(i for i in indices if i not in said)
        for field, indices in found.items()
    }
    return {field: indices for field, indices in kept.items() if indices}


def _doubled_fields(
    sheet: Sheet, row: int, texts: Sequence[str], fields: Dictionary[str, tuple[int, ...]]
) -> Iterator[Problem]:
    for field, indices in fields.items():
        if len(indices) > 1 and field != "roles":
            named = " and ".join(f"{letters(index)} {shown(texts[index])}" for index in indices)
            message = f"columns {named} could each be the people's {field.replace('_', ' ')}"
            path = f"{sheet.name}!{letters(indices[1])}{row + 1}"
            yield Problem(path=path, code="two-columns", message=f"{message}; say `columns.{field}` in a mapping")


def _set_aside(text: str, mapping: Mapping) -> bool:
    plain = head_key(text[:LONGEST])
    if plain in {head_key(head) for head in mapping.ignore}:
        return True
    return plain in ASIDE and plain not in {head_key(course.header) for course in mapping.courses}


# The courses


def _columns(sheet: Sheet, row: int, texts: Sequence[str], rest: Sequence[int], mapping: Mapping) -> Iterator[Column]:
    """The columns of dates. A head that only says what its dates are belongs to the course above it, or left of it."""
    above = sheet.rows[row - 1] if row else ()
    previous: Column | None = None
    spellings: dict[str, str] = {}
    for index in rest:
        column = _mapped_column(index, texts[index], mapping)
        if not column.course:
            course = _merged(above, texts, index) or (
                previous.course if previous and previous.index == index - 1 else ""
            )
            column = _with_course(column, course, mapping)
        column = evolve(column, course=spellings.setdefault(head_key(column.course), column.course))
        yield column
        previous = column


def _mapped_column(index: int, head: str, mapping: Mapping) -> Column:
    plain = head_key(head[:LONGEST])
    for mapped in mapping.courses:
        said: str | None
        kind: Kind | None
        for said, kind in ((mapped.completed, Kind.COMPLETED), (mapped.expires, Kind.EXPIRES)):
            if said is not None and head_key(said) == plain:
                return Column(index=index, head=head, course=mapped.header, kind=kind, mapped=mapped)
        if head_key(mapped.header) == plain:
            kind = mapped.cells or mapping.cells
            return Column(index=index, head=head, course=mapped.header, kind=kind, mapped=mapped)
    course, kind = course_and_kind(head[:LONGEST])
    return _with_course(Column(index=index, head=head, course="", kind=kind), course, mapping)


def _with_course(column: Column, course: str, mapping: Mapping) -> Column:
    mapped = next((one for one in mapping.courses if head_key(one.header) == head_key(course)), None)
    said = mapped.cells if mapped else None
    return evolve(
        column,
        course=mapped.header if mapped else course,
        kind=column.kind or said or mapping.cells,
        mapped=mapped,
    )


def _merged(above: Sequence[Cell], texts: Sequence[str], index: int) -> str:
    """The course in the row above, over this column or, merged with it, over one left of it with such a head too."""
    for at in range(index, -1, -1):
        if at != index and (not texts[at] or course_and_kind(texts[at])[0]):
            return ""
        if at < len(above) and not blank(above[at]):
            return text_of(above[at])[:LONGEST]
    return ""


def _problems_of(sheet: Sheet, row: int, columns: Sequence[Column]) -> Iterator[Problem]:
    if not columns:
        yield Problem(path=f"{sheet.name}!{row + 1}", code="no-courses", message="no column is a course; add one")
    seen: dict[tuple[str, Kind | None], Column] = {}
    for column in columns:
        path = f"{sheet.name}!{column.letters}{row + 1}"
        if len(column.head) > LONGEST:
            yield Problem(
                path=path, code="too-long", message=f"the head has more than {LONGEST} characters; shorten it"
            )
        if not head_key(column.course):
            message = f"nothing says which course {shown(column.head)} is of; write it into the head"
            yield Problem(path=path, code="course-unknown", message=message)
            continue
        earlier = seen.setdefault((head_key(column.course), column.kind), column)
        if earlier is not column:
            message = (
                f"column {earlier.letters} is of the same course, {shown(column.course)}; "
                "say in the heads which is which, or remove one"
            )
            yield Problem(path=path, code="two-columns", message=message)


def _unknown_heads(sheet: Sheet, texts: Sequence[str], mapping: Mapping) -> Iterator[Problem]:
    """Heads that the mapping names and the sheet does not have."""
    heads = {head_key(text): text for text in texts if text}
    for path, said in _named(mapping):
        if head_key(said) not in heads:
            nearest = get_close_matches(head_key(said), heads, n=1)
            advice = f"did you mean {shown(heads[nearest[0]])}?" if nearest else "correct it, or take it out"
            yield Problem(path=path, code="unknown-head", message=f"no column of the sheet is {shown(said)}; {advice}")


def _named(mapping: Mapping) -> Iterator[tuple[str, str]]:
    for field in FIELDS:
        said = getattr(mapping.columns, field)
        if said is not None:
            yield f"$.columns.{field}", said
    yield from ((f"$.ignore[{index}]", said) for index, said in enumerate(mapping.ignore))
    for index, course in enumerate(mapping.courses):
        for field in ("completed", "expires"):
            said = getattr(course, field)
            if said is not None:
                yield f"$.courses[{index}].{field}", said


def _unmatched(mapping: Mapping, columns: Sequence[Column]) -> Iterator[Problem]:
    """Courses of the mapping that no column is of."""
    found = {head_key(column.course): column.course for column in columns}
    for index, course in enumerate(mapping.courses):
        if head_key(course.header) not in found:
            nearest = get_close_matches(head_key(course.header), found, n=1)
            advice = f"did you mean {shown(found[nearest[0]])}?" if nearest else "correct it, or take it out"
            message = f"no column is of the course {shown(course.header)}; {advice}"
            yield Problem(path=f"$.courses[{index}].header", code="unknown-head", message=message)


def _refused(path: str, code: str, message: str) -> InvalidSnapshot:
    return InvalidSnapshot((Problem(path=path, code=code, message=message),))
