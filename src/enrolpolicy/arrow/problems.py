"""What is wrong with tables: one problem for each column and kind of fault, at the first row that has it."""

from typing import final

from attrs import define, field

from enrolpolicy.errors import InvalidSnapshot, Problem

_Fault = tuple[str, str, str]


@final
@define
class Problems:
    """What was found so far. A path names the table, the row, counted from 0, and the column."""

    _first: dict[_Fault, Problem] = field(factory=dict)
    _count: dict[_Fault, int] = field(factory=dict)

    def __len__(self) -> int:
        return len(self._first)

    def add(
        self, table: str, code: str, message: str, *, column: str = "", row: int | None = None, rows: int = 1
    ) -> None:
        """Note a problem of `rows` rows, `row` being the first; of a fault that is known already, only how many."""
        fault = table, column, code
        if fault not in self._first:
            place = "" if row is None else f"[{row}]"
            self._first[fault] = Problem(path=f"{table}{place}{column and f'.{column}'}", code=code, message=message)
        self._count[fault] = self._count.get(fault, 0) + rows

    def refuse(self) -> None:
        """Raise `InvalidSnapshot` with all of them, if there are any."""
        if self._first:
            raise InvalidSnapshot(tuple(map(self._told, self._first)))

    def _told(self, fault: _Fault) -> Problem:
        first, more = self._first[fault], self._count[fault] - 1
        if not more:
            return first
        rest = f"{first.message} (and {more:,} more row{'s' if more > 1 else ''} like it)"
        return Problem(path=first.path, code=first.code, message=rest)
