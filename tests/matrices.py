"""Training matrices as safety managers keep them, with dirt planted in them, and where.

    python tests/matrices.py FOLDER [SEED]

writes one of 300 people and 40 columns of courses as CSV, as a workbook, and as a workbook whose days count from 1904,
with its mapping and the list of what is wrong in it.
"""

import csv
import io
import random
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from enrolpolicy.matrix.cells import letters

Value = str | int | float | bool | date | None
Cells = list[list[Value]]

FIRST = (
    "Ana",
    "Bo",
    "Cy",
    "Dilys",
    "Eoin",
    "Fay",
    "Gül",
    "Håkon",
    "Ines",
    "Jürgen",
    "Kemi",
    "Łukasz",
    "Mo",
    "Nia",
    "Owen",
)
LAST = ("Adams", "O'Brien", "Çelik", "Dąbrowski", "Evans", "Fox-Hall", "Gupta", "Hughes", "Ito", "Jones", "Khan", "Li")
ROLES = ("Site operative", "Supervisor", "Fire warden", "Office")
TOPICS = (
    "Fire Safety", "First Aid", "Asbestos Awareness", "Manual Handling", "Working at Height", "Due Diligence",
    "Abrasive Wheels", "COSHH", "Confined Spaces", "Driving for Work", "DSE", "Electrical Safety", "Face Fit",
)  # fmt: skip
HEADS = ("Name", "E-mail", "Job title", "Employment", "Site", "Payroll No")
NAME, EMAIL, ROLE, EMPLOYMENT, SITE, ID = range(len(HEADS))

DIRTY: tuple[tuple[Value, str], ...] = (
    ("booked", "not-a-date"),
    ("TBC", "not-a-date"),
    ("pass 82%", "not-a-date"),
    ("Apr-25", "not-a-date"),
    ("12/2025", "not-a-date"),
    ("2025-01-01T00:00:00Z", "not-a-date"),
    ("٠٣/٠٤/٢٠٢٥", "not-a-date"),
    (True, "not-a-date"),
    ("31/02/2025", "no-such-date"),
    ("29.02.2025", "no-such-date"),
    ("00/01/2020", "no-such-date"),
    ("2025-13-01", "no-such-date"),
    ("31 Nov 2024", "no-such-date"),
    ("1.5.25", "short-year"),
    ("03/04/25", "short-year"),
    ("4 June 24", "short-year"),
    ("12/25/2024", "wrong-order"),
    ("45678", "bare-number"),
    ("20250403", "bare-number"),
    (45678, "bare-number"),
    (0.5, "bare-number"),
    ("#REF!", "faulty-cell"),
    ("#N/A", "faulty-cell"),
    ("01/01/0202", "far-off-date"),
    ("01/06/2205", "far-off-date"),
    ("booked " * 100, "too-long"),
)


class Truth(NamedTuple):
    """A record that is in the matrix."""

    person: str
    course: str
    completed_on: date
    expires_on: date | None


class Planted(NamedTuple):
    """A matrix, what its mapping says, the dirt in it by place, and what a reader must find in it."""

    cells: Cells
    mapping: str
    dirt: dict[str, str]
    truth: set[Truth]
    people: set[str]


class Course(NamedTuple):
    topic: str
    months: int
    completed: int | None
    expires: int | None


def planted(seed: int, people: int = 300, columns: int = 40, share: float = 0.02) -> Planted:
    """A matrix drawn from a seed; `share` of its cells, and of its rows, are dirty."""
    draw = random.Random(seed)
    courses = _courses(columns)
    gap = len(HEADS) + columns // 2  # a column with nothing in it, not even a head
    heads: list[Value] = [*HEADS, *[None] * (columns + 1)]
    for course in courses:
        if course.completed is not None:
            heads[course.completed] = draw.choice((f"{course.topic} (completed)", f"{course.topic} – date completed"))
        if course.expires is not None:
            heads[course.expires] = draw.choice((f"{course.topic} expiry", f"Expires: {course.topic}"))
    cells: Cells = [["Training matrix – updated weekly"], [], heads]
    dirt: dict[str, str] = {}
    truth: set[Truth] = set()
    known: set[str] = set()
    for number in range(people):
        if draw.random() < 0.01:
            cells.append([])
        _row(draw, number, courses, cells, gap, share, dirt, truth, known)
    _notes(cells, dirt)
    width = len(heads)
    filled = [row + [None] * (width - len(row)) for row in cells]
    return Planted(filled, _mapping(courses), dirt, truth, known)


def _courses(columns: int) -> list[Course]:
    """Some with both dates, some with either."""
    found, at, gap = [], len(HEADS), len(HEADS) + columns // 2
    number = 0
    while at < len(HEADS) + columns + 1:
        at += at == gap
        kind = number % 3
        if kind == 0 and (at + 1 == gap or at + 1 > len(HEADS) + columns):
            kind = 1
        topic = f"{TOPICS[number % len(TOPICS)]} {number + 1}"
        both = kind == 0
        found.append(
            Course(topic, (12, 24, 36)[number % 3], at if kind < 2 else None, at + both if kind != 1 else None)
        )
        at += 1 + both
        number += 1
    return found


def _row(
    draw: random.Random, number: int, courses: list[Course], cells: Cells, gap: int, share: float,
    dirt: dict[str, str], truth: set[Truth], known: set[str],
) -> None:  # fmt: skip
    row: list[Value] = [None] * (len(HEADS) + 1 + max(c.expires or c.completed or 0 for c in courses))
    at = len(cells) + 1
    id = f"P{number:04}"
    row[NAME] = f"{draw.choice(FIRST)} {draw.choice(LAST)}"  # names repeat; ids do not
    row[EMAIL] = draw.choice((f"p{number}@acme.example", f"P{number}@Acme.Example", None, "-"))
    row[ROLE] = draw.choice((*ROLES, "Supervisor; Fire warden", "fire  WARDEN", None))
    row[EMPLOYMENT] = draw.choice(("Employee", "staff", "Sub-contractor", "AGENCY", None))
    row[SITE] = draw.choice(("North", "South", None))
    row[ID] = id
    sound = _dirty_person(draw, row, at, share, dirt, cells)
    person = str(row[ID])
    if sound:
        known.add(person)
    for course in courses:
        for record in _cells(draw, row, at, person, course, share, dirt):
            if sound:
                truth.add(record)
    if draw.random() < share:
        row[gap] = "see file"
        dirt[f"{letters(gap)}{at}"] = "no-head"
    cells.append(row)


def _dirty_person(
    draw: random.Random, row: list[Value], at: int, share: float, dirt: dict[str, str], cells: Cells
) -> bool:
    if draw.random() >= share * 5:
        return True
    column, value, code, kept = draw.choice(
        (
            (EMAIL, "ana@", "not-an-address", True),
            (EMAIL, "tbc", "not-an-address", True),
            (ROLE, "Astronaut", "unknown-role", True),
            (EMPLOYMENT, "on leave", "unknown-employment", False),
            (NAME, None, "no-name", False),
            (NAME, "Ana\x07Li", "bad-text", False),
            (ID, None, "no-id", False),
            (ID, "N/A", "no-id", False),
        )
    )
    row[column] = value
    dirt[f"{'' if column == NAME and value is None else letters(column)}{at}"] = code
    return kept


def _cells(
    draw: random.Random, row: list[Value], at: int, person: str, course: Course, share: float, dirt: dict[str, str]
) -> list[Truth]:
    """Fill one person's cells of a course; the record they hold, if they hold one."""
    columns = [column for column in (course.completed, course.expires) if column is not None]
    if draw.random() < 0.3:
        for column in columns:
            row[column] = draw.choice(("N/A", "n/a", "-", "", None, "Not required"))
        return []
    completed = date(2023, 1, 1) + timedelta(draw.randrange(1000))
    expires = _later(completed, course.months)
    if course.completed is not None:
        row[course.completed] = written(draw, completed)
    if course.expires is not None:
        row[course.expires] = written(draw, expires)
    soiled = [column for column in columns if draw.random() < share]
    for column in soiled:
        row[column], code = draw.choice(DIRTY)
        dirt[f"{letters(column)}{at}"] = code
    if soiled:
        return []
    if len(columns) == 2 and draw.random() < share:
        row[columns[1]], code = draw.choice(
            ((completed - timedelta(1), "expiry-before-completion"), ("N/A", "contradiction"))
        )
        dirt[f"{letters(columns[1])}{at}"] = code
        return []
    return [Truth(person, course.topic, completed, expires if course.expires is not None else None)]


def _later(day: date, months: int) -> date:
    """Whole years later; the days drawn have no 29 February whose year later is missing but one, which moves back."""
    year = day.year + months // 12
    return day.replace(year=year) if (day.month, day.day) != (2, 29) else date(year, 2, 28)


def written(draw: random.Random, day: date) -> Value:
    """A day in one of the ways people write it."""
    return draw.choice(
        (
            day,
            day,
            day.isoformat(),
            f"{day:%d/%m/%Y}",
            f"{day.day}/{day.month}/{day.year}",
            f"{day:%d.%m.%Y}",
            f"{day:%d-%m-%Y}",
            f" {day:%d/%m/%Y}\u200e",
            f"{day.day} {day:%B} {day.year}",
            f"{day:%d-%b-%Y}",
            f"{day:%B} {day.day}, {day.year}",
            f"{day:%Y-%m-%d} 00:00:00",
        )
    )


def _notes(cells: Cells, dirt: dict[str, str]) -> None:
    """What stands below the table: two people of one id, a legend, the heads once more, a column's total."""
    for _ in range(2):
        cells.append(["Twin Doe", "twin@acme.example", "Office", "staff", "North", "P9999"])
        dirt[f"{letters(ID)}{len(cells)}"] = "same-id"
    cells.append(list(cells[2]))
    cells.append(["Key: red = expired"])
    dirt[f"A{len(cells)}"] = "only-a-name"
    cells.append([None, None, "Total", None, None, 302])
    dirt |= {f"{len(cells)}": "no-name", f"{letters(ROLE)}{len(cells)}": "unknown-role"}


def _mapping(courses: list[Course]) -> str:
    lines = ['dates = "dmy"', ""]
    for course in courses:
        lines += ["[[courses]]", f'header = "{course.topic}"', 'delivery = "ihasco"', "auto_enrol = true"]
        lines += [f"validity = {{ months = {course.months} }}", ""]
    for role in ROLES:
        lines += ["[[roles]]", f'name = "{role}"', f'required = ["{courses[0].topic}"]', ""]
    return "\n".join(lines)


# Files


def as_csv(cells: Cells, delimiter: str = ",") -> bytes:
    """The cells as a spreadsheet saves them as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    for row in cells:
        writer.writerow([_typed(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _typed(value: Value) -> str:
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value is None else str(value)


def as_workbook(cells: Cells, *, since_1904: bool = False, title: str = "Matrix") -> bytes:
    """The cells as a workbook."""
    from openpyxl import Workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    if since_1904:
        book.epoch = CALENDAR_MAC_1904
    for row in cells:
        sheet.append(["".join(filter(_storable, value)) if isinstance(value, str) else value for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _storable(char: str) -> bool:
    return char >= " " or char in "\t\n\r"


def main(folder: Path, seed: int, people: int = 300) -> None:
    """Write the files."""
    made = planted(seed, people)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.csv").write_bytes(as_csv(made.cells))
    (folder / "matrix.xlsx").write_bytes(as_workbook(made.cells))
    (folder / "matrix-1904.xlsx").write_bytes(as_workbook(made.cells, since_1904=True))
    (folder / "mapping.toml").write_text(made.mapping, encoding="utf-8")
    lines = [f"{place} {code}\n" for place, code in made.dirt.items()]
    (folder / "dirt.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
