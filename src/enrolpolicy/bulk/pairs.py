"""What each pair of an estate came to, and when to look at it again."""

from typing import Any, final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows, one_after_another
from enrolpolicy.bulk.codes import NOBODY
from enrolpolicy.bulk.columns import NONE, Ints, Table
from enrolpolicy.bulk.coming import FAR
from enrolpolicy.bulk.growing import SPARE, Growing, growing

_AHEAD = 8
"""For so many days the pairs to look at are known beforehand; then all are gone through for those of the next."""


_NO_CELLS = np.empty(0, dtype=np.int64)


@final
@define(eq=False)
class Pairs:
    """A cell for each person and course of their account, one after another for each person.

    `cells` has what the pair has in its code of its `own` (the lowest byte), what the table `said` of the code, the
    `cycle` and expiry (`until`) of what counts, the date it is `due`, and whether it is `entangled`: what it comes to
    then does not follow from these alone. `people` has, by person, the first of their cells (`base`) and how many
    (`width`). `soon` has the cells that are due until `known_until`.
    """

    cells: Growing
    people: Growing
    _firsts: Growing
    """The first cell that each of `people` was ever given, in ascending order."""
    _soon: Rows
    _soon_due: Ints
    _known_until: int = NONE

    def give(self, people: Rows, widths: Ints) -> None:
        """Give people cells, newcomers and those whose cells are of no use any more; those are nobody's from now on."""
        stays = self.people.used
        old = people[people < stays]
        base, width = self.people.array("base"), self.people.array("width")
        unused = one_after_another(base[old], width[old])
        self.cells.array("due")[unused] = FAR
        first = self.cells.append(untouched(int(widths.sum())))
        bases = first + np.cumsum(widths, dtype=np.int64) - widths
        new = people >= stays
        base[old], width[old] = bases[~new], widths[~new]
        self.people.append(Table(int(new.sum()), {"base": bases[new], "width": widths[new]}))
        self._firsts.append(Table(len(people), {"base": bases, "person": people}))

    def of(self, people: Rows, width: int) -> tuple[slice | Rows, Rows]:
        """The cells of people: where each stands in a rectangle whose lines are so long, and here."""
        base, own = (self.people.array(name)[people] for name in ("base", "width"))
        places = np.arange(width)
        cells = (base[:, None] + places).reshape(-1)
        if (own == width).all():
            return slice(None), cells
        local = np.flatnonzero((places < own[:, None]).reshape(-1))
        return local, cells[local]

    def owners(self, cells: Rows) -> Rows:
        """The person of each cell."""
        place = np.searchsorted(self._firsts.array("base"), cells, side="right") - 1
        owners: Rows = self._firsts.array("person")[place]
        return owners

    def note(self, cells: Rows, due: Ints) -> None:
        """Note the dates on which cells are to be looked at again."""
        self.cells.array("due")[cells] = due
        soon = np.flatnonzero(due <= self._known_until)
        self._soon = np.concatenate((self._soon, cells[soon]))
        self._soon_due = np.concatenate((self._soon_due, due[soon]))

    def come(self, latest: int) -> Rows:
        """The cells that are due until a day; those whose account's night is before that must be noted again."""
        due = self.cells.array("due")
        if latest > self._known_until:
            self._known_until = latest + _AHEAD
            self._soon = np.flatnonzero(due <= self._known_until)
            self._soon_due = due[self._soon]
        come = self._soon_due <= latest
        cells = np.sort(self._soon[come])
        cells = np.delete(cells, np.flatnonzero(cells[1:] == cells[:-1]))
        self._soon, self._soon_due = self._soon[~come], self._soon_due[~come]
        still: Rows = cells[due[cells] <= latest]  # others were noted for another date since
        return still

    def tidy(self) -> None:
        """Write the cells anew if too many are nobody's."""
        base, width = self.people.array("base"), self.people.array("width")
        live = int(width.sum(dtype=np.int64))
        if (self.cells.used - live) * SPARE > self.cells.used:
            self.cells.keep(one_after_another(base, width))
            base[:] = np.cumsum(width, dtype=np.int64) - width
            self._firsts = _firsts(base)
            self._known_until = NONE


def _firsts(base: NDArray[np.int64]) -> Growing:
    return growing(Table(len(base), {"base": base, "person": np.arange(len(base))}))


def pairs(widths: Ints) -> Pairs:
    """Cells for people, so many for each, that are nobody's."""
    nobody = growing(Table(0, {"base": _NO_CELLS, "width": widths[:0]}))
    found = Pairs(growing(untouched(0)), nobody, _firsts(_NO_CELLS), _NO_CELLS, np.empty(0, dtype=np.int32))
    found.give(np.arange(len(widths)), widths)
    return found


def untouched(size: int) -> Table:
    """So many cells that are nobody's."""
    nothing: dict[str, np.generic] = {
        "own": np.uint8(0),
        "said": np.uint8(NOBODY),
        "cycle": np.int32(NONE),
        "until": np.int32(NONE),
        "due": np.int32(FAR),
        "entangled": np.bool_(False),
    }
    columns: dict[str, Any] = {name: np.broadcast_to(np.asarray(value), size) for name, value in nothing.items()}
    return Table(size, columns)
