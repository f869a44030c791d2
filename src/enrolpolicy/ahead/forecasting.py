"""The year ahead: the policy carried out night after night, on assumptions that are said.

Nothing is estimated beside them. Each night is the plan that `enrolpolicy.plan` would make then, had everything gone as
assumed; the first is tonight's.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import final

from attrs import field, frozen

from enrolpolicy.ahead.agenda import Lapse
from enrolpolicy.ahead.assumptions import Assumptions
from enrolpolicy.ahead.stepping import Step, steps
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.plans import Action, Cancel, Enrol, Invite


@final
@frozen(kw_only=True)
class ForecastNight:
    """What is done on one night, and how things stand after it.

    `actions` are those of that night's plan. `guards` names those that would stop it; a forecast goes on as if somebody
    had looked and let it pass. `lapses` are the required trainings whose last valid day was the day before. `held`
    counts who waits because of the spread, `waiting` who waits for credits, `shortfall` how many more credits would
    serve them all; `left` is the credits that the next night begins with, None where credits are not metered.
    `completed` counts what is assumed to be completed on the day.
    """

    on: date
    actions: tuple[Action, ...] = ()
    guards: tuple[str, ...] = ()
    lapses: tuple[Lapse, ...] = ()
    held: int = 0
    waiting: int = 0
    shortfall: int = 0
    left: int | None = None
    completed: int = 0

    @property
    def enrolments(self) -> tuple[Enrol, ...]:
        """The enrolments among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Enrol))

    @property
    def credits(self) -> int:
        """What they take."""
        return sum(action.credits for action in self.actions if isinstance(action, Enrol))

    @property
    def cancellations(self) -> tuple[Cancel, ...]:
        """The cancellations among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Cancel))

    @property
    def invitations(self) -> tuple[Invite, ...]:
        """The repeated invitations among the actions."""
        return tuple(action for action in self.actions if isinstance(action, Invite))


@final
@frozen(kw_only=True)
class ForecastMonth:
    """The nights of one calendar month, as far as they were asked about, taken together.

    `month` is its first day. `waiting` is the most who waited for credits on any night of it, `left` the credits there
    are at its end, the other figures are sums.
    """

    month: date
    enrolments: int
    credits: int
    cancellations: int
    completed: int
    lapses: int
    waiting: int
    left: int | None


@final
@frozen(kw_only=True)
class Drift:
    """What early renewal costs: `renewals` that were completed, of training with an expiry, lost `days` of validity.

    A renewal that is completed before the old expiry is valid from then, unless the course keeps its anniversary.
    """

    renewals: int
    days: int

    @property
    def days_each(self) -> float:
        """The mean of the days lost by one renewal; 0 where there was none."""
        return self.days / self.renewals if self.renewals else 0.0


@final
@frozen(kw_only=True)
class Forecast:
    """What is expected from `start` to `until`, both included, if people do as assumed.

    `nights` holds those on which something happens or a figure changes, the first always; on those between, nothing
    does. `short_on` is the first night on which somebody waits for credits, None where nobody does; `top_up` the fewest
    credits that, added before the first night, let nobody wait until the last, None where credits are not metered.
    """

    account: str
    start: date
    until: date
    assume: Assumptions
    nights: tuple[ForecastNight, ...] = field(repr=False)
    short_on: date | None
    top_up: int | None
    drift: Drift

    @property
    def months(self) -> tuple[ForecastMonth, ...]:
        """Every month of the forecast, also those in which nothing happens."""
        return tuple(_months(self))

    @property
    def by_course(self) -> tuple[tuple[str, int, int], ...]:
        """Each course's id, enrolments and credits, those that take most credits first."""
        totals: dict[str, tuple[int, int]] = {}
        for night in self.nights:
            for row in night.enrolments:
                count, credits = totals.get(row.course, (0, 0))
                totals[row.course] = count + 1, credits + row.credits
        return tuple((id, *totals[id]) for id in sorted(totals, key=lambda course: (-totals[course][1], course)))


def forecast(
    snapshot: Snapshot,
    *,
    start: date,
    until: date,
    assume: Assumptions | None = None,
    progress: Callable[[date], None] | None = None,
) -> Forecast:
    """What each night from `start` to `until` (both included) will do, if people do as assumed.

    `start` is tonight: the account's local date the snapshot is of. The policy, the settings and the people stay as
    they are; bookings are made, withdrawn and completed, records arrive and expire. `progress` is called with each date
    that is reached; where credits run short, the way is gone a second time, to find the top-up. Raises `InvalidValue`
    where `until` is before `start`.
    """
    if until < start:
        raise InvalidValue("until", f"must not be before `start`, {start}; give a later date")
    assumed = assume or Assumptions()
    told = progress or _nobody
    walked = [_told(step, told) for step in steps(snapshot, start, until, assumed)]
    short_on = next((step.on for step in walked if step.waiting), None)
    top_up = None if snapshot.account.credits is None else 0
    if short_on is not None:
        top_up = _top_up(_told(step, told) for step in steps(snapshot, start, until, assumed, unlimited=True))
    return Forecast(
        account=snapshot.account.id,
        start=start,
        until=until,
        assume=assumed,
        nights=tuple(_changing(map(_night, walked))),
        short_on=short_on,
        top_up=top_up,
        drift=Drift(renewals=sum(step.renewals for step in walked), days=sum(step.lost for step in walked)),
    )


def _nobody(_: date) -> None:
    """Whom to tell where nobody asked to be."""


def _told(step: Step, progress: Callable[[date], None]) -> Step:
    progress(step.on)
    return step


def _top_up(unlimited: Iterable[Step]) -> int:
    """The most that was ever asked for beyond what there was, on a way on which nobody waited."""
    return max((step.asked - step.there for step in unlimited if step.asked and step.there is not None), default=0)


def _night(step: Step) -> ForecastNight:
    short = step.waiting and step.there is not None
    return ForecastNight(
        on=step.on,
        actions=step.actions,
        guards=step.guards,
        lapses=step.lapses,
        held=step.held,
        waiting=step.waiting,
        shortfall=step.asked - step.there if short and step.there is not None else 0,
        left=step.left,
        completed=step.completed,
    )


def _changing(nights: Iterable[ForecastNight]) -> Iterator[ForecastNight]:
    """The first night, and those on which something happens, or a figure is not what it was."""
    before: tuple[int | None, ...] | None = None
    for night in nights:
        figures = night.held, night.waiting, night.shortfall, night.left
        if night.actions or night.lapses or night.completed or figures != before:
            yield night
        before = figures


# Months


def _months(found: Forecast) -> Iterator[ForecastMonth]:
    by_month = {month: list(nights) for month, nights in groupby(found.nights, key=_month)}
    waiting, left = 0, found.nights[0].left
    for month in _between(_first(found.start), _first(found.until)):
        nights = by_month.get(month, [])
        most = max([waiting, *(night.waiting for night in nights)])
        if nights:
            waiting, left = nights[-1].waiting, nights[-1].left
        yield ForecastMonth(
            month=month,
            enrolments=sum(len(night.enrolments) for night in nights),
            credits=sum(night.credits for night in nights),
            cancellations=sum(len(night.cancellations) for night in nights),
            completed=sum(night.completed for night in nights),
            lapses=sum(len(night.lapses) for night in nights),
            waiting=most,
            left=left,
        )


def _month(night: ForecastNight) -> date:
    return _first(night.on)


def _first(day: date) -> date:
    return day.replace(day=1)


def _between(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        if (month.year, month.month) == (date.max.year, date.max.month):
            return
        month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
