"""The same policy over columns: whole estates, many accounts at once (extra `bulk`: numpy).

The rows of `enrolpolicy.policy` are used, none is copied. `estate_of` makes an estate of snapshots.
"""

from enrolpolicy.bulk.assembly import Draft, assembled
from enrolpolicy.bulk.columns import SHAPES, Column, Estate, Kind, Shape, Table
from enrolpolicy.bulk.snapshots import estate_of

__all__ = ["SHAPES", "Column", "Draft", "Estate", "Kind", "Shape", "Table", "assembled", "estate_of"]
