"""Plans and explanations for people to read: lines of at most a hundred columns.

Names and ids come from elsewhere and may hold anything, so whatever a terminal could take for a command is escaped.
"""

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.explanation import ENROL, NOT_ENROLLED, Answer, Explanation, explain
from enrolpolicy.model import Level, Snapshot
from enrolpolicy.night import night
from enrolpolicy.planner import available_credits
from enrolpolicy.plans import Finding, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS, WITHDRAWALS
from enrolpolicy.verdict import verdict_of

WIDTH = 100
_ANSI = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
# Unprintable, or able to turn the direction of what follows.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@final
@frozen
class Style:
    """How lines are dressed: with colour or without, with marks beyond ASCII or without."""

    colour: bool = False
    marks: bool = True

    def paint(self, text: str, colour: str) -> str:
        """Text in a colour of `_ANSI`."""
        return f"\x1b[{_ANSI[colour]}m{text}\x1b[0m" if self.colour and text else text

    def mark(self, holds: bool) -> str:
        """A tick or a cross."""
        if self.marks:
            return self.paint("✓", "green") if holds else self.paint("✗", "red")
        return "+" if holds else "-"


# Cells


def safe(text: str) -> str:
    """Text without anything a terminal could take for a command, or for a line's end."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if unicodedata.category(char) not in _UNSAFE else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def columns(text: str) -> int:
    """How many columns a terminal gives to text."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fitted(text: str, width: int) -> str:
    """Text in exactly so many columns: filled up, or cut with an ellipsis."""
    text = safe(text)
    if columns(text) > width:
        while columns(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - columns(text))


def wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """Text in lines of at most a hundred columns."""
    lead = indent if first is None else first
    for width in (WIDTH, WIDTH // 2):  # half of it where the characters are wide ones
        lines = textwrap.wrap(safe(text), width, initial_indent=lead, subsequent_indent=indent) or [""]
        if all(columns(line) <= WIDTH for line in lines):
            break
    return lines


def table(heads: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[str]], style: Style) -> Iterator[str]:
    """A table with its heads, two blanks in front and between."""

    def line(cells: Sequence[str]) -> str:
        return ("  " + "  ".join(fitted(cell, width) for cell, width in zip(cells, widths, strict=True))).rstrip()

    yield style.paint(line(heads), "dim")
    yield from map(line, rows)


# A plan


@final
@frozen
class Names:
    """What people and courses are called, for those who do not know their ids."""

    people: dict[str, str]
    courses: dict[str, str]

    def person(self, id: str) -> str:
        """The name of a person, or the id where there is none."""
        return self.people.get(id) or id

    def course(self, id: str) -> str:
        """The name of a course, or the id where there is none."""
        return self.courses.get(id) or id


def names(snapshot: Snapshot) -> Names:
    """The names in a snapshot."""
    people = {person.id: person.name for person in snapshot.personnel}
    return Names(people, {course.id: course.name for course in snapshot.courses})


def plan_lines(snapshot: Snapshot, plan: Plan, style: Style, people: Sequence[str] = ()) -> Iterator[str]:
    """A plan, and why the others were left out."""
    called = names(snapshot)
    yield style.paint(fitted(f"{snapshot.account.id} · {long_date(plan.on)}", WIDTH).rstrip(), "bold")
    yield from wrapped(_balance(snapshot, plan))
    yield from _guards(plan, style)
    for title, part in (
        (f"Enrol {plan.counts.enrol}", _enrolments(plan, called, style)),
        (f"Cancel {plan.counts.cancel}", _cancellations(plan, called, style)),
        (f"Invite again {plan.counts.invite}", _invitations(plan, called, style)),
        (f"Wait {plan.counts.deferred}", _waiting(plan, called, style)),
        (f"Left out {sum(count for _, count in plan.counts.not_enrolled)}", _left_out(snapshot, plan, style, people)),
        (f"Noticed {len(plan.findings)}", finding_lines(plan.findings, style)),
    ):
        yield ""
        yield style.paint(title, "bold")
        yield from part


def long_date(day: date) -> str:
    """A date in words."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def _balance(snapshot: Snapshot, plan: Plan) -> str:
    available = available_credits(snapshot)
    if available is None:
        return "credits are not metered"
    spent = sum(enrol.credits for enrol in plan.enrolments)
    reserved = (snapshot.account.credits or 0) - available
    return (
        f"{snapshot.account.credits} credits, {reserved} of them reserved by open bookings; "
        f"tonight takes {spent}, and leaves {available - spent}"
    )


def _guards(plan: Plan, style: Style) -> Iterator[str]:
    if not plan.applyable:
        yield ""
        stop = f"NOT APPLYABLE: stopped by {', '.join(plan.guards)}; look through the plan, then raise the limit"
        yield from (style.paint(line, "red") for line in wrapped(stop))


def _enrolments(plan: Plan, called: Names, style: Style) -> Iterator[str]:
    rows = [
        (called.person(row.person), called.course(row.course), row.because, str(row.expires_on or ""), str(row.credits))
        for row in plan.enrolments
    ]
    if rows:
        yield from table(("person", "course", "because", "expires on", "credits"), (26, 37, 10, 10, 7), rows, style)


def _cancellations(plan: Plan, called: Names, style: Style) -> Iterator[str]:
    words = {row.id: row.yes for row in WITHDRAWALS}
    rows = [(called.person(row.person), called.course(row.course), row.because) for row in plan.cancellations]
    if rows:
        heads, *lines = table(("person", "course", "because"), (26, 37, 20), rows, style)
        yield heads
        for line, row in zip(lines, plan.cancellations, strict=True):
            yield line
            yield from wrapped(words.get(row.because, row.because), indent=" " * 9)


def _invitations(plan: Plan, called: Names, style: Style) -> Iterator[str]:
    rows = [(called.person(row.person), called.course(row.course), row.enrolment) for row in plan.invitations]
    if rows:
        yield from table(("person", "course", "enrolment"), (26, 38, 30), rows, style)


def _waiting(plan: Plan, called: Names, style: Style) -> Iterator[str]:
    rows = [
        (called.person(row.person), called.course(row.course), row.because, _until(row.until, row.shortfall))
        for row in plan.deferred
    ]
    if rows:
        yield from table(("person", "course", "for", "until"), (26, 38, 8, 20), rows, style)


def _until(until: date | None, shortfall: int | None) -> str:
    return str(until) if until else f"{shortfall} more credit{'' if shortfall == 1 else 's'}"


def _left_out(snapshot: Snapshot, plan: Plan, style: Style, people: Sequence[str]) -> Iterator[str]:
    counts, found = dict(plan.counts.not_enrolled), examples(snapshot, plan, people)
    called = names(snapshot)
    for id in (*(gate.id for gate in GATES), NO_TRIGGER):
        if id not in counts:
            continue
        yield f"  {counts[id]:>5,}  {style.paint(id, 'yellow')}"
        example = found[id]
        words = f"{called.person(example.person)}, {called.course(example.course)}: {example.sentence}"
        yield from wrapped(words, indent=" " * 9)


def examples(snapshot: Snapshot, plan: Plan, people: Sequence[str] = ()) -> dict[str, Explanation]:
    """For each reason somebody was left out for, the first whom it left out."""
    wanted = {reason for reason, _ in plan.counts.not_enrolled}
    found: dict[str, Explanation] = {}
    tonight = night(snapshot, plan.on, people or None)
    for person in sorted(tonight.register.people):
        for course in sorted(tonight.register.courses_of(person)):
            reason = verdict_of(tonight.read(person, course).code).reason
            if reason is not None and reason not in found:
                found[reason] = explain(snapshot, person=person, course=course, on=plan.on)
        if found.keys() >= wanted:
            break
    return found


def finding_lines(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Findings, one under the other."""
    for row in findings:
        colour = "red" if row.level == "error" else "yellow"
        yield f"  {style.paint(row.level, colour)} {row.code} at {safe(row.path)}"
        yield from wrapped(row.message, indent="    ")


# An explanation

_OUTCOMES: dict[str, str] = {ENROL: "green", NOT_ENROLLED: "red"}


def explanation_lines(snapshot: Snapshot, found: Explanation, style: Style) -> Iterator[str]:
    """Why, or why not, with every rule."""
    called = names(snapshot)
    title = f"{called.person(found.person)} · {called.course(found.course)} · {long_date(found.on)}"
    yield style.paint(fitted(title, WIDTH).rstrip(), "bold")
    yield ""
    outcome = style.paint(found.outcome.upper(), _OUTCOMES.get(found.outcome, "yellow"))
    yield f"{outcome} ({found.reason})"
    yield from wrapped(found.sentence)
    yield ""
    for head, words in _standing(found):
        yield from wrapped(words, indent=" " * 12, first=f"{head:<12}")
    triggers = {row.id for row in TRIGGERS}
    for title, rows in (
        ("one must hold", [row for row in found.rows if row.id in triggers]),
        ("all must hold", [row for row in found.rows if row.id not in triggers]),
    ):
        yield ""
        yield style.paint(title, "dim")
        for row in rows:
            yield from _answer(row, style)


def _standing(found: Explanation) -> Iterator[tuple[str, str]]:
    yield "training", f"{found.status.value}{_asked(found.level)}"
    if found.expires_on is not None:
        clamped = ", held to half of the validity" if found.lead_clamped else ""
        yield "expires on", str(found.expires_on)
        yield "opens on", f"{found.opens_on} ({found.lead_days} days, by {found.lead_from.value}{clamped})"
    yield "renewal", f"cycle {found.cycle}, attempt {found.attempt}"
    yield "next look", str(found.next_check_on) if found.next_check_on else "only when something changes"


def _asked(level: Level | None) -> str:
    return "" if level is None else f", {level.value}"


def _answer(row: Answer, style: Style) -> Iterator[str]:
    lines = wrapped(row.sentence, indent=" " * 26, first=f"    {row.id:<22}")
    yield f"  {style.mark(row.holds)} {lines[0][4:]}"
    yield from lines[1:]


def summary_line(found: Explanation) -> str:
    """An explanation in one line: the outcome, who and what, the reason, and when it changes by time alone."""
    cells = ((found.outcome, 12), (found.person, 20), (found.course, 20), (found.reason, 20))
    line = "  ".join(fitted(text, width) for text, width in cells)
    return fitted(f"{line}  {found.next_check_on or ''}", WIDTH).rstrip()
