"""What the transactions of a run have in common: how one is made of a step, and how it tells what became of something.

Each is a pure function of the desk that the store lays out for it. What it sees is read inside, so nothing is decided
on facts that were true a moment ago.
"""

from collections.abc import Callable, Collection
from typing import TypeVar

from enrolpolicy.night import Night, night_of
from enrolpolicy.plans import Cancel, Enrol, Invite
from enrolpolicy.ports import Desk, Work, Writes
from enrolpolicy.register import register
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Row
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.sheet import Sheet
from enrolpolicy.staleness import Changed

T = TypeVar("T")


def deciding(job: Job, courses: Collection[str], step: Callable[[Sheet, Night], T]) -> Work[T]:
    """A transaction in which a step decides about some courses on the facts of now, and writes on its sheet."""

    def work(desk: Desk) -> tuple[Writes, T]:
        sheet = Sheet(job, desk)
        answer = step(sheet, night_of(register(desk.snapshot), job.on, only=courses))
        return sheet.writes(), answer

    return work


def writing(job: Job, step: Callable[[Sheet], T]) -> Work[T]:
    """A transaction in which a step moves rows for what has happened already, whatever the policy says of them now."""

    def work(desk: Desk) -> tuple[Writes, T]:
        sheet = Sheet(job, desk)
        answer = step(sheet)
        return sheet.writes(), answer

    return work


def outcome(act: str, row: Row | Enrol, fate: Fate, detail: str = "", changed: tuple[Changed, ...] = ()) -> Outcome:
    """What became of a row, or of an enrolment that did not get one."""
    return Outcome(
        act=act, key=row.key, person=row.person, course=row.course, fate=fate, detail=detail, changed=changed
    )


def dropped(act: str, action: Cancel | Invite, changed: tuple[Changed, ...]) -> Outcome:
    """What became of an action about a booking that is not as it was, or not there."""
    return Outcome(
        act=act,
        key=action.enrolment,
        person=action.person,
        course=action.course,
        fate=Fate.DROPPED,
        detail=changed[0].id if changed else "known",
        changed=changed,
    )
