"""Estates in Arrow tables and files (extra `arrow`: numpy and pyarrow).

`estates` reads tables, checked and a few accounts at a time, `tables_of` is the way back. `outcomes_of` makes tables of
a plan. `plan_tables` does all of it, from a directory of files to files.
"""

from enrolpolicy.arrow.exporting import tables_of
from enrolpolicy.arrow.files import Directory, open_tables, write_tables
from enrolpolicy.arrow.layout import schema
from enrolpolicy.arrow.outcomes import OUTCOMES, outcomes_of, reasons_of
from enrolpolicy.arrow.running import Totals, plan_tables
from enrolpolicy.arrow.tables import ArrowStream, estate_of_tables, estates

__all__ = [
    "OUTCOMES",
    "ArrowStream",
    "Directory",
    "Totals",
    "estate_of_tables",
    "estates",
    "open_tables",
    "outcomes_of",
    "plan_tables",
    "reasons_of",
    "schema",
    "tables_of",
    "write_tables",
]
