"""A difference between two plans, for people to read."""

from collections.abc import Iterable, Iterator

from enrolpolicy.ahead.figures import Part
from enrolpolicy.ahead.whatif import Difference, Moved, Supposition
from enrolpolicy.ahead.words import change_words
from enrolpolicy.cli.pieces import first_rows, headline
from enrolpolicy.model import Snapshot
from enrolpolicy.plans import Cancel, Enrol, Plan
from enrolpolicy.policy import WITHDRAWALS
from enrolpolicy.text import Names, Style, long_date, names, table, wrapped


def difference_lines(
    snapshot: Snapshot, changes: Iterable[Supposition], found: Difference, style: Style
) -> Iterator[str]:
    """What would be different, and for whom."""
    called = names(snapshot)
    yield headline(f"{snapshot.account.id} · {long_date(found.before.on)} · what if", style)
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
    return first_rows(cells, ("person", "course", "because", "expires on", "credits"), (26, 37, 10, 10, 7), style)


def _not_any_more(found: Difference, called: Names, style: Style) -> Iterator[str]:
    now = {(row.person, row.course): row.now for row in found.moved}
    cells = []
    for row in found.removed:
        outcome = now.get((row.person, row.course))
        because = "" if outcome is None else outcome.reason
        cells.append((called.person(row.person), called.course(row.course), because))
    return first_rows(cells, ("person", "course", "now"), (26, 37, 29), style)


def _cancellations(rows: Iterable[Cancel], called: Names, style: Style) -> Iterator[str]:
    words = {row.id: row.yes for row in WITHDRAWALS}
    cells = [
        (called.person(row.person), called.course(row.course), words.get(row.because, row.because)) for row in rows
    ]
    return first_rows(cells, ("person", "course", "because"), (18, 20, 56), style)


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
    return first_rows(cells, heads, (22, 13, 13, 13, 13, 13), style)
