"""The mailers and the stand-in LMS sit the exams: a real SMTP conversation, a real folder, a real file."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from enrolpolicy.adapters.eml import EmlFolder
from enrolpolicy.adapters.smtp import Security, Server, SmtpMailer
from enrolpolicy.adapters.standin import StandinLms
from enrolpolicy.ports import Done, MailerCapabilities, Message, Refused, Unknown
from enrolpolicy.testing import LmsContract, LmsHarness, MailerContract, MailerHarness, Mishap, Received, Reply, Seen
from enrolpolicy.testing.chaos import Chaos, Fault
from smtp_server import DROP, STALL, Scripted, scripted

SCRIPTS: dict[Reply, dict[str, str]] = {
    Reply.REFUSE: {"rcpt": "550 5.1.1 no such user"},
    Reply.REFUSE_FOR_NOW: {"rcpt": "451 4.7.1 greylisted"},
    Reply.DROP_BEFORE: {"data": DROP},
    Reply.DROP_AFTER: {"body": DROP},
    Reply.STALL: {"body": STALL},
    Reply.NONSENSE: {"body": "thank you"},
}


class TestTheMailerOverSmtp(MailerContract):
    """The mailer over SMTP passes the exam of mailers."""

    @pytest.fixture
    def harness(self) -> Iterator[MailerHarness]:
        with scripted(Scripted(once=True)) as there:
            server = Server(
                host="127.0.0.1", port=there.port, bounces="bounces@acme.example", security=Security.NONE, user="u",
                password="secret-4711", timeout=10.0, acceptance_timeout=0.5,
            )  # fmt: skip
            with SmtpMailer(server) as mailer, SmtpMailer(server) as other:

                def answer(reply: Reply) -> None:
                    mailer.close()  # else a connection that has gone is made anew, and the message sent after all
                    there.script = dict(SCRIPTS[reply])

                yield MailerHarness(
                    mailer=mailer,
                    received=lambda: tuple(
                        Received(recipient=to, content=content)
                        for to, content in zip(there.stored_for, there.stored, strict=True)
                    ),
                    longest_call=mailer.capabilities.longest_call,
                    secrets=("secret-4711",),
                    answer=answer,
                    another=lambda: other,
                )


class Noting:
    """A folder that no message gets into without its recipient being noted; a file does not say whom it was for."""

    def __init__(self, folder: EmlFolder) -> None:
        self.folder = folder
        self.recipients: dict[str, str] = {}

    @property
    def capabilities(self) -> MailerCapabilities:
        return self.folder.capabilities

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        self.recipients.setdefault(self.folder.path(message.message_id).name, message.recipient)
        return self.folder.send(message)


class TestTheFolder(MailerContract):
    """The folder of letters passes the exam of mailers, as far as a folder can have trouble."""

    @pytest.fixture
    def harness(self, tmp_path: Path) -> MailerHarness:
        mailer = Noting(EmlFolder(tmp_path))

        def received() -> tuple[Received, ...]:
            files = sorted(tmp_path.iterdir(), key=lambda file: (file.stat().st_mtime_ns, file.name))
            return tuple(Received(recipient=mailer.recipients[file.name], content=file.read_bytes()) for file in files)

        return MailerHarness(mailer=mailer, received=received, advance=lambda _: None, another=lambda: mailer)


FAULTS = {
    Mishap.LOST_REQUEST: Fault.LOST_REQUEST,
    Mishap.LOST_ANSWER: Fault.LOST_ANSWER,
    Mishap.STALL: Fault.LOST_REQUEST,
    Mishap.NONSENSE: Fault.LOST_ANSWER,
}


class TestTheStandinLms(LmsContract):
    """The stand-in LMS passes the exam of LMSs, behind a line that loses requests and answers."""

    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[LmsHarness]:
        file = tmp_path / "lms.db"
        with StandinLms(file) as lms, StandinLms(file) as other, StandinLms(file) as behind:
            now = datetime(2026, 11, 23, tzinfo=UTC)

            def peek() -> tuple[Seen, ...]:
                return tuple(
                    Seen(
                        key=row.key,
                        person=row.person,
                        course=row.course,
                        progress=row.progress,
                    )
                    for row in behind.bookings()
                )

            faults: deque[Fault] = deque()
            line = Chaos(faults.popleft() if faults else None for _ in count())
            yield LmsHarness(
                lms=line.lms(lms),
                befall=lambda mishap: faults.append(FAULTS[mishap]),
                delay=lambda: faults.append(Fault.LATE),
                deliver=line.drop,  # what was given up never arrives: `latest_arrival` is no time at all
                peek=peek,
                given=lambda _, course: behind.offer(course),
                learner_starts=behind.start,
                learner_completes=lambda key: behind.complete(key, now),
                refuse=lambda person, course, reason: behind.bar("acme", person, course, reason),
                allow=lambda person, course: behind.let_in("acme", person, course),
                book_by_hand=lambda person, course: (behind.book_by_hand("acme", person, course), None)[1],
                unknown_course=lambda: "no-such-course",
                advance=lambda _: None,
                charged=lambda: behind.charged("acme"),
                invited=lambda: 0,
                another=lambda: other,
            )


def test_the_longest_call_is_declared() -> None:
    """A run holds letters for as long as its mailer may take for a batch of them."""
    settings = Server(host="mail.example", bounces="b@acme.example", timeout=1.0, acceptance_timeout=5.0)
    assert SmtpMailer(settings).capabilities.longest_call == timedelta(seconds=21)
