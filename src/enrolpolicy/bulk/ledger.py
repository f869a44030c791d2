"""All that is asked for in an estate, kept in the order in which a plan has it, and what comes of it on a night."""

from collections.abc import Mapping
from typing import final

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.allocation import deferral, waiting
from enrolpolicy.bulk.assembly import Rows
from enrolpolicy.bulk.columns import NONE, UNKNOWN, Choices, Flags, Ints, Table, Values
from enrolpolicy.bulk.demand import DEMAND, STAYS, UPKEEP, Columns, together
from enrolpolicy.bulk.growing import SPARE, Growing, growing
from enrolpolicy.bulk.planning import ACTION, ACTION_TYPES, CANCEL, ENROL, INVITE

WANTED: Columns = {**DEMAND, "until": np.int32}
_DEFERRED = ("account", "person", "course", "cycle_on")
_NOTHING: Mapping[str, int] = {**ACTION, "required": 0, "until": NONE}
"""What stands in for what a row has not."""

Keys = NDArray[np.int64]
"""Where rows stand: by account, kind of action, person and course."""


_NO_KEYS: Keys = np.empty(0, dtype=np.int64)


@final
@frozen(eq=False)
class Standings:
    """Where everybody and everything stands: people by `rank`, courses in their accounts, whose `first` is given."""

    rank: NDArray[np.int64]
    first: Ints
    width: int
    """No account has more courses."""

    def keys(self, kind: Choices | int, account: Ints, person: Rows | Ints, course: Rows | Ints) -> Keys:
        """The keys of some rows."""
        place: Keys = (account * np.int64(len(ACTION_TYPES)) + kind) * len(self.rank) + self.rank[person]
        place *= self.width
        place += course - self.first[account]
        return place


@final
@define(eq=False)
class Ledger:
    """Who is to be enrolled, and which bookings are to be withdrawn or invited to, as if everything could be paid.

    `rows` are columns of actions, and of demand: whether it is `required`, and `until` when the spread holds it; they
    stay where they were put. `_order` has the rows that count, by their `_keys`.
    """

    rows: Growing
    _order: Rows
    _keys: Keys

    def drop(self, people: Flags, keys: Keys = _NO_KEYS) -> None:
        """Take out what is asked for by some people, and some rows, which are there, by their keys."""
        stays = ~people[self.rows.array("person")][self._order]
        stays[np.searchsorted(self._keys, keys)] = False
        at = np.flatnonzero(stays)
        self._order, self._keys = self._order[at], self._keys[at]

    def add(self, wanted: Table, kept_up: Table, at: Standings) -> None:
        """Put in demand, and what is done about bookings."""
        kinds = np.where(kept_up.choices("because") == STAYS, INVITE, CANCEL)
        for table, kind in ((wanted, np.full(len(wanted), ENROL)), (kept_up, kinds)):
            columns: dict[str, Values] = {"type": kind.astype(np.uint8)}
            for name, absent in _NOTHING.items():
                columns[name] = table.columns.get(name, np.full(len(table), absent))
            first = self.rows.append(Table(len(table), columns))
            self._order = np.concatenate((self._order, np.arange(first, self.rows.used)))
        self._stand(at)

    def _stand(self, at: Standings) -> None:
        """Put the rows that were added in their places."""
        new = self._order[len(self._keys) :]
        keys = np.concatenate((self._keys, self._keys_of(new, at)))
        places = np.argsort(keys, kind="stable")  # quick, since most stand so already
        self._order, self._keys = self._order[places], keys[places]

    def _keys_of(self, rows: Rows, at: Standings) -> Keys:
        kind, account, person, course = (self.rows.array(name)[rows] for name in ("type", *_PAIR))
        return at.keys(kind, account, person, course)

    def moved(self, courses: Ints, at: Standings) -> None:
        """Go by where everybody and everything stands now; courses of each account have moved on by so many rows."""
        self.rows.array("course")[:] += courses[self.rows.array("account")]
        self._keys = self._keys_of(self._order, at)

    def renumber(self, enrolments: Rows) -> None:
        """Go by where enrolments stand now; they stood in these rows before."""
        rows = self.rows.array("enrolment")
        now = np.full(max(rows.max(initial=UNKNOWN), enrolments.max(initial=UNKNOWN)) + 1, UNKNOWN, dtype=np.int32)
        now[enrolments] = np.arange(len(enrolments), dtype=np.int32)
        booked = np.flatnonzero(rows != UNKNOWN)
        rows[booked] = now[rows[booked]]

    def tidy(self) -> None:
        """Write the rows anew if too many of them do not count."""
        if (self.rows.used - len(self._order)) * SPARE > self.rows.used:
            self.rows.keep(self._order)
            self._order = np.arange(self.rows.used)

    def concluded(self, on: Ints, credits: NDArray[np.int64]) -> tuple[Table, Table]:
        """The actions of a night, and what is put off; `on` and the available credits are by account."""
        names = ("account", "credits", "until", "expires_on", "required")
        asked = Table(len(self._order), {name: self.rows.array(name)[self._order] for name in names})
        waits, shortfall = waiting(asked, on, credits)
        late = np.flatnonzero(waits)
        served, put_off = self._order[np.flatnonzero(~waits)], self._order[late]
        actions = {name: self.rows.array(name)[served] for name in ("type", *ACTION)}
        deferred = {name: self.rows.array(name)[put_off] for name in _DEFERRED}
        deferred |= deferral(asked.ints("until")[late], shortfall[late])
        return Table(len(served), actions), Table(len(late), deferred)


_PAIR = ("account", "person", "course")


def ledger() -> Ledger:
    """One in which nothing is asked for."""
    nothing = np.empty(0, dtype=np.int64)
    columns: dict[str, Values] = {"type": nothing.astype(np.uint8)}
    columns |= {name: nothing.astype(np.bool_ if name == "required" else np.int32) for name in _NOTHING}
    return Ledger(growing(Table(0, columns)), nothing, nothing)
