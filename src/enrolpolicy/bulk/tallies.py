"""What is added up by account, as what people add to it changes."""

from typing import final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bulk.allocation import reserved
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.codes import FIRST_REASON
from enrolpolicy.bulk.columns import Choices, Ints, Table
from enrolpolicy.bulk.demand import ours_and_booked
from enrolpolicy.bulk.growing import Growing, growing
from enrolpolicy.bulk.reading import ReadBlock

_SUMS = ("reserved", "cancellable")
_SAID = FIRST_REASON + len(REASONS)


@final
@define(eq=False)
class Tallies:
    """By account, of how many pairs a table says each thing; reserved credits, cancellable bookings.

    `people` has what each person adds to the sums.
    """

    said: NDArray[np.int64]
    sums: dict[str, NDArray[np.int64]]
    people: Growing

    def recount(self, account: Ints, before: Choices, now: Choices) -> None:
        """Of pairs of accounts, something else is said now."""
        of = account.astype(np.intp) * _SAID
        for said, sign in ((before, -1), (now, 1)):
            place = of + said
            self.said += sign * np.bincount(place, minlength=self.said.size).reshape(self.said.shape)

    def add_up(self, people: Rows, found: ReadBlock) -> None:
        """Take what the people of a block added to the sums of their accounts out, and put in what they add now."""
        part, size = found.bookings, len(people)
        cost = reserved(found.block.estate, part.place(np.arange(len(part.line))))
        added = {
            "reserved": np.bincount(part.line, weights=cost, minlength=size),
            "cancellable": np.bincount(part.line[ours_and_booked(part)], minlength=size),
        }
        for name, now in added.items():
            before = self.people.array(name)
            more = now.astype(np.int64) - before[people]
            np.add.at(self.sums[name], found.block.account, more)
            before[people] += more

    def join(self, people: int) -> None:
        """Make room for newcomers, who add nothing yet."""
        self.people.append(_nothing(people))

    @property
    def not_enrolled(self) -> NDArray[np.int64]:
        """How many pairs of each account have each reason first, in the order of `REASONS`."""
        return self.said[:, FIRST_REASON:].copy()


def _nothing(people: int) -> Table:
    return Table(people, {name: np.zeros(people, dtype=np.int64) for name in _SUMS})


def tallies(accounts: int, people: int) -> Tallies:
    """Of so many accounts and people of whom nobody was read yet."""
    sums = {name: np.zeros(accounts, dtype=np.int64) for name in _SUMS}
    return Tallies(np.zeros((accounts, _SAID), dtype=np.int64), sums, growing(_nothing(people)))
