"""The same policy over columns: whole estates, many accounts at once (extra `bulk`: numpy).

The rows of `enrolpolicy.policy` are used, none is copied. `estate_of` makes an estate of snapshots, `plan_estate` plans
it, `plans_of` gives the plan of each account as the object engine would have made it.
"""

from enrolpolicy.bulk.allocation import WAITS_FOR
from enrolpolicy.bulk.answers import REASONS
from enrolpolicy.bulk.assembly import Draft, assembled
from enrolpolicy.bulk.columns import SHAPES, Column, Estate, Kind, Shape, Table
from enrolpolicy.bulk.demand import CAUSES
from enrolpolicy.bulk.judging import Verdicts, verdicts
from enrolpolicy.bulk.keeping import Standing, standing
from enrolpolicy.bulk.planning import ACTION_TYPES, EstatePlan, plan_estate
from enrolpolicy.bulk.plans import plans_of
from enrolpolicy.bulk.snapshots import estate_of, snapshot_of

__all__ = [
    "ACTION_TYPES",
    "CAUSES",
    "REASONS",
    "SHAPES",
    "WAITS_FOR",
    "Column",
    "Draft",
    "Estate",
    "EstatePlan",
    "Kind",
    "Shape",
    "Standing",
    "Table",
    "Verdicts",
    "assembled",
    "estate_of",
    "plan_estate",
    "plans_of",
    "snapshot_of",
    "standing",
    "verdicts",
]
