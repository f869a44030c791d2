"""What one transaction writes, while it is being decided.

A sheet starts from a `Desk`, the facts read inside the transaction, and collects rows, letters, journal entries and
credits. It is the only thing here that is written on rather than made, and it lives as long as its transaction.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, final

from attrs import evolve

from enrolpolicy.facts import facts_of
from enrolpolicy.guarantees import Invitations
from enrolpolicy.model import Course, Enrolment, Withdrawal
from enrolpolicy.night import OTHER_CYCLE, Night
from enrolpolicy.plans import Enrol
from enrolpolicy.ports import Desk, LetterWrite, LmsCapabilities, Refused, RowWrite, Writes
from enrolpolicy.rows import RESERVING_ROWS, Entry, Letter, LetterStatus, Row, RowStatus, enrolment_of, follow_arrow
from enrolpolicy.runner.entries import entry_of
from enrolpolicy.runner.inviting import invitation_of
from enrolpolicy.runner.job import Job
from enrolpolicy.staleness import Changed
from enrolpolicy.verdict import withdrawn_because

EVERY_CAUSE = frozenset(Withdrawal)


@final
class Sheet:
    """The rows and letters of a transaction as they are to be; see the head of this module."""

    def __init__(self, job: Job, desk: Desk) -> None:
        self.job = job
        self.desk = desk
        self.rows: dict[str, Row] = {row.key: row for row in desk.rows}
        self.letters: dict[str, Letter] = {letter.message_id: letter for letter in desk.letters}
        self._fences: dict[str, int | None] = {row.key: row.fence for row in desk.rows}
        self._letter_fences: dict[str, int | None] = {letter.message_id: letter.fence for letter in desk.letters}
        self._keys: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for row in desk.rows:
            self._keys[_pair(row)].append(row.key)
        self._changed: dict[str, None] = {}
        self._changed_letters: dict[str, None] = {}
        self._entries: list[Entry] = []
        self._spent = 0
        self._reserved = desk.reserved

    def writes(self) -> Writes:
        """All of it, for the store."""
        return Writes(
            rows=tuple([RowWrite(row=self.rows[key], fence=self._fences.get(key)) for key in self._changed]),
            letters=tuple(
                [
                    LetterWrite(letter=self.letters[id], fence=self._letter_fences.get(id))
                    for id in self._changed_letters
                ]
            ),
            entries=tuple(self._entries),
            spent=self._spent,
        )

    # Rows

    def booking(self, key: str) -> Mapping[str, Enrolment]:
        """A row as the policy sees it, by its id; nothing where there is none."""
        row = self.rows.get(key)
        return {} if row is None else {key: enrolment_of(row)}

    def mine(self, row: Row) -> Row | None:
        """The row as it is now, if it is still this run's: the same fence, the same status."""
        now = self.rows.get(row.key)
        return now if now is not None and now.fence == row.fence and now.status is row.status else None

    def open_beside(self, row: Row) -> bool:
        """Whether the person has an open row on the course, beside one that has ended."""
        return any(other.open for other in self._of_pair(row))

    def _of_pair(self, item: Row | Enrol) -> list[Row]:
        return [self.rows[key] for key in self._keys.get(_pair(item), ())]

    def in_the_way(self, action: Enrol) -> Iterator[Changed]:
        """What the policy cannot see: a late request that may yet arrive, credits that are gone."""
        if any(map(self._may_come_back, self._of_pair(action))):
            yield Changed(id="cooling", sentence="a late request may still bring an earlier enrolment back")
        credits = self.desk.snapshot.account.credits
        free = None if credits is None else credits - self._reserved - self._spent
        if free is not None and action.credits > max(free, 0):
            yield Changed(id="credits", sentence=f"{action.credits - free} more credits are needed")

    def _may_come_back(self, row: Row) -> bool:
        """Whether a late request can bring an ended row back, as far as anybody knows."""
        lms = self.job.lms
        if row.ended_at is None or lms.latest_arrival is None or not revives(lms, row.status):
            return False
        return lms.finds or self.desk.now < row.ended_at + lms.latest_arrival

    def claim(self, action: Enrol) -> Row:
        """A new row, for which the LMS is about to be asked."""
        now = self.desk.now
        row = Row(
            key=action.key,
            account=self.job.account,
            person=action.person,
            course=action.course,
            cycle=action.cycle,
            attempt=action.attempt,
            status=RowStatus.PENDING,
            because=action.because,
            credits=action.credits,
            fence=1,
            lease_until=now + self.job.lease,
            sent_at=now,
            asked_at=now,
            enrolled_at=self.job.at,
        )
        self._reserved += row.credits
        self._fences[row.key] = None
        return self._write(row, None, action.because)

    def move(self, row: Row, status: RowStatus, because: str, **changes: Any) -> Row:
        """A row moved on, its lease over."""
        follow_arrow(row, status)
        after = evolve(row, status=status, lease_until=None, **changes)
        self._reserved += _reserving(after) - _reserving(row)
        return self._write(after, row.status, because)

    def own(self, row: Row, status: RowStatus, because: str, **changes: Any) -> Row:
        """A row moved on and taken: a new fence, a new lease."""
        follow_arrow(row, status)
        lease_until = self.desk.now + self.job.lease
        after = evolve(row, status=status, fence=row.fence + 1, lease_until=lease_until, **changes)
        return self._write(after, row.status, because)

    def end(self, row: Row, status: RowStatus, because: str, **changes: Any) -> Row:
        """A row ended, tonight; its letters are dropped."""
        ended = {"ended_on": self.job.on, "ended_at": self.desk.now, "ended_because": because, **changes}
        for letter in self.letters.values():
            if letter.key == row.key and letter.status is LetterStatus.PENDING:
                self.write_letter(evolve(letter, status=LetterStatus.DROPPED, detail=status.value))
        return self.move(row, status, because, **ended)

    def note(self, row: Row, **changes: Any) -> None:
        """Something about a row that is not a move."""
        self.rows[row.key] = evolve(row, **changes)
        self._changed[row.key] = None

    def spend(self, row: Row) -> None:
        """A row's credits, from reserved to spent."""
        if self.desk.snapshot.account.credits is not None:
            self._spent += row.credits

    def _write(self, row: Row, was: RowStatus | None, because: str) -> Row:
        self.rows[row.key] = row
        self._changed[row.key] = None
        course = self._courses.get(row.course)
        self._entries.append(entry_of(self.desk, course, row, was, because, actor=self.job.actor, on=self.job.on))
        return row

    @cached_property
    def _courses(self) -> Mapping[str, Course]:
        return {course.id: course for course in self.desk.snapshot.courses}

    def unwanted_because(self, tonight: Night, row: Row) -> str | None:
        """Why nobody would want a booking any more that was only now confirmed; None: it is wanted.

        Whatever its account withdraws bookings for later: this one nobody has been told of yet.
        """
        if row.person not in tonight.register.people:
            return Withdrawal.PERSON_ARCHIVED.value
        if row.course not in tonight.register.courses:
            return Withdrawal.COURSE_ARCHIVED.value
        reading = tonight.read(row.person, row.course)
        code = reading.code | (OTHER_CYCLE if row.cycle != reading.renewal.cycle else 0)
        return _unwanted(code)

    # Letters

    def invite(self, tonight: Night, row: Row) -> Letter | None:
        """The letter of a booking, written, and taken to be sent at once; None where there is none to send."""
        if self.job.guarantee.invitations is Invitations.BY_LMS:
            return None
        invitation = invitation_of(tonight, row, self.job.at)
        if invitation is None or invitation.message_id in self.letters:
            return None
        content = self.job.compose(invitation)
        letter = Letter(
            message_id=invitation.message_id,
            account=row.account,
            key=row.key,
            person=row.person,
            recipient=invitation.recipient,
            content=b"" if isinstance(content, Refused) else content,
        )
        self._letter_fences[letter.message_id] = None
        if isinstance(content, Refused):
            self.write_letter(evolve(letter, status=LetterStatus.DEAD, detail=content.reason))
            return None
        return self.take(letter)

    def letter_to(self, tonight: Night, row: Row) -> Letter | None:
        """The letter of a booking to the address of now, if it has been written."""
        invitation = invitation_of(tonight, row, self.job.at)
        return self.letters.get(invitation.message_id) if invitation else None

    def take(self, letter: Letter) -> Letter:
        """A letter about to be sent: one try more, a new fence, a new lease."""
        lease_until = self.desk.now + self.job.lease
        return self.write_letter(
            evolve(letter, tries=letter.tries + 1, fence=letter.fence + 1, lease_until=lease_until)
        )

    def write_letter(self, letter: Letter) -> Letter:
        """A letter as it is to be."""
        self.letters[letter.message_id] = letter
        self._changed_letters[letter.message_id] = None
        return letter

    def my_letter(self, letter: Letter) -> Letter | None:
        """The letter as it is now, if it is still this run's."""
        now = self.letters.get(letter.message_id)
        return now if now is not None and now.fence == letter.fence and now.status is letter.status else None


@lru_cache(maxsize=4096)
def _unwanted(code: int) -> str | None:
    return withdrawn_because(facts_of(code), EVERY_CAUSE)


def revives(lms: LmsCapabilities, status: RowStatus) -> bool:
    """Whether a late request can bring back a row that ended so."""
    refused = status is RowStatus.REFUSED and not lms.refusals_final
    return refused or (status is RowStatus.CANCELLED and lms.cancel_frees_key)


def _pair(row: Row | Enrol) -> tuple[str, str]:
    return row.person, row.course


def _reserving(row: Row) -> int:
    return row.credits if row.status in RESERVING_ROWS else 0
