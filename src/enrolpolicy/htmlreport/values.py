"""What a page shows, as values: figures, rows and cells, in the words people read."""

from datetime import date
from typing import final

from attrs import frozen

from enrolpolicy.ahead.forecasting import Forecast
from enrolpolicy.ahead.remedies import Remedy
from enrolpolicy.plans import Finding, Plan


@final
@frozen(kw_only=True)
class Figure:
    """One number at the head of the page, what it counts, and a word more; `tone` says whether it asks for anything."""

    label: str
    value: str
    note: str = ""
    tone: str = "plain"


@final
@frozen(kw_only=True)
class Action:
    """One line of tonight's plan."""

    kind: str
    person: str
    division: str
    course: str
    because: str
    expires_on: date | None
    credits: int | None


@final
@frozen(kw_only=True)
class Reason:
    """A reason for which some are left out: its id, how many, the share of all, in percent, and an example."""

    id: str
    count: int
    percent: int
    person: str
    course: str
    sentence: str


@final
@frozen(kw_only=True)
class Concern:
    """A required training that is not on its way, or will not be when it has to."""

    person: str
    division: str
    course: str
    state: str
    day: date | None
    because: str
    sentence: str


@final
@frozen(kw_only=True)
class Cell:
    """How much of one course is covered for one role; `percent` is None where nothing can be booked."""

    people: int
    percent: int | None
    lapsing: int

    @property
    def tone(self) -> str:
        """The step of the colour scale, 0 to 10; none where there is no share."""
        return "none" if self.percent is None else f"s{self.percent // 10}"


@final
@frozen(kw_only=True)
class Report:
    """All that a page shows about one account on one date."""

    account: str
    on: date
    plan: Plan
    figures: tuple[Figure, ...]
    actions: tuple[Action, ...]
    reasons: tuple[Reason, ...]
    concerns: tuple[Concern, ...]
    concerns_off: int
    """Required trainings that will lapse where auto-enrolment is off; they are counted, not listed."""
    remedies: tuple[Remedy, ...]
    """The single changes that would help most."""
    roles: tuple[str, ...]
    courses: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    forecast: Forecast
    findings: tuple[Finding, ...]
    metered: bool
