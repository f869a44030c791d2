"""Whom the invitation of a booking goes to, and all that is to be said in it."""

from datetime import datetime
from hashlib import sha256

from enrolpolicy.candidate import usable
from enrolpolicy.night import Night
from enrolpolicy.ports import Invitation
from enrolpolicy.rows import Row


def invitation_of(tonight: Night, row: Row, at: datetime) -> Invitation | None:
    """The invitation of a booking of somebody in the register to their address of now; None where it is not usable."""
    register = tonight.register
    person, course = register.person(row.person), register.course(row.course)
    if person.email is None or not usable(person.email):
        return None
    records = register.records[person.id].get(course.id, ())
    sources = register.sources(person.id, course.id)
    return Invitation(
        message_id=letter_id(row.key, person.email),
        account=row.account,
        key=row.key,
        person=person.id,
        name=person.name,
        recipient=person.email,
        course=course.id,
        course_name=course.name,
        because=row.because or "",
        expires_on=tonight.courses[course.id].renewal(records).expires_on,
        asked_by=tuple([register.roles[source.role].name for source in sources if source.role]),
        at=at,
    )


def letter_id(key: str, recipient: str) -> str:
    """The identity of an enrolment's invitation to an address: 32 hex digits."""
    return sha256(f"{len(key)}:{key},{recipient}".encode()).hexdigest()[:32]
