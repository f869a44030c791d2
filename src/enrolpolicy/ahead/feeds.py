"""What comes up, as entries of a calendar, and the calendar as RFC 5545 writes it.

An entry keeps its identity from one day to the next, so that a calendar which fetches the feed again moves it instead
of adding another: it is made of the account, the person, the course and the renewal, never of the dates.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from enum import Enum
from typing import final

from attrs import frozen

from enrolpolicy.candidate import enrolment_key
from enrolpolicy.errors import UnknownId
from enrolpolicy.model import Level, Snapshot
from enrolpolicy.night import Night, Reading, night


@final
class EntryKind(Enum):
    """What an entry is about: the first day of a renewal window, or the last day on which a training is valid."""

    OPENS = "opens"
    EXPIRES = "expires"


@final
@frozen(kw_only=True)
class CalendarEntry:
    """One all-day entry. `uid` stays the same for as long as it is about the same renewal."""

    uid: str
    kind: EntryKind
    on: date
    person: str
    course: str
    summary: str
    description: str


def calendar_entries(
    snapshot: Snapshot,
    *,
    on: date,
    people: Collection[str] | None = None,
    courses: Collection[str] | None = None,
    divisions: Collection[str] | None = None,
) -> tuple[CalendarEntry, ...]:
    """The expiries and window openings from `on` on, of training that is asked of people who are not archived.

    `people`, `courses` and `divisions` keep to those ids. In order of days, then by person and course. Raises
    `UnknownId` for a person or course there is not, or a division nobody is in.
    """
    tonight = night(snapshot, on, people)
    for course in courses or ():
        tonight.register.course(course)
    there = {person.division for person in snapshot.personnel}
    for division in divisions or ():
        if division not in there:
            raise UnknownId("division", division)
    found = [
        entry
        for person, course in _asked(tonight)
        if courses is None or course in courses
        if divisions is None or tonight.register.people[person].division in divisions
        for entry in _entries(tonight, person, course)
        if entry.on >= on
    ]
    return tuple(sorted(found, key=_place))


def _place(entry: CalendarEntry) -> tuple[date, str, str, str]:
    return entry.on, entry.person, entry.course, entry.kind.value


def _asked(tonight: Night) -> Iterator[tuple[str, str]]:
    register = tonight.register
    for id, person in register.people.items():
        if not person.archived:
            yield from ((id, course) for course in register.levels[id])


def _entries(tonight: Night, person: str, course: str) -> Iterator[CalendarEntry]:
    reading = tonight.read(person, course)
    renewal = reading.renewal
    if renewal.expires_on is None or renewal.opens_on is None:
        return
    key = enrolment_key(tonight.register.account.id, person, course, renewal.cycle, 0)
    who, what = reading.person.name or person, reading.course.name or course
    asked = "required" if tonight.register.levels[person][course] is Level.REQUIRED else "optional"
    booked = _booked(reading)
    told = (
        (EntryKind.OPENS, renewal.opens_on, f"{what}: renewal opens for {who}", f"It expires on {renewal.expires_on}."),
        (EntryKind.EXPIRES, renewal.expires_on, f"{what}: expires for {who}", "This is the last valid day."),
    )
    for kind, day, summary, sentence in told:
        yield CalendarEntry(
            uid=f"{key}-{kind.value}@enrolpolicy",
            kind=kind,
            on=day,
            person=person,
            course=course,
            summary=summary,
            description=f"{sentence} The training is {asked}. {booked}",
        )


def _booked(reading: Reading) -> str:
    return "Its renewal is booked." if reading.bookings.enrolled else "Its renewal is not booked."


# RFC 5545


def calendar_feed(entries: Iterable[CalendarEntry], *, account: str, on: date) -> str:
    """The entries as an iCalendar document, for a calendar to subscribe to; `on` is the day they were made on."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//enrolpolicy//training//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(f'Training of {account}')}",
        f"X-WR-CALNAME:{_text(f'Training of {account}')}",
        "REFRESH-INTERVAL;VALUE=DURATION:P1D",
        *(line for entry in entries for line in _event(entry, on)),
        "END:VCALENDAR",
    ]
    return "".join(folded + "\r\n" for line in lines for folded in _folded(line))


def _event(entry: CalendarEntry, on: date) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.uid}"
    yield f"DTSTAMP:{_compact(on)}T000000Z"
    yield f"DTSTART;VALUE=DATE:{_compact(entry.on)}"  # without an end, it lasts the day
    yield f"SUMMARY:{_text(entry.summary)}"
    yield f"DESCRIPTION:{_text(entry.description)}"
    yield f"CATEGORIES:{entry.kind.value.upper()}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _compact(day: date) -> str:
    return day.isoformat().replace("-", "")


def _text(text: str) -> str:
    """Text as a value: separators escaped, line breaks spelt out, and no other control character."""
    plain = re.sub(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    plain = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]", "", plain)
    return re.sub(r"([\\;,])", r"\\\1", plain).replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 octets, never through a character; each but the first begins with a blank.

    >>> [len(piece.encode()) for piece in _folded("SUMMARY:" + "é" * 70)]
    [74, 75]
    """
    piece, size = "", 0
    for char in line:
        width = len(char.encode())
        if size + width > 75:
            yield piece
            piece, size = " ", 1
        piece += char
        size += width
    yield piece
