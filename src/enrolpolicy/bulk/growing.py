"""Tables that rows are added to, each row keeping its place, at a cost that goes by what is added."""

from collections import deque
from collections.abc import Mapping
from typing import Any, cast, final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import Table, Values

SPARE = 4
"""One row in so many may be nobody's before a table is written anew without them."""


@final
@define(eq=False)
class Growing:
    """A table with room at its end. Its columns may be written to in place."""

    used: int
    _arrays: dict[str, NDArray[np.generic]]
    _texts: dict[str, list[str | None]]

    def append(self, table: Table) -> int:
        """Add rows, which have all columns; the place of the first of them."""
        first, self.used = self.used, self.used + len(table)
        for name, array in self._arrays.items():
            if self.used > len(array):
                self._arrays[name] = _roomy(array[:first], self.used)
            added = cast("NDArray[np.generic]", table.columns[name])
            np.copyto(self._arrays[name][first : self.used], added, casting="same_kind")
        for name, texts in self._texts.items():
            texts.extend(table.texts(name))
        return first

    def put(self, rows: Rows, columns: Mapping[str, Values], places: Rows) -> None:
        """Write over some columns of some rows what stands at some places of others."""
        for name, values in columns.items():
            if isinstance(values, np.ndarray):
                self._arrays[name][rows] = values[places]
            else:
                said = map(list(values).__getitem__, places.tolist())
                deque(map(self._texts[name].__setitem__, rows.tolist(), said), maxlen=0)

    def keep(self, rows: Rows) -> None:
        """Keep these rows alone, in this order. What was handed out of the columns before stays what it was."""
        self._arrays = {name: _roomy(array[rows], len(rows)) for name, array in self._arrays.items()}
        at = rows.tolist() if self._texts else []
        self._texts = {name: [texts[row] for row in at] for name, texts in self._texts.items()}
        self.used = len(rows)

    def array(self, name: str) -> NDArray[Any]:
        """One column, to be read and written in place."""
        return self._arrays[name][: self.used]

    def table(self) -> Table:
        """All rows, as they are from now on."""
        columns: dict[str, Values] = {name: cast("Values", array[: self.used]) for name, array in self._arrays.items()}
        return Table(self.used, {**columns, **self._texts})


def growing(table: Table) -> Growing:
    """A copy of a table that can grow."""
    arrays: dict[str, NDArray[np.generic]] = {}
    texts = {}
    for name, values in table.columns.items():
        if isinstance(values, np.ndarray):
            arrays[name] = _roomy(values, len(values))
        else:
            texts[name] = list(values)
    return Growing(len(table), arrays, texts)


def _roomy(full: NDArray[np.generic], rows: int) -> NDArray[np.generic]:
    """A copy with room for so many rows and half as many more, which takes no memory until it is written to."""
    array = np.empty(rows + rows // 2, dtype=full.dtype)
    array[: len(full)] = full
    return array
