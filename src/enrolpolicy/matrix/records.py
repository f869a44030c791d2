"""The cells of a matrix: which training was completed, and until when it is valid.

A cell is a date, one of a few words, or not understood. A training of which one cell was not understood is left out
whole: half of it could say something the matrix does not.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from datetime import date, timedelta
from typing import final

from attrs import field, frozen

from enrolpolicy.dates import add_months
from enrolpolicy.matrix.cells import (
    ERRORS,
    FORMULA_FAILED,
    LONGEST,
    Cell,
    Faulty,
    Sheet,
    Unread,
    blank,
    letters,
    text_of,
)
from enrolpolicy.matrix.day import BARE_NUMBER, EARLIEST, LATEST, NOT_A_DATE, Evidence, NoDay, Reading, day_of, evidence
from enrolpolicy.matrix.heads import Column, Heads
from enrolpolicy.matrix.mapping import Mapping, Words
from enrolpolicy.matrix.people import Row
from enrolpolicy.matrix.words import MEANINGS, Kind, Meaning, key
from enrolpolicy.model import Course, TrainingRecord, Validity

Said = date | Meaning
"""What an understood cell says."""


@final
@frozen(kw_only=True)
class Training:
    """One person's cells of one course, understood. `asked` is false where they say that it is not asked of them."""

    person: str
    course: str
    record: TrainingRecord | None = None
    asked: bool = True
    reckoned: bool = False
    """The completion was reckoned from the expiry and the course's validity."""


@final
@frozen(kw_only=True)
class Cells:
    """Everybody's training, and what was not understood."""

    trainings: tuple[Training, ...]
    unread: tuple[Unread, ...]


def reading_of(sheet: Sheet, heads: Heads, mapping: Mapping) -> tuple[Reading, Evidence]:
    """How the dates of a sheet are read: as the mapping says, else as they settle it among themselves."""
    texts = (
        (f"{column.letters}{index + 1}", cell)
        for index in range(heads.row + 1, len(sheet.rows))
        for column in heads.columns
        if isinstance(cell := sheet.at(index, column.index), str)
    )
    found = evidence(texts) if mapping.dates is None else Evidence()
    order = mapping.dates or found.order
    unsettled = "" if order else found.words
    return Reading(order=order, short_years=mapping.short_years, unsettled=unsettled), found


def cells_of(
    sheet: Sheet,
    heads: Heads,
    mapping: Mapping,
    reading: Reading,
    rows: Sequence[Row],
    courses: Dictionary[str, Course],
) -> Cells:
    """The training in the rows; `courses` are those of the columns, by what these call them."""
    unread: list[Unread] = list(_columns_unread(sheet, heads, rows, courses))
    trainings: list[Training] = []
    vocabulary = _vocabulary(mapping.words)
    groups = _by_course(heads.columns)
    for row in rows:
        unread += _headless(sheet, heads, row.index)
        for name, columns in groups.items():
            asker = _Pair(sheet=sheet, row=row, course=courses[name], columns=columns)
            training = asker.read(reading, vocabulary)
            unread += asker.unread
            if training is not None:
                trainings.append(training)
    return Cells(trainings=tuple(trainings), unread=tuple(unread))


def _by_course(columns: Sequence[Column]) -> dict[str, tuple[Column, ...]]:
    groups: dict[str, tuple[Column, ...]] = {}
    for column in columns:
        groups[column.course] = (*groups.get(column.course, ()), column)
    return groups


def _vocabulary(words: Words) -> dict[str, Meaning]:
    said = ((words.nothing, Meaning.NOTHING), (words.not_asked, Meaning.NOT_ASKED))
    more = (*said, (words.never_expires, Meaning.NEVER_EXPIRES))
    return MEANINGS | {key(word): meaning for those, meaning in more for word in those}


def said_by(cell: Cell, reading: Reading, vocabulary: Dictionary[str, Meaning] = MEANINGS) -> Said | NoDay:
    """What a cell says, or why it is not understood."""
    if cell is None:
        return Meaning.NOTHING
    if isinstance(cell, Faulty):
        return NoDay("faulty-cell", cell.why)
    if isinstance(cell, str) and cell.strip() in ERRORS:
        return NoDay("faulty-cell", FORMULA_FAILED)
    if isinstance(cell, date):
        if EARLIEST <= cell <= LATEST:
            return cell
        return NoDay("far-off-date", f"lies in the year {cell.year}; correct the year, or empty the cell")
    if isinstance(cell, bool):
        return NOT_A_DATE
    if isinstance(cell, int | float):
        return BARE_NUMBER
    if len(cell) > LONGEST:
        return NoDay("too-long", f"has {len(cell):,} characters; leave the date, and nothing else")
    meaning = vocabulary.get(key(cell))
    return day_of(cell, reading) if meaning is None else meaning


# Columns


def _columns_unread(
    sheet: Sheet, heads: Heads, rows: Sequence[Row], courses: Dictionary[str, Course]
) -> Iterator[Unread]:
    """Columns whose dates cannot become records, because something is not known about all of them."""
    for name, columns in _by_course(heads.columns).items():
        kinds = {column.kind for column in columns}
        for column in columns:
            filled = any(not blank(sheet.at(row.index, column.index)) for row in rows)
            code, message = "", ""
            if column.kind is None and filled:
                code, message = "kind-unknown", _KIND_UNKNOWN
            elif kinds == {Kind.EXPIRES} and courses[name].validity is None and filled:
                code, message = "completion-unknown", _COMPLETION_UNKNOWN
            if code:
                yield Unread(
                    sheet=sheet.name,
                    row=heads.row + 1,
                    column=column.letters,
                    code=code,
                    value=column.head,
                    message=message,
                )


_KIND_UNKNOWN = (
    "does not say whether its dates are completions or expiries; write it into the head, "
    "say `--cells completed` or `--cells expires`, or `ignore` the column in a mapping"
)
_COMPLETION_UNKNOWN = (
    "has expiries and no completions, which cannot be reckoned without the validity; "
    "say the course's `validity` in a mapping, or add a column of completions"
)


def _headless(sheet: Sheet, heads: Heads, index: int) -> Iterator[Unread]:
    """What stands in columns without a head."""
    beyond = range(len(heads.texts), len(sheet.rows[index]))
    for column in (*heads.headless, *beyond):
        cell = sheet.at(index, column)
        if not blank(cell):
            yield Unread(
                sheet=sheet.name,
                row=index + 1,
                column=letters(column),
                code="no-head",
                value=text_of(cell)[:LONGEST],
                message="stands in a column without a head; give it one, or empty the cell",
            )


# One person, one course


@final
@frozen(kw_only=True)
class _Pair:
    sheet: Sheet
    row: Row
    course: Course
    columns: Sequence[Column]
    unread: list[Unread] = field(factory=list)

    def read(self, reading: Reading, vocabulary: Dictionary[str, Meaning]) -> Training | None:
        """The training; None where the row is about nobody that was understood."""
        said: dict[Kind | None, Said] = {}
        for column in self.columns:
            found = said_by(self.sheet.at(self.row.index, column.index), reading, vocabulary)
            if found is Meaning.NEVER_EXPIRES and column.kind is Kind.COMPLETED:
                found = NOT_A_DATE
            if isinstance(found, NoDay):
                self._refuse(column, found)
            else:
                said[column.kind] = found
        training = None if self.unread else self._training(said)
        if self.row.person is None:
            return None
        return training or Training(person=self.row.person.id, course=self.course.id)

    def _refuse(self, column: Column, why: NoDay) -> None:
        cell = self.sheet.at(self.row.index, column.index)
        self.unread.append(
            Unread(
                sheet=self.sheet.name,
                row=self.row.index + 1,
                column=column.letters,
                code=why.code,
                value=text_of(cell)[:LONGEST],
                message=why.message,
            )
        )

    def _column(self, kind: Kind) -> Column:
        return next(column for column in self.columns if column.kind is kind)

    def _training(self, said: Dictionary[Kind | None, Said]) -> Training | None:
        """What the cells say together; None, and why, where they contradict each other."""
        completed = said.get(Kind.COMPLETED, Meaning.NOTHING)
        expires = said.get(Kind.EXPIRES, Meaning.NOTHING)
        dates = (isinstance(completed, date), isinstance(expires, date))
        if any(dates) and Meaning.NOT_ASKED in (completed, expires):
            kind = Kind.EXPIRES if dates[0] else Kind.COMPLETED
            self._refuse(self._column(kind), _NOT_ASKED_BESIDE[kind])
            return None
        if isinstance(completed, date):
            return self._completed(completed, expires)
        if isinstance(expires, date):
            return self._reckoned(expires)
        if expires is Meaning.NEVER_EXPIRES:
            self._refuse(self._column(Kind.EXPIRES), _NEVER_WITHOUT_COMPLETION)
            return None
        return self._made(None, asked=Meaning.NOT_ASKED not in said.values())

    def _completed(self, completed: date, expires: Said) -> Training | None:
        if isinstance(expires, date) and expires < completed:
            self._refuse(self._column(Kind.EXPIRES), _BEFORE_COMPLETION)
            return None
        return self._made(
            completed,
            expires_on=expires if isinstance(expires, date) else None,
            never=expires is Meaning.NEVER_EXPIRES,
        )

    def _reckoned(self, expires: date) -> Training | None:
        if self.course.validity is None:
            if len(self.columns) > 1:  # else the whole column was refused
                self._refuse(self._column(Kind.EXPIRES), _EXPIRY_ALONE)
            return None
        completed = before(expires, self.course.validity)
        return self._made(completed, expires_on=expires, reckoned=True)

    def _made(
        self,
        completed: date | None,
        *,
        expires_on: date | None = None,
        never: bool = False,
        reckoned: bool = False,
        asked: bool = True,
    ) -> Training | None:
        if self.row.person is None:
            return None
        person, course = self.row.person.id, self.course.id
        record = None
        if completed is not None:
            record = TrainingRecord(
                person=person, course=course, completed_on=completed, expires_on=expires_on, never_expires=never
            )
        return Training(person=person, course=course, record=record, asked=asked, reckoned=reckoned)


def before(expires: date, validity: Validity) -> date:
    """The completion that an expiry follows from, by the validity.

    >>> before(date(2026, 12, 20), Validity(months=12)), before(date(2026, 3, 31), Validity(months=1))
    (datetime.date(2025, 12, 20), datetime.date(2026, 2, 28))
    """
    if validity.days is not None:
        return expires - timedelta(validity.days)
    assert validity.months is not None
    earlier = add_months(expires, -validity.months)
    assert earlier is not None, "an expiry is at least 1950, a validity at most a hundred years"
    return earlier


_NOT_ASKED_BESIDE = {
    Kind.EXPIRES: NoDay(
        "contradiction",
        "says that it is not asked, beside a completion; write `no expiry` if that is meant, or empty the cell",
    ),
    Kind.COMPLETED: NoDay(
        "contradiction", "says that it is not asked, beside an expiry; write the completion, or empty the cell"
    ),
}
_NEVER_WITHOUT_COMPLETION = NoDay(
    "completion-unknown", "has no completion beside it; write when it was completed, or empty the cell"
)
_BEFORE_COMPLETION = NoDay("expiry-before-completion", "lies before the completion; correct one of the two dates")
_EXPIRY_ALONE = NoDay(
    "completion-unknown", "has no completion beside it; write it, or say the course's `validity` in a mapping"
)
