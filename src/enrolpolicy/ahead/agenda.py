"""What a walk through the nights to come keeps in hand: what is to be looked at when, and who waits for credits."""

from bisect import bisect_left, insort
from datetime import date
from heapq import heappop, heappush
from operator import itemgetter
from typing import final

from attrs import define, field, frozen

from enrolpolicy.planner import Demand
from enrolpolicy.sweep import Pair


@final
@frozen(kw_only=True)
class Lapse:
    """A required training of somebody on the register that is not valid any more; `expires_on` was its last day."""

    person: str
    course: str
    expires_on: date


@final
@define(eq=False)
class Day:
    """What is to be done on a date: pairs to read, bookings to complete, and lapses that were known from the start."""

    pairs: set[Pair] = field(factory=set)
    completions: list[tuple[Pair, str]] = field(factory=list)
    lapses: list[Lapse] = field(factory=list)


@final
@define(eq=False)
class Agenda:
    """Days to come, up to the last one that is asked about."""

    until: date
    _days: dict[date, Day] = field(factory=dict)
    _dates: list[date] = field(factory=list)

    def day(self, on: date) -> Day | None:
        """The entries of a date; None for one that is not asked about."""
        if on > self.until:
            return None
        if on not in self._days:
            self._days[on] = Day()
            heappush(self._dates, on)
        return self._days[on]

    def read(self, pair: Pair, on: date | None) -> None:
        """Note that a pair is to be read on a date; None is a date past the calendar's end."""
        if on is not None and (day := self.day(on)) is not None:
            day.pairs.add(pair)

    def next(self) -> date | None:
        """The first date with entries."""
        return self._dates[0] if self._dates else None

    def take(self, on: date) -> Day:
        """The entries of the first date, which others may still be added to while it lasts."""
        heappop(self._dates)
        return self._days[on]

    def close(self, on: date) -> None:
        """Forget a date that is over."""
        del self._days[on]


_rank = itemgetter(0)


@final
@define(eq=False)
class Queue:
    """Who is to be enrolled and was not yet: free courses, and paid ones by rank with what they cost together."""

    free: dict[Pair, Demand] = field(factory=dict)
    paid: list[tuple[tuple[bool, bool, date, str, str], Demand]] = field(factory=list)
    cost: int = 0
    _ranks: dict[Pair, tuple[bool, bool, date, str, str]] = field(factory=dict)

    def add(self, row: Demand) -> None:
        """Somebody more."""
        if row.credits == 0:
            self.free[row.person, row.course] = row
            return
        rank = row.rank
        insort(self.paid, (rank, row), key=_rank)
        self._ranks[row.person, row.course] = rank
        self.cost += row.credits

    def discard(self, pair: Pair) -> None:
        """Somebody less, if they are there."""
        self.free.pop(pair, None)
        rank = self._ranks.pop(pair, None)
        if rank is not None:
            _, row = self.paid.pop(bisect_left(self.paid, rank, key=_rank))
            self.cost -= row.credits

    def front(self, available: int | None) -> list[Demand]:
        """All that can be allocated: what is free, and what the credits pay for in order of rank."""
        rows = list(self.free.values())
        for _, row in self.paid:
            if available is not None:
                available -= row.credits
                if available < 0:
                    break
            rows.append(row)
        return rows
