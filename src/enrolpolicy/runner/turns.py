"""The transactions of a run itself: the settings it begins with, whose turn it is, and that its night is done."""

from datetime import datetime

from enrolpolicy.model import Snapshot
from enrolpolicy.ports import Desk, Work, Writes
from enrolpolicy.runner.job import Job


def settings(desk: Desk) -> tuple[Writes, Snapshot]:
    """The account, its courses and its roles; nothing is written."""
    return Writes(), desk.snapshot


def finish(job: Job) -> Work[None]:
    """Write down that the night was run to its end."""

    def work(desk: Desk) -> tuple[Writes, None]:
        mine = desk.run_by == job.owner
        return Writes(night=job.on, run_by=job.owner if mine else None, run_until=desk.now if mine else None), None

    return work


def take_turn(job: Job) -> Work[datetime | None]:
    """Have the account to oneself for a lease; the answer: until when another run has it, None where this one does."""

    def work(desk: Desk) -> tuple[Writes, datetime | None]:
        if desk.run_by not in (None, job.owner) and desk.run_until is not None and desk.run_until > desk.now:
            return Writes(), desk.run_until
        return Writes(run_by=job.owner, run_until=desk.now + job.lease), None

    return work
