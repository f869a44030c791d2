"""When to look again: the next date on which time alone can change what a pair comes to."""

from typing import final

import numpy as np
from attrs import frozen

from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.codes import RECORDED
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


@final
@frozen(eq=False, kw_only=True)
class Coming:
    """The cells of a block whose answer time alone can change: when it will next, and what counts until then.

    `entangled`: what they come to then does not follow from that, where a record lies ahead, and where bookings have a
    say: those that ended in the cycle, and those that may be withdrawn.
    """

    local: Rows
    line: Rows
    cycle: Ints
    until: Ints
    due: Ints
    entangled: Flags


def dates(found: ReadBlock, terms: Terms) -> Coming:
    """When to look again at the cells of a block."""
    here, counted = found.block, found.counted
    ahead = counted.part.ints("completed_on")
    late = np.flatnonzero(ahead > terms.on.min(initial=FAR))
    late = late[ahead[late] > terms.on[here.account[counted.part.line[late]]]]
    moving = counted.status > RECORDED
    moving[counted.cell[late]] = True
    moving[found.held.cells] = True
    local = np.flatnonzero(moving)
    line = local // here.width
    cycle, until = counted.terms(local)
    due = np.full(here.cells, FAR, dtype=np.int32)
    due[local] = next_date(terms, local - here.shift[line], cycle, until)
    np.minimum.at(due, counted.cell[late], ahead[late])
    paused = np.flatnonzero(found.held.retry_on != NONE)
    cells = found.held.cells[paused]
    due[cells] = np.minimum(due[cells], found.held.retry_on[paused])
    entangled = np.zeros(here.cells, dtype=np.bool_)
    entangled[found.booked[ours_and_booked(found.bookings)]] = True
    entangled[found.held.cells] = True
    entangled[counted.cell[late]] = True
    return Coming(local=local, line=line, cycle=cycle, until=until, due=due[local], entangled=entangled[local])
