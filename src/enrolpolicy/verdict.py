"""Every row of the tables, asked about one candidate."""

from functools import lru_cache
from typing import final

from attrs import frozen

from enrolpolicy.candidate import Candidate
from enrolpolicy.facts import Facts, facts_of
from enrolpolicy.model import Withdrawal
from enrolpolicy.policy import GATES, NO_TRIGGER, TRIGGERS, WITHDRAWALS


@final
@frozen
class Verdict:
    """Whether somebody is to be enrolled, and why or why not.

    `trigger` fires whether gates are shut or not; `shut` holds the ids of the shut gates, in the order of the table.
    """

    trigger: str | None
    shut: tuple[str, ...]

    @property
    def enrols(self) -> bool:
        """One trigger fires, and no gate is shut."""
        return self.trigger is not None and not self.shut

    @property
    def reason(self) -> str | None:
        """The reason shown first: the first shut gate, else `no-trigger`; None for somebody who is to be enrolled."""
        if self.shut:
            return self.shut[0]
        return NO_TRIGGER if self.trigger is None else None


def judge(facts: Facts) -> Verdict:
    """The verdict on some facts. Every row is asked, so that every reason is told."""
    fired = [row.id for row in TRIGGERS if row.holds(facts)]
    shut = tuple(row.id for row in GATES if not row.holds(facts))
    return Verdict(fired[0] if fired else None, shut)


@lru_cache(maxsize=4096)
def verdict_of(code: int) -> Verdict:
    """The verdict on the facts a code stands for; a register of any size has some hundred different ones."""
    return judge(facts_of(code))


def decide(candidate: Candidate) -> Verdict:
    """The verdict on a candidate: demand only, before credits and spread, which other people have a say in."""
    return judge(candidate.facts)


def withdrawn_because(facts: Facts, causes: frozenset[Withdrawal]) -> str | None:
    """Why a booking with these facts is withdrawn: the first cause, among those chosen, that holds; None: it stays."""
    chosen = {cause.value for cause in causes}
    return next((row.id for row in WITHDRAWALS if row.id in chosen and row.holds(facts)), None)
