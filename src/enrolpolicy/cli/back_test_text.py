"""A back-test, for people to read."""

from collections.abc import Iterator
from datetime import date

from enrolpolicy.ahead.backtesting import BackTest, Compared, Match
from enrolpolicy.cli.pieces import first_rows, headline
from enrolpolicy.model import Snapshot
from enrolpolicy.policy import GATES, TRIGGERS
from enrolpolicy.text import Names, Style, long_date, names, wrapped


def back_test_lines(snapshot: Snapshot, found: BackTest, style: Style) -> Iterator[str]:
    """How far both sides agree, and each difference by its rule."""
    called = names(snapshot)
    yield headline(f"{found.account} · {long_date(found.start)} to {long_date(found.until)} · back-test", style)
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
        yield from first_rows(cells, ("person", "course", "ours on", "theirs on", "days", "also"), _WIDTHS, style)


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
