"""The transactions about letters: taking one to send it, and writing down what became of it.

A letter is begun only while its row is booked, and under a lease. Between sending and writing that down lies the one
window nobody can close over SMTP: a letter begun and not settled is sent again, the same bytes under the same id, or,
where the host prefers that, given up.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import final

from attrs import evolve, frozen

from enrolpolicy.guarantees import Invitations
from enrolpolicy.night import Night
from enrolpolicy.plans import Invite
from enrolpolicy.ports import Done, Refused, Unknown, Work
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.rows import Letter, LetterStatus, Row, RowStatus
from enrolpolicy.runner.job import Job
from enrolpolicy.runner.sheet import Sheet
from enrolpolicy.runner.transactions import deciding, dropped, outcome, writing
from enrolpolicy.staleness import Changed, changed_facts

FIRST_PAUSE = timedelta(minutes=1)
"""How long a letter waits after its first try; twice as long after each further one."""


NOT_BEGUN = Refused("not-sent", final=False)
"""What is said of a letter that was taken, and not sent because the mailer takes none any more."""


def take_letters(job: Job, letters: Sequence[Letter]) -> Work[tuple[Letter | Outcome | None, ...]]:
    """Take letters to send them now; None: another run has it, or it is not due any more."""
    return writing(job, lambda sheet: tuple([_taken(sheet, letter) for letter in letters]))


def _taken(sheet: Sheet, seen: Letter) -> Letter | Outcome | None:
    letter, row = sheet.my_letter(seen), sheet.rows.get(seen.key)
    if letter is None or row is None:
        return None
    if row.status is not RowStatus.BOOKED:
        sheet.write_letter(evolve(letter, status=LetterStatus.DROPPED, detail=row.status.value))
        return _outcome(row, Fate.DROPPED, row.status.value)
    begun = letter.tries > 0 and letter.lease_until is not None
    if begun and sheet.job.guarantee.invitations is Invitations.AT_MOST_ONCE:
        return _given_up(sheet, letter, row, "in-doubt")
    if letter.tries >= sheet.job.tries:
        return _given_up(sheet, letter, row, "tried-too-often")
    return sheet.take(letter)


def _given_up(sheet: Sheet, letter: Letter, row: Row, detail: str) -> Outcome:
    sheet.write_letter(evolve(letter, status=LetterStatus.DEAD, lease_until=None, detail=detail))
    return _outcome(row, Fate.FAILED, detail)


@final
@frozen(kw_only=True)
class MailAnswer:
    """What the mailer said to a letter that this run holds."""

    letter: Letter
    said: Done[None] | Refused | Unknown

    @property
    def key(self) -> str:
        """Its row's."""
        return self.letter.key

    @property
    def person(self) -> str:
        """The letter's."""
        return self.letter.person


def settle_letters(job: Job, answers: Sequence[MailAnswer]) -> Work[tuple[Outcome, ...]]:
    """Write down what the mailer said."""
    return writing(job, lambda sheet: tuple([_settled(sheet, one.letter, one.said) for one in answers]))


def _settled(sheet: Sheet, taken: Letter, said: Done[None] | Refused | Unknown) -> Outcome:
    letter, row = sheet.my_letter(taken), sheet.rows.get(taken.key)
    if letter is None or row is None:
        course = row.course if row is not None else ""
        detail = "taken-over"
        return Outcome(act="mail", key=taken.key, person=taken.person, course=course, fate=Fate.ALREADY, detail=detail)
    if isinstance(said, Done):
        sheet.write_letter(evolve(letter, status=LetterStatus.SENT, lease_until=None, detail=None))
        sheet.note(row, invited_at=sheet.desk.now)
        return _outcome(row, Fate.DONE)
    if isinstance(said, Refused) and said.final and not said.everything:
        return _given_up(sheet, letter, row, said.reason)
    if isinstance(said, Unknown) and sheet.job.guarantee.invitations is Invitations.AT_MOST_ONCE:
        return _given_up(sheet, letter, row, "in-doubt")
    if isinstance(said, Refused) and (said.everything or said.reason == NOT_BEGUN.reason):
        # Nothing was tried on this letter: the mailer takes none at all now.
        sheet.write_letter(evolve(letter, tries=letter.tries - 1, lease_until=None, detail=said.reason))
        return _outcome(row, Fate.FAILED, said.reason)
    if letter.tries >= sheet.job.tries:
        return _given_up(sheet, letter, row, "tried-too-often")
    due_at = sheet.desk.now + FIRST_PAUSE * 2 ** min(letter.tries - 1, 16)
    detail = said.reason if isinstance(said, Refused) else "in-doubt"
    sheet.write_letter(evolve(letter, lease_until=None, due_at=due_at, detail=detail))
    return _outcome(row, Fate.IN_DOUBT if isinstance(said, Unknown) else Fate.FAILED, detail)


def _outcome(row: Row, fate: Fate, detail: str = "") -> Outcome:
    return Outcome(act="mail", key=row.key, person=row.person, course=row.course, fate=fate, detail=detail)


# Invitations of bookings that are there already


def post(job: Job, actions: Sequence[Invite]) -> Work[tuple[Letter | Outcome, ...]]:
    """Write invitations that never went out, each decided again on the facts of now."""
    return deciding(
        job,
        {action.course for action in actions},
        lambda sheet, tonight: tuple([_posted(sheet, tonight, action) for action in actions]),
    )


def _posted(sheet: Sheet, tonight: Night, action: Invite) -> Letter | Outcome:
    changed = tuple(changed_facts(tonight, sheet.booking(action.enrolment), action))
    row = sheet.rows.get(action.enrolment)
    if row is not None and row.status is RowStatus.CANCELLING:
        changed = (*changed, Changed(id="booked", sentence="the enrolment is being cancelled"))
    if row is None or changed:
        return dropped("invite", action, changed)
    written = sheet.letter_to(tonight, row)
    if written is not None and written.status is LetterStatus.DROPPED:
        # Dropped while the booking was being cancelled, or gone from the register; it is there again.
        return sheet.take(evolve(written, status=LetterStatus.PENDING, detail=None))
    if written is not None:
        # One without a detail was sent, or is being sent by another run.
        fate = Fate.ALREADY if written.detail is None else Fate.FAILED
        return outcome("invite", row, fate, written.detail or written.status.value)
    letter = sheet.invite(tonight, row)
    return letter or outcome("invite", row, Fate.FAILED, "unwritten")
