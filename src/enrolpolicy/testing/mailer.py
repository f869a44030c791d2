"""The exam of a mailer: clauses M1 to M4, and how it answers (M0)."""

from datetime import timedelta

from enrolpolicy.ports import Done, MailerCapabilities, Message, Refused, Unknown
from enrolpolicy.testing.contract import Contract, Need, law
from enrolpolicy.testing.examining import (
    answered,
    at_once,
    done,
    overheard,
    refused,
    silent_about,
    timed,
    unknown,
)
from enrolpolicy.testing.harness import MailerHarness, Received, Reply

MOMENT = timedelta(milliseconds=1)
RECOGNISES = Need[MailerHarness](
    "ids recognised for a time", lambda it: it.mailer.capabilities.deduplicates_for is not None
)

_TEXT = "From: training@acme.example\r\nTo: {}\r\nSubject: {}\r\n\r\nDear colleague\r\n"


def _message(harness: MailerHarness, number: int = 1, recipient: str | None = None, subject: str = "Fire") -> Message:
    to = harness.recipient if recipient is None else recipient
    content = _TEXT.format(harness.recipient, subject).encode()
    return Message(message_id=f"{number:032x}", recipient=to, content=content)


def _arrived(message: Message) -> Received:
    return Received(recipient=message.recipient, content=message.content)


class MailerContract(Contract):
    """What every mailer must do. Subclass it, and give it a fixture `harness`: a `MailerHarness`, new each time."""

    subject = "mailer"

    # M0: how it answers

    @law("M0")
    def test_m0_whatever_is_said_it_answers(self, harness: MailerHarness) -> None:
        """Whatever the other side says, or leaves unsaid, sending ends in Done, Refused or Unknown."""
        for number, reply in enumerate(Reply):
            harness.answer(reply)
            assert not isinstance(answered(lambda: harness.mailer.send(_message(harness, number))), Done)

    @law("M0b")
    def test_m0b_nothing_private_is_shown(self, harness: MailerHarness) -> None:
        """No secret, no address and no content stands in its answers to trouble, in its repr, or in what it logs."""
        subject = "private-subject-4711"
        shown: list[object] = [harness.mailer]
        with overheard() as logged:
            for number, reply in enumerate((Reply.REFUSE, Reply.REFUSE_FOR_NOW, Reply.DROP_AFTER, Reply.NONSENSE)):
                harness.answer(reply)
                shown.append(answered(lambda: harness.mailer.send(_message(harness, number, subject=subject))))
            done(harness.mailer.send(_message(harness, 9, subject=subject)))
        silent_about([*shown, *logged], (*harness.secrets, harness.recipient, subject))

    @law("M0c")
    def test_m0c_two_at_the_same_moment(self, harness: MailerHarness) -> None:
        """Two who send at the same moment both get through, each with their own message."""
        other = harness.another()
        first, second = _message(harness, 1), _message(harness, 2, harness.another_recipient)
        for said in at_once([lambda: harness.mailer.send(first), lambda: other.send(second)]):
            done(said)
        assert sorted(harness.received(), key=str) == sorted([_arrived(first), _arrived(second)], key=str)

    # M1: accepted, refused, unknown

    @law("M1")
    def test_m1_accepted(self, harness: MailerHarness) -> None:
        """A message that was accepted is Done, and arrives once."""
        message = _message(harness)
        assert done(harness.mailer.send(message)) is None
        assert harness.received() == (_arrived(message),)

    @law("M1b")
    def test_m1b_refused_for_good(self, harness: MailerHarness) -> None:
        """A message refused for good is Refused, finally, and does not arrive."""
        harness.answer(Reply.REFUSE)
        assert refused(harness.mailer.send(_message(harness))).final
        assert harness.received() == ()

    @law("M1c")
    def test_m1c_refused_for_now(self, harness: MailerHarness) -> None:
        """A message refused for now is Refused, not finally; sent again, it arrives."""
        harness.answer(Reply.REFUSE_FOR_NOW)
        assert not refused(harness.mailer.send(_message(harness))).final
        done(harness.mailer.send(_message(harness)))
        assert len(harness.received()) == 1

    @law("M1d")
    def test_m1d_taken_without_a_word(self, harness: MailerHarness) -> None:
        """When the line is lost after the message was handed over, nobody can tell: Unknown."""
        harness.answer(Reply.DROP_AFTER)
        unknown(harness.mailer.send(_message(harness)))

    @law("M1e")
    def test_m1e_lost_before(self, harness: MailerHarness) -> None:
        """When the line is lost before the message was there, it is not told as sent, nor as refused for good."""
        harness.answer(Reply.DROP_BEFORE)
        said = harness.mailer.send(_message(harness))
        assert isinstance(said, Unknown) or (isinstance(said, Refused) and not said.final), said
        assert harness.received() == ()

    @law("M1f")
    def test_m1f_the_longest_call(self, harness: MailerHarness) -> None:
        """When the other side says nothing any more, sending ends within the longest time, and is not told as sent."""
        harness.answer(Reply.STALL)
        said = timed(lambda: harness.mailer.send(_message(harness)), harness.longest_call)
        assert isinstance(said, Unknown) or (isinstance(said, Refused) and not said.final), said

    @law("M1g")
    def test_m1g_bad_addresses(self, harness: MailerHarness) -> None:
        """An address that cannot be one is refused for good, without an exception, and nothing is sent anywhere."""
        for address in (
            "",
            "ana",
            "ana@",
            "@acme.example",
            "ana@acme.example\r\nBcc: eve@evil.example",
            "a b@acme.example",
        ):
            said = answered(lambda: harness.mailer.send(_message(harness, recipient=address)))
            assert refused(said).final, address
        assert harness.received() == ()

    # M2: ids

    @law("M2")
    def test_m2_capabilities_are_data(self, harness: MailerHarness) -> None:
        """Capabilities are the same whenever they are asked for."""
        before = harness.mailer.capabilities
        assert isinstance(before, MailerCapabilities)
        done(harness.mailer.send(_message(harness)))
        assert harness.mailer.capabilities == before

    @law("M2b", RECOGNISES)
    def test_m2b_a_repeated_id(self, harness: MailerHarness) -> None:
        """A repeated id is Done, and arrives once, up to the end of the declared time; another id arrives as well."""
        kept = harness.mailer.capabilities.deduplicates_for
        assert kept is not None
        for _ in range(2):
            done(harness.mailer.send(_message(harness)))
        harness.advance(kept - MOMENT)
        done(harness.mailer.send(_message(harness)))
        assert len(harness.received()) == 1
        done(harness.mailer.send(_message(harness, 2)))
        assert len(harness.received()) == 2

    @law("M2c", RECOGNISES)
    def test_m2c_a_repeated_id_after_silence(self, harness: MailerHarness) -> None:
        """A message that was taken without a word, and is sent again, arrives once."""
        harness.answer(Reply.DROP_AFTER)
        unknown(harness.mailer.send(_message(harness)))
        done(harness.mailer.send(_message(harness)))
        assert len(harness.received()) == 1

    @law("M2d")
    def test_m2d_what_was_lost_can_be_sent_again(self, harness: MailerHarness) -> None:
        """A message that was lost or refused is sent when it is sent again under its id."""
        for number, reply in enumerate((Reply.DROP_BEFORE, Reply.REFUSE_FOR_NOW)):
            harness.answer(reply)
            assert not isinstance(harness.mailer.send(_message(harness, number)), Done)
            done(harness.mailer.send(_message(harness, number)))
            assert len(harness.received()) == number + 1

    # M3: one mailbox

    @law("M3")
    def test_m3_one_mailbox(self, harness: MailerHarness) -> None:
        """A message goes to its recipient alone, whoever else its headers name."""
        headers = f"Cc: {harness.another_recipient}\r\nBcc: {harness.another_recipient}\r\n"
        plain = _message(harness, recipient=harness.recipient)
        message = Message(
            message_id=plain.message_id, recipient=plain.recipient, content=headers.encode() + plain.content
        )
        done(harness.mailer.send(message))
        assert [one.recipient for one in harness.received()] == [harness.recipient]

    @law("M3b")
    def test_m3b_two_are_refused(self, harness: MailerHarness) -> None:
        """Two addresses in one recipient are refused for good, and neither gets anything."""
        for between in (",", ", ", ";", " "):
            both = f"{harness.recipient}{between}{harness.another_recipient}"
            assert refused(answered(lambda: harness.mailer.send(_message(harness, recipient=both)))).final
        assert harness.received() == ()

    # M4: the same bytes

    @law("M4")
    def test_m4_the_bytes_that_were_given(self, harness: MailerHarness) -> None:
        """What arrives is the bytes that were given: lines that begin with a dot, long ones, empty ones at the end."""
        plain = _message(harness)
        content = plain.content + b".\r\n..two\r\n.\r\n" + b"x" * 900 + b"\r\nFrom here\r\n \r\n\r\n"
        done(harness.mailer.send(Message(message_id="a" * 32, recipient=plain.recipient, content=content)))
        assert [one.content for one in harness.received()] == [content]

    @law("M4b")
    def test_m4b_sent_again_it_is_the_same(self, harness: MailerHarness) -> None:
        """Sent again after a refusal for now, it is the same bytes."""
        harness.answer(Reply.REFUSE_FOR_NOW)
        message = _message(harness)
        refused(harness.mailer.send(message))
        done(harness.mailer.send(message))
        assert harness.received() == (_arrived(message),)
