"""What a report says, before it is a page: figures and rows, in the words people read.

Everything comes from the same functions that answer on the command line: the plan, the explanations, the forecast and
the coverage of one snapshot on one date.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from enrolpolicy.ahead.assumptions import Assumptions
from enrolpolicy.ahead.covering import Coverage, CoverageCell, Covered, Standing, coverage
from enrolpolicy.ahead.forecasting import Forecast, forecast
from enrolpolicy.ahead.remedies import what_helps
from enrolpolicy.dates import add_months
from enrolpolicy.explanation import answers
from enrolpolicy.htmlreport.values import Action, Cell, Concern, Figure, Reason, Report
from enrolpolicy.model import Snapshot
from enrolpolicy.night import Night, night
from enrolpolicy.planner import available_credits, plan
from enrolpolicy.plans import Deferred, Plan
from enrolpolicy.policy import GATES, NO_TRIGGER, WITHDRAWALS
from enrolpolicy.text import Names, examples, names
from enrolpolicy.verdict import judge

MOST_ROWS = 2000
"""A table has no more rows than a browser searches at once; how many more there are is said."""

MOST_REMEDIES = 8


def report_content(snapshot: Snapshot, *, on: date, progress: Callable[[str], None] | None = None) -> Report:
    """What a report about an account on a date says; `progress` is called with what is being done, in words."""
    told = progress or _nobody
    told("planning")
    planned = plan(snapshot, on=on)
    told("looking at every required training")
    covered = coverage(snapshot, on=on)
    remedies = what_helps(snapshot, covered, progress=lambda index, total: told(trying(index, total)))
    ahead = forecast(snapshot, start=on, until=_until(on), progress=_by_month(told))
    called, divisions = names(snapshot), {person.id: person.division or "" for person in snapshot.personnel}
    roles, courses = _heat(snapshot, covered, called)
    return Report(
        account=snapshot.account.id,
        on=on,
        plan=planned,
        figures=tuple(_figures(snapshot, planned, covered, ahead)),
        actions=tuple(_actions(planned, called, divisions)),
        reasons=tuple(_reasons(snapshot, planned, called)),
        concerns=tuple(_concerns(snapshot, covered, called, divisions)),
        concerns_off=sum(not row.lapses_although_on for row in covered.lapsing if row.standing is not Standing.STUCK),
        remedies=remedies[:MOST_REMEDIES],
        roles=roles,
        courses=courses,
        forecast=ahead,
        findings=planned.findings,
        metered=snapshot.account.credits is not None,
    )


def _nobody(_: str) -> None:
    """Nobody wants to know."""


def trying(index: int, total: int) -> str:
    """What `what_helps` is doing, in words."""
    return f"trying what would help, {index + 1:,} of {total:,} changes"


def _by_month(told: Callable[[str], None]) -> Callable[[date], None]:
    months: list[date] = []

    def reached(day: date) -> None:
        if (month := day.replace(day=1)) not in months[-1:]:
            months.append(month)
            told(f"looking ahead to {day:%B %Y}")

    return reached


def _until(on: date) -> date:
    """The last day of the twelve months that begin on a date."""
    later = add_months(on, 12)
    return date.max if later is None else later - timedelta(1)


# Figures


def _figures(snapshot: Snapshot, planned: Plan, covered: Coverage, ahead: Forecast) -> Iterator[Figure]:
    counts = planned.counts
    spent = sum(row.credits for row in planned.enrolments)
    yield Figure(label="enrolled tonight", value=f"{counts.enrol:,}", note=_credits(spent) if spent else "")
    yield Figure(label="waiting", value=f"{counts.deferred:,}", tone="warn" if counts.deferred else "plain")
    yield Figure(label="cancelled", value=f"{counts.cancel:,}")
    yield Figure(label="invited again", value=f"{counts.invite:,}")
    stuck = sum(row.standing is Standing.STUCK for row in covered.rows)
    yield Figure(label="stuck", value=f"{stuck:,}", note="due, and nothing on its way", tone="bad" if stuck else "good")
    available = available_credits(snapshot)
    if available is not None:
        yield _balance(available - spent, ahead)
    yield Figure(
        label="lapses in twelve months",
        value=f"{sum(len(one.lapses) for one in ahead.nights):,}",
        note="if people do as assumed",
    )


def _balance(left: int, ahead: Forecast) -> Figure:
    if ahead.short_on is None:
        return Figure(label="credits left", value=f"{left:,}", note="enough for twelve months", tone="good")
    note = f"short on {short_date(ahead.short_on)}; {_credits(ahead.top_up or 0)} more would do"
    return Figure(label="credits left", value=f"{left:,}", note=note, tone="bad")


def _credits(count: int) -> str:
    return f"{count:,} credit{'' if count == 1 else 's'}"


def short_date(day: date) -> str:
    """A date as tables have it: `3 Mar 2026`."""
    return f"{day.day} {day:%b} {day.year}"


# Tonight


_TRIGGERS = {"expiring": "it expires soon", "expired": "it has expired", "missing": "it was never recorded"}


def _actions(planned: Plan, called: Names, divisions: Mapping[str, str]) -> Iterator[Action]:
    withdrawn = {row.id: row.yes for row in WITHDRAWALS}

    def row(kind: str, person: str, course: str, because: str, day: date | None, credits: int | None) -> Action:
        return Action(
            kind=kind,
            person=called.person(person),
            division=divisions.get(person, ""),
            course=called.course(course),
            because=because,
            expires_on=day,
            credits=credits,
        )

    for enrol in planned.enrolments:
        because = _TRIGGERS.get(enrol.because, enrol.because)
        yield row("enrol", enrol.person, enrol.course, because, enrol.expires_on, enrol.credits)
    for waits in planned.deferred:
        yield row("wait", waits.person, waits.course, _waiting(waits), None, None)
    for cancel in planned.cancellations:
        yield row("cancel", cancel.person, cancel.course, withdrawn.get(cancel.because, cancel.because), None, None)
    for invite in planned.invitations:
        yield row("invite", invite.person, invite.course, "the invitation never went out", None, None)


def _waiting(row: Deferred) -> str:
    if row.until is not None:
        return f"spread: held until {short_date(row.until)}"
    return f"credits: {row.shortfall:,} more would be enough"


def _reasons(snapshot: Snapshot, planned: Plan, called: Names) -> Iterator[Reason]:
    counts, found = dict(planned.counts.not_enrolled), examples(snapshot, planned)
    total = sum(counts.values())
    for id in (*(gate.id for gate in GATES), NO_TRIGGER):
        if id in counts:
            one = found[id]
            yield Reason(
                id=id,
                count=counts[id],
                percent=round(100 * counts[id] / total),
                person=called.person(one.person),
                course=called.course(one.course),
                sentence=one.sentence,
            )


# What is stuck, or will be lost


def _concerns(snapshot: Snapshot, covered: Coverage, called: Names, divisions: Mapping[str, str]) -> Iterator[Concern]:
    tonight = night(snapshot, covered.on)
    stuck = [row for row in covered.rows if row.standing is Standing.STUCK]
    lapsing = [row for row in covered.lapsing if row.lapses_although_on and row.standing is not Standing.STUCK]
    for row in (*stuck, *lapsing):
        because = (row.because if row.standing is Standing.STUCK else row.lapse_because) or NO_TRIGGER
        yield Concern(
            person=called.person(row.person),
            division=divisions.get(row.person, ""),
            course=called.course(row.course),
            state=row.status.value if row.standing is Standing.STUCK else "will lapse",
            day=row.expires_on if row.standing is Standing.STUCK else row.lapses_on,
            because=because,
            sentence=_sentence(tonight, row, because),
        )


def _sentence(tonight: Night, row: Covered, because: str) -> str:
    """The reason in words, as `explain` has them."""
    candidate = tonight.candidate(tonight.read(row.person, row.course))
    id = "expired" if because == NO_TRIGGER else because
    return next(answer.sentence for answer in answers(candidate, judge(candidate.facts)) if answer.id == id)


# Coverage


def _heat(
    snapshot: Snapshot, covered: Coverage, called: Names
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[Cell | None, ...]], ...]]:
    """The names of the roles, and for each course its cells in their order."""
    role_names = {role.id: role.name or role.id for role in snapshot.roles}
    cells = {(cell.course, cell.role): cell for cell in covered.cells}
    roles = sorted({role for _, role in cells}, key=lambda role: (role is None, role_names.get(role or "", "")))
    courses = sorted({course for course, _ in cells}, key=called.course)
    heads = tuple("assigned to them" if role is None else role_names.get(role, role) for role in roles)
    rows = tuple(
        (called.course(course), tuple(_cell(cells.get((course, role))) for role in roles)) for course in courses
    )
    return heads, rows


def _cell(cell: CoverageCell | None) -> Cell | None:
    if cell is None:
        return None
    return Cell(people=cell.people, percent=cell.percent, lapsing=cell.lapsing)


def assumption(assume: Assumptions) -> str:
    """What the forecast assumes, in a sentence."""
    when = {
        "after-days": f"{assume.after_days} days after it was booked",
        "last-day": "on the last valid day of what it renews",
        "never": "never",
    }[assume.completed.value]
    share = "every booking is" if assume.share == 1 else f"{assume.share:.0%} of bookings are"
    return f"{share} completed {when}"
