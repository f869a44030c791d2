"""A training matrix, as spreadsheets keep it, read into a snapshot.

    from enrolpolicy.matrix import load_mapping, read_matrix, sheet_of

    sheet = sheet_of(Path("matrix.xlsx").read_bytes(), "matrix.xlsx")
    found = read_matrix(sheet, account="acme", mapping=load_mapping(Path("acme.toml").read_bytes()))

`found.snapshot` is what was understood; `found.unread`, `found.assumed` and `found.untold` are the rest. Reading a
workbook needs the extra `xlsx`; everything else here is pure.
"""

from enrolpolicy.matrix.cells import Cell, Faulty, Sheet, Unread
from enrolpolicy.matrix.day import Order
from enrolpolicy.matrix.files import MissingExtra, sheet_of
from enrolpolicy.matrix.importing import Imported, read_matrix
from enrolpolicy.matrix.mapping import (
    Asked,
    Columns,
    MappedCourse,
    MappedRole,
    Mapping,
    Words,
    load_mapping,
)
from enrolpolicy.matrix.remarks import Remark
from enrolpolicy.matrix.words import Kind

__all__ = [
    "Asked",
    "Cell",
    "Columns",
    "Faulty",
    "Imported",
    "Kind",
    "MappedCourse",
    "MappedRole",
    "Mapping",
    "MissingExtra",
    "Order",
    "Remark",
    "Sheet",
    "Unread",
    "Words",
    "load_mapping",
    "read_matrix",
    "sheet_of",
]
