"""A night that was run, and the journal, for people to read: lines of at most a hundred columns."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256

from enrolpolicy.reports import NEXT, Fate, Outcome, Report
from enrolpolicy.rows import Entry
from enrolpolicy.text import WIDTH, Names, Style, fitted, long_date, table, wrapped

MOST = 60
"""So many lines of one kind are shown; the JSON has them all."""

DEEDS = {
    ("enrol", Fate.DONE): "enrolled",
    ("cancel", Fate.DONE): "cancelled",
    ("invite", Fate.DONE): "invited",
    ("mail", Fate.DONE): "invited",
    ("follow", Fate.DONE): "has come on",
    ("enrol", Fate.ALREADY): "enrolled already",
    ("cancel", Fate.ALREADY): "cancelled already",
    ("invite", Fate.ALREADY): "invited already",
    ("mail", Fate.ALREADY): "invited already",
}
"""What was done, or had been."""

NOUNS = {"enrol": "enrolment", "cancel": "cancellation", "invite": "invitation", "mail": "letter", "follow": "progress"}
"""What was not done, or not surely."""

_COLOURS = {
    Fate.DONE: "green",
    Fate.ALREADY: "dim",
    Fate.DROPPED: "yellow",
    Fate.FAILED: "red",
    Fate.IN_DOUBT: "red",
    Fate.HELD: "red",
}
_TITLES = {
    Fate.DONE: "Done",
    Fate.ALREADY: "Done already",
    Fate.DROPPED: "Dropped, as a fact changed",
    Fate.FAILED: "Failed",
    Fate.IN_DOUBT: "In doubt",
    Fate.HELD: "Held for a person",
}


def report_lines(report: Report, called: Names, style: Style, *, dry: bool = False) -> Iterator[str]:
    """What became of a night, and what the next one does."""
    title = f"{report.account} · {long_date(report.on)}{' · DRY RUN, nothing was done' if dry else ''}"
    yield style.paint(fitted(title, WIDTH).rstrip(), "bold")
    yield from _missed(report.missed)
    for fate in Fate:
        yield from _of_fate(fate, report.of(fate), called, style)
    if report.guards:
        yield ""
        stop = f"STOPPED by {', '.join(report.guards)}: look through the plan, then raise the limit"
        yield from (style.paint(line, "red") for line in wrapped(stop))
    if report.stopped:
        yield ""
        yield from (style.paint(line, "red") for line in wrapped(f"STOPPED: {report.stopped}"))
    yield ""
    yield style.paint("The next night", "bold")
    yield from _next(report)


def _missed(nights: Sequence[date]) -> Iterator[str]:
    if nights:
        which = f"{nights[0]}" if len(nights) == 1 else f"{nights[0]} to {nights[-1]}"
        count = "one night was" if len(nights) == 1 else f"{len(nights)} nights were"
        yield f"{count} missed ({which}); this one makes up for them"


def _of_fate(fate: Fate, outcomes: Sequence[Outcome], called: Names, style: Style) -> Iterator[str]:
    if not outcomes:
        return
    rows = list(_by_enrolment(outcomes))
    yield ""
    yield style.paint(f"{_TITLES[fate]} {len(rows):,}", _COLOURS[fate])
    cells = [(called.person(row[0].person), called.course(row[0].course), _deeds(row), _why(row)) for row in rows]
    yield from table(("person", "course", "what", "why"), (20, 26, 21, 25), cells[:MOST], style)
    if len(rows) > MOST:
        yield f"  … and {len(rows) - MOST:,} more; --format json has them all"
    for row in rows[:MOST]:
        for changed in (changed for one in row for changed in one.changed):
            words = f"{called.person(row[0].person)}, {called.course(row[0].course)}: {changed.sentence}"
            yield from wrapped(words, indent=" " * 6, first="    ")


def _by_enrolment(outcomes: Iterable[Outcome]) -> Iterable[list[Outcome]]:
    """The outcomes of each enrolment together, in the order of the first."""
    together: dict[str, list[Outcome]] = {}
    for row in outcomes:
        together.setdefault(row.key, []).append(row)
    return together.values()


def _deeds(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(dict.fromkeys(DEEDS.get((row.act, row.fate), NOUNS.get(row.act, row.act)) for row in outcomes))


def _why(outcomes: Iterable[Outcome]) -> str:
    return ", ".join(dict.fromkeys(row.detail for row in outcomes if row.detail))


def _next(report: Report) -> Iterator[str]:
    waiting = [(fate, report.of(fate)) for fate in (Fate.DROPPED, Fate.FAILED, Fate.IN_DOUBT, Fate.HELD)]
    told = [(f"{len(rows):>5,}", f"{fate.value}: {NEXT[fate]}") for fate, rows in waiting if rows]
    if report.stopped:
        told.append(("", "what this one did not come to is planned anew"))
    if report.guards:
        told.append(("", "all is planned anew, and stopped again while it is over the limit"))
    for count, words in told or [("", "there is nothing to make up for")]:
        yield from wrapped(words, indent=" " * 9, first=f"  {count:<5}  ")


# The journal


def entry_lines(entries: Sequence[Entry], called: Names, style: Style) -> Iterator[str]:
    """The audit trail, one line for each move; settings by the first digits of their digest."""
    heads = ("night", "person", "course", "became", "because", "by", "under")
    widths = (10, 16, 17, 11, 14, 11, 7)
    cells = (
        (
            entry.on.isoformat(),
            called.person(entry.person),
            called.course(entry.course),
            entry.now.value,
            entry.because,
            entry.actor,
            digest_of(entry)[:7],
        )
        for entry in entries
    )
    yield from table(heads, widths, cells, style)
    versions = ", ".join(sorted({entry.policy_version for entry in entries}))
    count = "one move" if len(entries) == 1 else f"{len(entries):,} moves"
    yield from wrapped(f"{count}, by version {versions} of the policy; --format jsonl has instants, keys and settings")


def digest_of(entry: Entry) -> str:
    """What tells the settings an entry was decided under from others."""
    return sha256(entry.settings.encode()).hexdigest()
