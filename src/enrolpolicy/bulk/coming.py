"""When to look again: the next date on which time alone can change what a pair comes to."""

import numpy as np

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import NONE, Flags, Ints
from enrolpolicy.bulk.demand import ours_and_booked
from enrolpolicy.bulk.reading import ReadBlock
from enrolpolicy.bulk.terms import NEVER, Terms

FAR = NEVER * 2
"""Due later than any day: by time alone the answer stays."""


def next_date(terms: Terms, course: Rows | Ints, cycle: Ints, until: Ints) -> Ints:
    """The next date on which time alone changes where trainings stand."""
    due = np.full(len(course), FAR, dtype=np.int32)
    ends = np.flatnonzero((until != NONE) & (until != NEVER))
    course, cycle, until = course[ends], cycle[ends], until[ends]
    on, lead = terms.course_on[course], terms.lead[course]
    opens = until - np.minimum(lead, np.maximum(0, (until - cycle) // 2))
    forgotten = until + 1 + terms.lookback[course]
    due[ends] = np.where(opens > on, opens, np.where(until >= on, until + 1, np.where(forgotten > on, forgotten, FAR)))
    return due


def dates(found: ReadBlock, terms: Terms, local: Rows, cycle: Ints, until: Ints) -> tuple[Ints, Flags]:
    """For cells of a block, when to look again, and whether what is kept of them is not enough then.

    It is not where a record lies ahead, or where bookings have a say: those that ended in the cycle, and those that may
    be withdrawn.
    """
    here, counted = found.block, found.counted
    entangled = np.zeros(here.cells, dtype=np.bool_)
    entangled[found.booked[ours_and_booked(found.bookings)]] = True
    entangled[found.held.cells] = True
    due = np.full(here.cells, FAR, dtype=np.int32)
    due[local] = next_date(terms, here.course(local), cycle, until)
    ahead = counted.part.ints("completed_on")
    late = np.flatnonzero(ahead > terms.on.min(initial=FAR))
    late = late[ahead[late] > terms.on[here.account[counted.part.line[late]]]]
    entangled[counted.cell[late]] = True
    np.minimum.at(due, counted.cell[late], ahead[late])
    paused = np.flatnonzero(found.held.retry_on != NONE)
    cells = found.held.cells[paused]
    due[cells] = np.minimum(due[cells], found.held.retry_on[paused])
    return due[local], entangled[local]
