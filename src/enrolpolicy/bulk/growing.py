"""Tables that rows are added to, each row keeping its place, at a cost that goes by what is added."""

from typing import Any, cast, final

import numpy as np
from attrs import define
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import Table, Values


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
        for name in self._arrays:
            self._room(name, first)[first : self.used] = cast("NDArray[np.generic]", table.columns[name])
        for name, texts in self._texts.items():
            texts.extend(table.texts(name))
        return first

    def _room(self, name: str, full: int) -> NDArray[np.generic]:
        """A column with room for all rows, of which some are full."""
        array = self._arrays[name]
        if self.used > len(array):
            array = np.empty(max(self.used, 2 * len(array)), dtype=array.dtype)
            array[:full] = self._arrays[name][:full]
            self._arrays[name] = array
        return array

    def put(self, rows: Rows, table: Table) -> None:
        """Write other rows over some."""
        for name, array in self._arrays.items():
            array[rows] = cast("NDArray[np.generic]", table.columns[name])
        for name, texts in self._texts.items():
            for row, text in zip(rows.tolist(), table.texts(name), strict=True):
                texts[row] = text

    def array(self, name: str) -> NDArray[Any]:
        """One column, to be read and written in place."""
        return self._arrays[name][: self.used]

    def table(self) -> Table:
        """All rows, as they are from now on."""
        columns: dict[str, Values] = {name: cast("Values", array[: self.used]) for name, array in self._arrays.items()}
        return Table(self.used, {**columns, **self._texts})


def growing(table: Table) -> Growing:
    """A copy of a table that can grow."""
    arrays, texts = {}, {}
    for name, values in table.columns.items():
        if isinstance(values, np.ndarray):
            arrays[name] = values.copy()
        else:
            texts[name] = list(values)
    return Growing(len(table), arrays, texts)
