"""What can happen to an enrolment (rule 8). What is absent from the table is refused."""

from datetime import date
from enum import Enum
from typing import final

from attrs import evolve, frozen

from enrolpolicy.model import Enrolment, EnrolmentStatus


@final
class Event(Enum):
    """What the LMS, the person or the register reports about an enrolment."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[EnrolmentStatus, Event], EnrolmentStatus] = {
    (EnrolmentStatus.PENDING, Event.CONFIRM): EnrolmentStatus.BOOKED,
    (EnrolmentStatus.PENDING, Event.REFUSE): EnrolmentStatus.REFUSED,
    (EnrolmentStatus.BOOKED, Event.START): EnrolmentStatus.IN_PROGRESS,
    (EnrolmentStatus.BOOKED, Event.COMPLETE): EnrolmentStatus.COMPLETED,
    (EnrolmentStatus.BOOKED, Event.CANCEL): EnrolmentStatus.CANCELLED,
    (EnrolmentStatus.IN_PROGRESS, Event.COMPLETE): EnrolmentStatus.COMPLETED,
}
"""Every move there is: from a status, by an event, to a status."""

ENDED = frozenset({EnrolmentStatus.COMPLETED, EnrolmentStatus.CANCELLED, EnrolmentStatus.REFUSED})
"""The statuses that nothing leads out of."""


@final
@frozen
class Forbidden:
    """An event that cannot happen to an enrolment of that status."""

    status: EnrolmentStatus
    event: Event

    @property
    def sentence(self) -> str:
        """What is refused, and what could happen instead."""
        possible = ", ".join(f"`{event.value}`" for status, event in TRANSITIONS if status is self.status)
        instead = f"what can happen is {possible}" if possible else "it has ended, and nothing more can happen to it"
        return f"an enrolment that is `{self.status.value}` cannot `{self.event.value}`; {instead}"


def move(status: EnrolmentStatus, event: Event) -> EnrolmentStatus | Forbidden:
    """The status after an event, or why there is none.

    >>> move(EnrolmentStatus.BOOKED, Event.START)
    <EnrolmentStatus.IN_PROGRESS: 'in-progress'>
    >>> move(EnrolmentStatus.IN_PROGRESS, Event.CANCEL).sentence
    'an enrolment that is `in-progress` cannot `cancel`; what can happen is `complete`'
    """
    return TRANSITIONS.get((status, event)) or Forbidden(status, event)


def advance(enrolment: Enrolment, event: Event, *, on: date, because: str | None = None) -> Enrolment | Forbidden:
    """An enrolment after an event on a local date.

    One that ends by it gets `ended_on` and, where it was cancelled or refused, `because` as its `ended_because`.
    """
    status = move(enrolment.status, event)
    if isinstance(status, Forbidden):
        return status
    if status not in ENDED:
        return evolve(enrolment, status=status)
    return evolve(enrolment, status=status, ended_on=on, ended_because=because)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    edges = (f"    {_name(status)} --> {_name(to)}: {event.value}" for (status, event), to in TRANSITIONS.items())
    ends = (f"    {_name(status)} --> [*]" for status in EnrolmentStatus if status in ENDED)
    return "\n".join(["stateDiagram-v2", f"    [*] --> {_name(EnrolmentStatus.PENDING)}", *edges, *ends]) + "\n"


def _name(status: EnrolmentStatus) -> str:
    return status.name
