"""Where required training stands, for people to read."""

from collections.abc import Iterator, Sequence

from enrolpolicy.ahead.covering import Coverage, CoverageCell, Covered, Standing
from enrolpolicy.ahead.remedies import Remedy
from enrolpolicy.ahead.words import change_words
from enrolpolicy.cli.pieces import first_rows, headline, many
from enrolpolicy.explanation import explain
from enrolpolicy.model import Snapshot
from enrolpolicy.policy import NO_TRIGGER
from enrolpolicy.text import Names, Style, fitted, long_date, names, table, wrapped


def coverage_lines(
    snapshot: Snapshot, found: Coverage, remedies: Sequence[Remedy] | None, style: Style
) -> Iterator[str]:
    """Where required training stands, and what would help."""
    called = names(snapshot)
    yield headline(f"{found.account} · {long_date(found.on)} · {many(len(found.rows), 'required training')}", style)
    yield ""
    counts = dict(found.counts)
    for standing in Standing:
        if standing in counts:
            line = f"  {counts[standing]:>6,}  {standing.value:<15} {_STANDINGS[standing]}"
            yield style.paint(line, _COLOURS[standing]) if standing in _COLOURS else line
    yield ""
    yield style.paint(f"Stuck {sum(count for _, count in found.stuck)}", "bold")
    yield from _stuck(snapshot, found, called)
    lapsing = [row for row in found.lapsing if row.lapses_although_on]
    yield ""
    yield style.paint(f"Will lapse, although auto-enrol is on {len(lapsing)}", "bold")
    cells = [
        (str(row.lapses_on), called.person(row.person), called.course(row.course), row.lapse_because or "")
        for row in lapsing
    ]
    yield from first_rows(cells, ("on", "person", "course", "because"), (10, 26, 34, 20), style)
    off = len(found.lapsing) - len(lapsing)
    if off:
        yield from wrapped(
            f"and {many(off, 'more', 'more')} because it is switched off for them", indent="  ", first="  "
        )
    if remedies is not None:
        yield ""
        yield style.paint("What one change would help", "bold")
        yield from first_rows([_remedy(row) for row in remedies], ("  helps", "credits", "change"), (7, 7, 80), style)
        if not remedies:
            yield "  nothing that can be switched"
    yield ""
    yield style.paint("By course and role: the share on its way, of those who can be booked", "bold")
    yield from _heat(found, called, snapshot, style)


_STANDINGS = {
    Standing.INTACT: "valid, and not due",
    Standing.BOOKED: "somebody is booked, or under way",
    Standing.ENROL: "booked tonight",
    Standing.WAITING: "waits for credits, or for its turn",
    Standing.STUCK: "due, and nothing is on its way",
    Standing.NOT_APPLICABLE: "cannot be booked: archived, or not eLearning",
}
_COLOURS = {Standing.STUCK: "red", Standing.WAITING: "yellow", Standing.ENROL: "green"}


def _stuck(snapshot: Snapshot, found: Coverage, called: Names) -> Iterator[str]:
    first: dict[str, Covered] = {}
    for row in found.rows:
        if row.standing is Standing.STUCK:
            first.setdefault(row.because or NO_TRIGGER, row)
    for reason, count in found.stuck:
        row = first[reason]
        told = explain(snapshot, person=row.person, course=row.course, on=found.on)
        words = f"{reason}: {called.person(row.person)}, {called.course(row.course)}: {told.sentence}"
        yield from wrapped(words, indent=" " * 9, first=f"  {count:>5,}  ")


def _remedy(row: Remedy) -> tuple[str, str, str]:
    return f"{row.helps:>7,}", f"{row.credits:>7,}", change_words(row.change)


def _heat(found: Coverage, called: Names, snapshot: Snapshot, style: Style) -> Iterator[str]:
    """A row for each course, a column for each role, as many as fit; the roles that most people hold come first."""
    people: dict[str | None, int] = {}
    for cell in found.cells:
        people[cell.role] = people.get(cell.role, 0) + cell.people
    shown = sorted(people, key=lambda role: (-people[role], role or ""))[:6]
    titles = {role.id: role.name or role.id for role in snapshot.roles}
    cells = {(cell.course, cell.role): cell for cell in found.cells}
    courses = sorted({cell.course for cell in found.cells}, key=called.course)
    heads = ("course", *(f"{fitted(titles.get(role, role) if role else 'own', 9).strip():>9}" for role in shown))
    rows = [
        (called.course(course), *(f"{_percent(cells.get((course, role))):>9}" for role in shown)) for course in courses
    ]
    yield from table(heads, (32, *[9] * len(shown)), rows, style)
    if len(people) > len(shown):
        yield style.paint(f"  … and {len(people) - len(shown)} more roles; --format json has them all", "dim")


def _percent(cell: CoverageCell | None) -> str:
    if cell is None:
        return ""
    return "n/a" if cell.percent is None else f"{cell.percent}%"
