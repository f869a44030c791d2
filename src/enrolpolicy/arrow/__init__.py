"""Estates in Arrow tables and files (extra `arrow`: numpy and pyarrow).

`estates` reads tables, checked and a few accounts at a time; `tables_of` is the way back.
"""

from enrolpolicy.arrow.exporting import tables_of
from enrolpolicy.arrow.layout import schema
from enrolpolicy.arrow.tables import ArrowStream, estate_of_tables, estates

__all__ = ["ArrowStream", "estate_of_tables", "estates", "schema", "tables_of"]
