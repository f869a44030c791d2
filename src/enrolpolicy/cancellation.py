"""Taking a booking back because somebody asks for it (rule 5, the last sentence)."""

from typing import final

from attrs import frozen

from enrolpolicy.bookings import REQUESTED
from enrolpolicy.model import EnrolmentStatus, Origin, Snapshot
from enrolpolicy.plans import Cancel


@final
@frozen(kw_only=True)
class CancelRefused:
    """A cancellation that cannot be had: the id asked for, the reason's code, and the reason in words."""

    enrolment: str
    code: str
    sentence: str


MANUAL, UNKNOWN = "manual", "unknown"

REFUSALS: dict[EnrolmentStatus, tuple[str, str]] = {
    EnrolmentStatus.PENDING: ("pending", "the LMS has not confirmed the enrolment yet; ask again when it has"),
    EnrolmentStatus.IN_PROGRESS: ("in-progress", "the person has started the course; let them finish"),
    EnrolmentStatus.COMPLETED: ("completed", "the person has completed the course; there is nothing to cancel"),
    EnrolmentStatus.CANCELLED: ("already-cancelled", "the enrolment is cancelled already"),
    EnrolmentStatus.REFUSED: ("refused", "the LMS refused the enrolment; there is nothing to cancel"),
}
"""Why an enrolment of a status cannot be cancelled. Every status but BOOKED has a line."""


def cancel(snapshot: Snapshot, enrolment_id: str) -> Cancel | CancelRefused:
    """The cancellation of one enrolment, or why it cannot be had.

    Who made the enrolment is looked at first: one made by hand is not this policy's to cancel, whatever its status.
    """
    row = next((row for row in snapshot.enrolments if row.id == enrolment_id), None)
    if row is None:
        return _refused(enrolment_id, UNKNOWN, "there is no such enrolment in the snapshot; check its id")
    if row.origin is Origin.MANUAL:
        return _refused(enrolment_id, MANUAL, "the enrolment was made by hand; cancel it where it was made")
    if row.status in REFUSALS:
        return _refused(enrolment_id, *REFUSALS[row.status])
    return Cancel(enrolment=row.id, person=row.person, course=row.course, because=REQUESTED)


def _refused(enrolment: str, code: str, sentence: str) -> CancelRefused:
    return CancelRefused(enrolment=enrolment, code=code, sentence=sentence)
