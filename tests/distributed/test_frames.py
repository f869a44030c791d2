"""Frames of other libraries, through the Arrow C interface: the plan does not know where they came from."""

from collections.abc import Callable
from typing import Any

import pandas
import polars
import pytest

from arrow_tables import Tables, accounts
from enrolpolicy.arrow import ArrowStream, estates, outcomes_of, tables_of
from enrolpolicy.bulk import estate_of, plan_estate
from registers import ON, register


def _tables() -> Tables:
    return tables_of(estate_of([register(50), *accounts("zeta")]))


def _plans(tables: dict[str, Any]) -> list[Any]:
    return [
        [table.to_pylist() for table in outcomes_of(plan_estate(estate, on=ON)).values()] for estate in estates(tables)
    ]


FRAMES: dict[str, Callable[[Any], ArrowStream]] = {
    "polars": polars.DataFrame,
    "polars, categorical": lambda table: polars.DataFrame(table).with_columns(
        polars.col(polars.String).cast(polars.Categorical)
    ),
    "pandas, of Arrow's types": lambda table: table.to_pandas(types_mapper=pandas.ArrowDtype),
}


class TestFrames:
    """A frame is as good as a table."""

    @pytest.mark.parametrize("library", FRAMES)
    def test_the_same_plan(self, library: str) -> None:
        tables = _tables()
        assert _plans({name: FRAMES[library](table) for name, table in tables.items()}) == _plans(tables)
