"""What a plan, or a part of it, comes to."""

from collections import Counter
from collections.abc import Callable
from typing import final

from attrs import frozen

from enrolpolicy.planner import available_credits
from enrolpolicy.plans import Action, Cancel, Deferred, Enrol, Invite, Plan


@final
@frozen(kw_only=True)
class Figures:
    """What a plan, or a part of it, comes to. Every enrolment and every repeated invitation sends an e-mail."""

    enrolments: int = 0
    credits: int = 0
    emails: int = 0
    cancellations: int = 0
    held: int = 0
    waiting: int = 0


@final
@frozen(kw_only=True)
class Part:
    """A course, or a division, for which the figures differ; `id` is None for people without a division."""

    id: str | None
    before: Figures
    after: Figures


def total(plan: Plan) -> Figures:
    """What a whole plan comes to."""
    return _figures(plan, lambda _: None).get(None, Figures())


def credits_left(plan: Plan) -> int | None:
    """The credits a plan would leave; None where they are not metered, or it was read from a document."""
    if isinstance(plan.source, str):
        return None
    available = available_credits(plan.source)
    return None if available is None else available - sum(row.credits for row in plan.enrolments)


def divisions_of(plan: Plan) -> dict[str, str | None]:
    """The division of each person, where the plan knows its snapshot."""
    return {} if isinstance(plan.source, str) else {row.id: row.division for row in plan.source.personnel}


def parts_of(before: Plan, after: Plan, part: Callable[[Action | Deferred], str | None]) -> tuple[Part, ...]:
    """The parts for which two plans differ: `part` says to which one a row belongs."""
    was, now = _figures(before, part), _figures(after, part)
    ids = sorted({*was, *now}, key=_none_last)
    parts = (Part(id=id, before=was.get(id, Figures()), after=now.get(id, Figures())) for id in ids)
    return tuple(row for row in parts if row.before != row.after)


def _none_last(id: str | None) -> tuple[bool, str]:
    return id is None, id or ""


def _figures(plan: Plan, part: Callable[[Action | Deferred], str | None]) -> dict[str | None, Figures]:
    """The figures of each part of a plan."""
    counts: dict[str | None, Counter[str]] = {}
    for row in (*plan.actions, *plan.deferred):
        of_part = counts.setdefault(part(row), Counter())
        for name, number in _counted(row):
            of_part[name] += number
    return {id: Figures(**found) for id, found in counts.items()}


def _counted(row: Action | Deferred) -> tuple[tuple[str, int], ...]:
    match row:
        case Enrol():
            return ("enrolments", 1), ("credits", row.credits), ("emails", 1)
        case Cancel():
            return (("cancellations", 1),)
        case Invite():
            return (("emails", 1),)
        case Deferred():
            return (("held" if row.because == "spread" else "waiting", 1),)
