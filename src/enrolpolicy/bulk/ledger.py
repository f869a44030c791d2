"""All that is asked for in an estate, kept in the order in which a plan has it, and what comes of it on a night."""

from collections.abc import Mapping
from typing import final

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from enrolpolicy.bulk.allocation import deferral, ranks, shortfalls
from enrolpolicy.bulk.assembly import Rows, one_after_another
from enrolpolicy.bulk.columns import NONE, UNKNOWN, Ints, Table, Values
from enrolpolicy.bulk.demand import STAYS
from enrolpolicy.bulk.growing import SPARE, Growing, growing
from enrolpolicy.bulk.planning import ACTION, ACTION_TYPES, CANCEL, ENROL, INVITE

_DEFERRED = ("account", "person", "course", "cycle_on")
_NOTHING: Mapping[str, int] = {**ACTION, "until": NONE, "rank": 0}
"""What stands in for what a row has not."""

Keys = NDArray[np.int64]
"""Where rows stand: by account, kind of action, person and course."""
_NO_KEYS: Keys = np.empty(0, dtype=np.int64)


@final
@frozen(eq=False)
class Places:
    """Where people and courses stand: people by `rank`, courses in their account, whose `first` and `size` is known."""

    rank: NDArray[np.int64]
    first: Ints
    width: int
    """No account has more courses."""

    def keys(self, kind: Rows | int, account: Ints, person: Rows, course: Rows | Ints) -> Keys:
        """The keys of some rows."""
        found: Keys = (account * np.int64(len(ACTION_TYPES)) + kind) * len(self.rank) + self.rank[person]
        found *= self.width
        found += course - self.first[account]
        return found

    def heads(self, keys: Keys) -> NDArray[np.int64]:
        """How many of some ascending keys are each account's."""
        edges = np.arange(len(self.first) + 1) * (len(ACTION_TYPES) * len(self.rank) * self.width)
        return np.diff(np.searchsorted(keys, edges))


@final
@define(eq=False)
class Ledger:
    """Who is to be enrolled, and which bookings are to be withdrawn or invited to, as if everything could be paid.

    `rows` are columns of actions; beside them, who is served first (`rank`), and `until` when the spread holds a row.
    They stay where they were put. `_order` has the rows that count, by their `_keys`.
    """

    rows: Growing
    places: Places
    _order: Rows
    _keys: Keys

    def drop(self, account: Ints, people: Rows, keys: Keys = _NO_KEYS) -> None:
        """Take out what is asked for by some people of accounts, and some rows, which are there, by their keys."""
        kinds = np.arange(len(ACTION_TYPES))[:, None]
        first = np.sort(self.places.keys(kinds, account, people, self.places.first[account]).reshape(-1))
        start, end = (np.searchsorted(self._keys, edge) for edge in (first, first + self.places.width))
        gone = np.concatenate((one_after_another(start, end - start), np.searchsorted(self._keys, keys)))
        self._order, self._keys = np.delete(self._order, gone), np.delete(self._keys, gone)

    def add(self, wanted: Table, kept_up: Table) -> None:
        """Put in demand, and what is done about bookings."""
        kinds = np.where(kept_up.choices("because") == STAYS, INVITE, CANCEL)
        wanted = Table(len(wanted), {**wanted.columns, "rank": ranks(wanted)})
        first = self.rows.used
        for table, kind in ((wanted, np.full(len(wanted), ENROL)), (kept_up, kinds)):
            columns: dict[str, Values] = {"type": kind.astype(np.uint8)}
            for name, absent in _NOTHING.items():
                columns[name] = table.columns.get(name, np.full(len(table), absent))
            self.rows.append(Table(len(table), columns))
        new = np.arange(first, self.rows.used)
        keys = self._keys_of(new)
        order = np.argsort(keys, kind="stable")
        places = np.searchsorted(self._keys, keys[order])
        self._order = np.insert(self._order, places, new[order])
        self._keys = np.insert(self._keys, places, keys[order])

    def _keys_of(self, rows: Rows) -> Keys:
        kind, *which = (self.rows.array(name)[rows] for name in ("type", "account", "person", "course"))
        return self.places.keys(kind, *which)

    def concluded(self, on: Ints, credits: NDArray[np.int64]) -> tuple[Table, Table]:
        """The actions of a night, and what is put off; `on` and the available credits are by account."""
        of, order, heads = self.rows.array, self._order, self.places.heads(self._keys)
        cost = of("credits")[order]
        held = self._held(on, heads)
        cost[held] = 0
        shortfall = shortfalls(heads, cost, of("rank")[order], credits)
        waits = shortfall > 0
        waits[held] = True
        late = np.flatnonzero(waits)
        served, put_off = order[np.flatnonzero(~waits)], order[late]
        actions = {name: of(name)[served] for name in ("type", *ACTION)}
        deferred = {name: of(name)[put_off] for name in _DEFERRED} | deferral(of("until")[put_off], shortfall[late])
        return Table(len(served), actions), Table(len(late), deferred)

    def _held(self, on: Ints, heads: NDArray[np.int64]) -> Rows:
        """Those whom the spread holds."""
        until = self.rows.array("until")
        if until.max(initial=NONE) == NONE:
            return np.empty(0, dtype=np.intp)
        return np.flatnonzero(np.repeat(on, heads) < until[self._order])

    # Where rows stand

    def moved(self, courses: Ints, places: Places) -> None:
        """Go by where people and courses stand now; those of each account have moved on by so many rows."""
        self.rows.array("course")[:] += courses[self.rows.array("account")]
        self.places = places
        self._keys = self._keys_of(self._order)

    def renumber(self, enrolments: Rows) -> None:
        """Go by where enrolments stand now, who stood in these rows before."""
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


def ledger(places: Places) -> Ledger:
    """One in which nothing is asked for."""
    nothing = np.empty(0, dtype=np.int32)
    columns: dict[str, Values] = {"type": nothing.astype(np.uint8), **dict.fromkeys(_NOTHING, nothing)}
    return Ledger(growing(Table(0, columns)), places, nothing.astype(np.intp), _NO_KEYS)
