"""The library's engine over columns, and the floor: reading every column of its input once, and deciding nothing."""

from pathlib import Path
from typing import Any

import numpy as np

from enrolpolicy.arrow.files import open_tables
from enrolpolicy.arrow.outcomes import outcomes_of
from enrolpolicy.bulk import SHAPES, Estate, plan_estate
from enrolpolicy.bulk.answers import REASONS
from registers import ON
from rivals.answers import Answer

WHOLE = 1 << 62


def estate(tables: Path) -> Estate:
    """All accounts of a directory at once."""
    [found] = open_tables(tables).estates(rows=WHOLE)
    return found


def arrays(of: Estate) -> list[Any]:
    """The columns that are numbers; texts are only read for what is done."""
    return [
        values
        for name in SHAPES
        for values in getattr(of, name).columns.values()
        if isinstance(values, np.ndarray) and values.dtype != object
    ]


class Bulk:
    FINDINGS = False

    def load(self, tables: Path, keyed: Path) -> None:
        self.estate = estate(tables)

    def decide(self) -> Any:
        return plan_estate(self.estate, on=ON, findings=self.FINDINGS)

    def answer(self, decided: Any) -> Answer:
        ids = self.estate.accounts.ids("account")
        counted = {
            (ids[account], reason): int(count)
            for account, row in enumerate(decided.not_enrolled)
            for reason, count in zip(REASONS, row, strict=True)
            if count
        }
        columns = outcomes_of(decided)["actions"].columns
        return Answer(list(zip(*(column.to_pylist() for column in columns), strict=True)), counted)


class BulkWithFindings(Bulk):
    """None of the others looks for findings."""

    FINDINGS = True


class Floor:
    def load(self, tables: Path, keyed: Path) -> None:
        self.arrays = arrays(estate(tables))
        self.bytes = sum(array.nbytes for array in self.arrays)

    def decide(self) -> float:
        return sum(float(array.sum()) for array in self.arrays)

    def answer(self, decided: float) -> None:
        return None
