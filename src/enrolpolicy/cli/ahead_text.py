"""What is looked ahead at, for people to read: lines of at most a hundred columns, like `enrolpolicy.text`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from enrolpolicy.ahead.assumptions import Assumptions, Completion
from enrolpolicy.ahead.backtesting import BackTest, Compared, Match
from enrolpolicy.ahead.covering import Coverage, CoverageCell, Covered, Standing
from enrolpolicy.ahead.forecasting import Forecast, ForecastMonth
from enrolpolicy.ahead.remedies import Remedy
from enrolpolicy.ahead.whatif import Difference, Moved, Part, Supposition
from enrolpolicy.ahead.words import change_words
from enrolpolicy.explanation import explain
from enrolpolicy.model import Snapshot
from enrolpolicy.plans import Cancel, Enrol, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS, WITHDRAWALS
from enrolpolicy.text import WIDTH, Names, Style, fitted, long_date, names, table, wrapped

SHOWN = 12
"""How many rows of a kind are shown; how many more there are is said."""


def _title(words: str, style: Style) -> str:
    return style.paint(fitted(words, WIDTH).rstrip(), "bold")


def _first(rows: Sequence[Sequence[str]], heads: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[str]:
    """A table of the first rows, and how many more there are."""
    if rows:
        yield from table(heads, widths, rows[:SHOWN], style)
    if len(rows) > SHOWN:
        yield style.paint(f"  … and {len(rows) - SHOWN:,} more; --format json has them all", "dim")


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


# What if


def difference_lines(
    snapshot: Snapshot, changes: Iterable[Supposition], found: Difference, style: Style
) -> Iterator[str]:
    """What would be different, and for whom."""
    called = names(snapshot)
    yield _title(f"{snapshot.account.id} · {long_date(found.before.on)} · what if", style)
    for change in changes:
        yield from wrapped(change_words(change), indent="    ", first="  ")
    yield ""
    if found.empty:
        yield "nothing would be different"
        return
    yield from table(("", " as it is", "     then", "difference"), (26, 9, 9, 10), _figure_rows(found), style)
    yield from _stopped(found.after, style)
    left_out = [row for row in found.moved if "enrol" not in (row.was.outcome, row.now.outcome)]
    for title, part in (
        (f"Enrolled as well {len(found.added):,}", _enrolments(found.added, called, style)),
        (f"Not enrolled any more {len(found.removed):,}", _not_any_more(found, called, style)),
        (f"Cancelled as well {len(found.cancelled):,}", _cancellations(found.cancelled, called, style)),
        (f"Not cancelled any more {len(found.spared):,}", _cancellations(found.spared, called, style)),
        (f"Left out, or waiting, for another reason {len(left_out):,}", _reasons(left_out, called)),
        (f"By course {len(found.courses):,}", _parts(found.courses, called.course, style)),
        (f"By division {len(found.divisions):,}", _parts(found.divisions, str, style)),
    ):
        if not title.endswith(" 0"):
            yield ""
            yield style.paint(title, "bold")
            yield from part


def _figure_rows(found: Difference) -> Iterator[tuple[str, ...]]:
    before, after = found.figures
    rows = [
        ("enrolments", before.enrolments, after.enrolments),
        ("credits they take", before.credits, after.credits),
        ("credits left", *found.left),
        ("e-mails", before.emails, after.emails),
        ("cancellations", before.cancellations, after.cancellations),
        ("waiting for credits", before.waiting, after.waiting),
        ("held back by the spread", before.held, after.held),
    ]
    for name, was, now in rows:
        if was is not None and now is not None:
            yield name, f"{was:>9,}", f"{now:>9,}", f"{_signed(now - was):>10}"


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "·"


def _stopped(plan: Plan, style: Style) -> Iterator[str]:
    if not plan.applyable:
        yield ""
        stop = f"that plan would be stopped by {', '.join(plan.guards)}"
        yield from (style.paint(line, "red") for line in wrapped(stop))


def _enrolments(rows: Iterable[Enrol], called: Names, style: Style) -> Iterator[str]:
    cells = [
        (called.person(row.person), called.course(row.course), row.because, str(row.expires_on or ""), str(row.credits))
        for row in rows
    ]
    return _first(cells, ("person", "course", "because", "expires on", "credits"), (26, 37, 10, 10, 7), style)


def _not_any_more(found: Difference, called: Names, style: Style) -> Iterator[str]:
    now = {(row.person, row.course): row.now for row in found.moved}
    cells = []
    for row in found.removed:
        outcome = now.get((row.person, row.course))
        because = "" if outcome is None else outcome.reason
        cells.append((called.person(row.person), called.course(row.course), because))
    return _first(cells, ("person", "course", "now"), (26, 37, 29), style)


def _cancellations(rows: Iterable[Cancel], called: Names, style: Style) -> Iterator[str]:
    words = {row.id: row.yes for row in WITHDRAWALS}
    cells = [
        (called.person(row.person), called.course(row.course), words.get(row.because, row.because)) for row in rows
    ]
    return _first(cells, ("person", "course", "because"), (18, 20, 56), style)


def _reasons(rows: Iterable[Moved], called: Names) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Moved]] = {}
    for row in rows:
        groups.setdefault((row.was.reason, row.now.reason), []).append(row)
    for (was, now), alike in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        example = f"{called.person(alike[0].person)}, {called.course(alike[0].course)}"
        yield from wrapped(f"{was} → {now}, e.g. {example}", indent=" " * 9, first=f"  {len(alike):>5,}  ")


def _parts(parts: Iterable[Part], called: object, style: Style) -> Iterator[str]:
    assert callable(called)
    cells = []
    for part in parts:
        was, now = part.before, part.after
        figures = ("enrolments", "credits", "emails", "cancellations", "waiting")
        cells.append(
            (
                "(none)" if part.id is None else str(called(part.id)),
                *(f"{_signed(getattr(now, name) - getattr(was, name)):>13}" for name in figures),
            )
        )
    heads = ("", *(f"{name:>13}" for name in ("enrolments", "credits", "e-mails", "cancellations", "waiting")))
    return _first(cells, heads, (22, 13, 13, 13, 13, 13), style)


# Forecast


def forecast_lines(snapshot: Snapshot, found: Forecast, style: Style) -> Iterator[str]:
    """What is expected, month by month."""
    yield _title(f"{found.account} · {long_date(found.start)} to {long_date(found.until)}", style)
    yield from wrapped(f"assumed: {_assumed(found.assume)}")
    yield ""
    yield from _credits(found, style)
    yield from wrapped(_drift(found))
    yield ""
    heads = ("month", *(f"{name:>10}" for name in _COLUMNS), "enrolments")
    most = max((row.enrolments for row in found.months), default=0)
    cells = [_month(row, most, style) for row in found.months]
    yield from table(heads, (8, *[10] * len(_COLUMNS), 14), cells, style)
    guarded = [night for night in found.nights if night.guards]
    if guarded:
        yield ""
        words = f"{_many(len(guarded), 'night')} would be stopped by a guard, the first on {guarded[0].on}: "
        yield from wrapped(words + ", ".join(guarded[0].guards))
    yield ""
    yield style.paint("By course", "bold")
    called = names(snapshot)
    cells = [(called.course(id), f"{count:>10,}", f"{credits:>10,}") for id, count, credits in found.by_course]
    yield from _first(cells, ("course", f"{'enrolments':>10}", f"{'credits':>10}"), (40, 10, 10), style)


_COLUMNS = ("enrolled", "credits", "left", "waiting", "completed", "lapses")


def _assumed(assume: Assumptions) -> str:
    days = _many(assume.after_days, "day")
    when = {
        Completion.AFTER_DAYS: f"whoever is booked completes it {days} after",
        Completion.LAST_DAY: f"whoever is booked completes it on its last valid day, where that is over {days} after",
        Completion.NEVER: "nobody completes what they are booked on",
    }[assume.completed]
    share = f"; {assume.share:.0%} of them do" if assume.share < 1 and assume.completed is not Completion.NEVER else ""
    return f"{when}{share}; settings, people and roles stay as they are"


def _credits(found: Forecast, style: Style) -> Iterator[str]:
    if found.top_up is None:
        yield "credits are not metered"
    elif found.short_on is None:
        yield from (style.paint(line, "green") for line in wrapped("the credits last: nobody has to wait for any"))
    else:
        more = _many(found.top_up, "more credit")
        short = f"the credits run out on {found.short_on}; {more} before then, and nobody would have to wait"
        if found.short_on == found.start:
            short = f"the credits do not suffice tonight; with {more} nobody would have to wait until the end"
        yield from (style.paint(line, "red") for line in wrapped(short))


def _drift(found: Forecast) -> str:
    if not found.drift.renewals:
        return "nothing is renewed"
    return (
        f"{_many(found.drift.renewals, 'training')} will be renewed; as some are before their expiry, "
        f"{_many(found.drift.days, 'day')} of validity will be lost, {found.drift.days_each:.1f} each"
    )


def _month(row: ForecastMonth, most: int, style: Style) -> tuple[str, ...]:
    left = "" if row.left is None else f"{row.left:,}"
    figures = (
        f"{row.enrolments:,}",
        f"{row.credits:,}",
        left,
        f"{row.waiting:,}",
        f"{row.completed:,}",
        f"{row.lapses:,}",
    )
    return f"{row.month:%Y-%m}", *(f"{figure:>10}" for figure in figures), bar(row.enrolments, most, 14, style)


def bar(value: int, most: int, width: int, style: Style) -> str:
    """A bar as long as a value is large beside the largest; something is shown of whatever is above 0."""
    if not value:
        return ""
    eighths = max(1, round(value / most * width * 8))
    if not style.marks:
        return "#" * max(1, eighths // 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()


# Coverage


def coverage_lines(
    snapshot: Snapshot, found: Coverage, remedies: Sequence[Remedy] | None, style: Style
) -> Iterator[str]:
    """Where required training stands, and what would help."""
    called = names(snapshot)
    yield _title(f"{found.account} · {long_date(found.on)} · {_many(len(found.rows), 'required training')}", style)
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
    yield from _first(cells, ("on", "person", "course", "because"), (10, 26, 34, 20), style)
    off = len(found.lapsing) - len(lapsing)
    if off:
        yield from wrapped(
            f"and {_many(off, 'more', 'more')} because it is switched off for them", indent="  ", first="  "
        )
    if remedies is not None:
        yield ""
        yield style.paint("What one change would help", "bold")
        yield from _first([_remedy(row) for row in remedies], ("  helps", "credits", "change"), (7, 7, 80), style)
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
    return "n/a" if cell.covered is None else f"{cell.covered:.0%}"


# Back-test


def back_test_lines(snapshot: Snapshot, found: BackTest, style: Style) -> Iterator[str]:
    """How far both sides agree, and each difference by its rule."""
    called = names(snapshot)
    yield _title(f"{found.account} · {long_date(found.start)} to {long_date(found.until)} · back-test", style)
    yield ""
    counts = dict(found.counts)
    for match in Match:
        yield f"  {counts.get(match, 0):>6,}  {match.value:<12} {_MATCHES[match]}"
    yield from _aside(found)
    words = {row.id: row for row in (*TRIGGERS, *GATES)}
    for match, rule, count in found.rules:
        yield ""
        yield style.paint(f"{match.value} · {rule} {count:,}", "bold")
        if match is Match.THEIRS_ONLY and rule in words:
            yield from wrapped(words[rule].serves.partition(", ")[2], indent="  ", first="  ")
        alike = [row for row in found.rows if row.match is match and row.reasons[0] == rule]
        cells = [_compared(row, called) for row in alike]
        yield from _first(cells, ("person", "course", "ours on", "theirs on", "days", "also"), _WIDTHS, style)


_WIDTHS = (22, 28, 10, 10, 5, 13)
_MATCHES = {
    Match.AGREED: "on the same night",
    Match.OTHER_NIGHT: "the same renewal, on another night",
    Match.OURS_ONLY: "only this policy would have enrolled",
    Match.THEIRS_ONLY: "only the older system did",
}


def _aside(found: BackTest) -> Iterator[str]:
    for rows, words in (
        (found.outside, "on other nights than were asked about"),
        (found.unknown, "of people or courses the snapshot does not have"),
    ):
        if rows:
            first = rows[0]
            example = f"the first is `{first.person}` on `{first.course}`, {first.on}"
            yield from wrapped(f"{words}, and not compared; {example}", indent=" " * 10, first=f"  {len(rows):>6,}  ")


def _compared(row: Compared, called: Names) -> tuple[str, ...]:
    def told(day: date | None) -> str:
        return "" if day is None else str(day)

    days = "" if row.days_later is None else f"{row.days_later:+5,}"
    cells = called.person(row.person), called.course(row.course), told(row.ours_on), told(row.theirs_on)
    return *cells, days, ", ".join(row.reasons[1:])
