"""What became of a night: what was done for each action, or why it was not, and what the next night does about it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.staleness import Changed


@final
class Fate(Enum):
    """What became of one action, or of one row that an earlier run had left."""

    DONE = "done"
    ALREADY = "already-done"
    DROPPED = "dropped"
    FAILED = "failed"
    IN_DOUBT = "in-doubt"
    HELD = "held"


NEXT: dict[Fate, str] = {
    Fate.DONE: "nothing more",
    Fate.ALREADY: "nothing more",
    Fate.DROPPED: "is decided anew on the facts of that night",
    Fate.FAILED: "is tried again when the policy's pause is over, or when what was refused has been put right",
    Fate.IN_DOUBT: "is settled first, under the same key",
    Fate.HELD: "waits for a person, who looks it up at the LMS and settles it",
}
"""What the next night does about each fate."""


@final
@frozen(kw_only=True)
class Outcome:
    """One action or row, and what became of it.

    `act` is `enrol`, `cancel`, `invite`, `mail` for the sending of a letter, `follow` for how far a booking has come,
    or `settle` for what a person said of it. `detail` is a short code: the LMS's reason, why something is in doubt,
    where it stands already, or the cause of a cancellation. `changed` holds the facts that a dropped action was
    decided on and that are not so any more.
    """

    act: str
    key: str
    person: str
    course: str
    fate: Fate
    detail: str = ""
    changed: tuple[Changed, ...] = ()


@final
@frozen(kw_only=True)
class Report:
    """One run. `stopped` says why it broke off, where it did; `missed` are the nights before that nobody had run."""

    account: str
    on: date
    outcomes: tuple[Outcome, ...] = ()
    missed: tuple[date, ...] = ()
    guards: tuple[str, ...] = ()
    stopped: str | None = None

    @property
    def counts(self) -> Mapping[tuple[str, Fate], int]:
        """How many of each act had each fate."""
        return Counter((row.act, row.fate) for row in self.outcomes)

    def of(self, fate: Fate) -> tuple[Outcome, ...]:
        """The outcomes of one fate."""
        return tuple(row for row in self.outcomes if row.fate is fate)

    @property
    def clean(self) -> bool:
        """Whether all was done that could be: nothing failed, nothing in doubt or held, and the run went through."""
        troubled = {Fate.FAILED, Fate.IN_DOUBT, Fate.HELD}
        return self.stopped is None and not self.guards and all(row.fate not in troubled for row in self.outcomes)


@final
@frozen(kw_only=True)
class PlanRefused:
    """A plan that is not carried out at all. `code` says why:

    `other-account`, `other-night` (made for another date), `other-policy` (made by another version of the rules),
    `edited` (an action's key is not that of what it says, or it is there twice), `guards` (over a limit), `changed`
    (the register is not the one it was made from, where that was asked for).
    """

    code: str
    sentence: str
