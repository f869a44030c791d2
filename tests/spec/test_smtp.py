"""Mail over SMTP: what became of a message, told by the reply's code and the step it came at."""

import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.adapters.smtp import Security, Server, SmtpMailer, Step, classified
from enrolpolicy.errors import InvalidValue
from enrolpolicy.ports import Done, Message, Refused, Unknown
from smtp_server import DROP, STALL, Scripted, scripted

QUICK, PATIENT = 0.4, 10.0
HEAD = b"From: <hr@acme.example>\r\nTo: <ana@acme.example>\r\nSubject: s\r\n\r\n"
CONTENT = HEAD + b".a line with a dot\r\n..two\r\n.\r\nend\r\n"
MESSAGE = Message(message_id="ab" * 16, recipient="ana@acme.example", content=CONTENT)

SENT, LATER, NEVER, STOP, DOUBT = (
    Done(None), {"final": False}, {"final": True}, {"final": False, "everything": True}, Unknown
)  # fmt: skip


def server(port: int, **settings: Any) -> Server:
    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "bounces": "bounces@acme.example",
        "security": Security.NONE,
        "timeout": PATIENT,
        "acceptance_timeout": PATIENT,
    }
    return Server(**usual | settings)


LOGIN = {"user": "ana", "password": "canary-password"}

# Where it goes wrong, what the server does there, what that means, and whether the server has the message.
TABLE: list[tuple[str, str, Any, bool]] = [
    ("greeting", "421 busy", STOP, False),
    ("greeting", "554 no service", STOP, False),
    ("greeting", DROP, STOP, False),
    ("greeting", STALL, STOP, False),
    ("greeting", "nonsense", STOP, False),
    ("ehlo", DROP, STOP, False),
    ("ehlo", STALL, STOP, False),
    ("auth", "535 5.7.8 wrong password", STOP, False),
    ("auth", "454 4.7.0 try later", STOP, False),
    ("auth", DROP, STOP, False),
    ("mail", "451 later", LATER, False),
    ("mail", "421 closing", LATER, False),
    ("mail", "550 not your address", STOP, False),
    ("mail", "530 5.7.0 log in first", STOP, False),
    ("mail", DROP, LATER, False),
    ("mail", STALL, LATER, False),
    ("rcpt", "451 4.7.1 greylisted", LATER, False),
    ("rcpt", "452 too many", LATER, False),
    ("rcpt", "421 closing", LATER, False),
    ("rcpt", "550 5.1.1 no such user", NEVER, False),
    ("rcpt", "550 no such user", NEVER, False),
    ("rcpt", "554 5.7.1 relay access denied", LATER, False),
    ("rcpt", "530 5.7.0 log in first", STOP, False),
    ("rcpt", DROP, LATER, False),
    ("rcpt", STALL, LATER, False),
    ("rcpt", "nonsense", LATER, False),
    ("data", "554 no", NEVER, False),
    ("data", "451 later", LATER, False),
    ("data", "250 what", LATER, False),
    ("data", DROP, LATER, False),
    ("data", STALL, LATER, False),
    ("body", "451 later", LATER, False),
    ("body", "421 closing", LATER, False),
    ("body", "552 too large", NEVER, False),
    ("body", "554 5.7.1 looks like spam", LATER, False),
    ("body", DROP, DOUBT, True),
    ("body", STALL, DOUBT, True),
    ("body", "nonsense", DOUBT, True),
    ("body", "354 go on", DOUBT, True),
    ("body", "250 " + "x" * 10_000, DOUBT, True),
    ("quit", "421 closing", SENT, True),
    ("quit", DROP, SENT, True),
    ("quit", STALL, SENT, True),
    ("helo", DROP, SENT, True),
]


class TestWhatBecameOfIt:
    """A reply's code and the step it comes at decide: sent, refused for now, for good, or for everybody, or in doubt.

    Nothing that was refused is at the server; nothing is called sent, or in doubt, for which no whole message was given
    to it.
    """

    @pytest.mark.parametrize(("step", "told", "meaning", "stored"), TABLE, ids=[f"{a}-{b[:30]}" for a, b, *_ in TABLE])
    def test_every_row(self, step: str, told: str, meaning: Any, stored: bool) -> None:
        patience = QUICK if told == STALL else PATIENT
        login = LOGIN if step == "auth" else {}
        with scripted(Scripted({step: told})) as there:
            settings = server(there.port, timeout=patience, acceptance_timeout=patience, **login)
            with SmtpMailer(settings) as mailer:
                answer = mailer.send(MESSAGE)
            assert bool(there.stored) == stored
        if meaning is DOUBT:
            assert isinstance(answer, Unknown)
        elif meaning is SENT:
            assert answer == SENT
        else:
            assert isinstance(answer, Refused)
            wanted = {"final": False, "everything": False} | meaning
            assert {"final": answer.final, "everything": answer.everything} == wanted
            assert answer.reason.startswith("hello" if step == "ehlo" else "connect" if step == "greeting" else step)

    @given(step=st.sampled_from(Step), code=st.integers(400, 599), text=st.sampled_from([b"", b"5.1.1 x", b"4.7.1 x"]))
    def test_a_refusal_is_never_final_by_a_code_for_later(self, step: Step, code: int, text: bytes) -> None:
        answer = classified(step, code, text)
        assert not (answer.final and code < 500)
        assert not (answer.final and answer.everything)
        assert answer.reason == f"{step.value}-{code}"

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        assert SmtpMailer(server(port)).send(MESSAGE) == Refused("connect-lost", final=False, everything=True)

    def test_a_name_nobody_has(self) -> None:
        answer = SmtpMailer(server(25, host="no-such-host.invalid")).send(MESSAGE)
        assert answer == Refused("connect-lost", final=False, everything=True)

    def test_no_login_offered(self) -> None:
        with scripted(Scripted(extensions=())) as there, SmtpMailer(server(there.port, **LOGIN)) as mailer:
            assert mailer.send(MESSAGE) == Refused("auth-not-possible", final=False, everything=True)

    def test_neither_greeting_is_known(self) -> None:
        script = {"ehlo": "500 what", "helo": "500 what"}
        with scripted(Scripted(script)) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == Refused("hello-500", final=False, everything=True)


class TestOneConnection:
    """One connection carries many messages; a refusal of one does not end it, and a lost one is made again."""

    def test_many_messages(self) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port)) as mailer:
            assert [mailer.send(MESSAGE) for _ in range(3)] == [SENT] * 3
            assert there.connections == 1
        assert there.commands[-1] == "quit"

    def test_a_refusal_in_between(self) -> None:
        with scripted(Scripted({"rcpt": "550 no"})) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == Refused("rcpt-550")
            there.script.clear()
            assert mailer.send(MESSAGE) == SENT
            assert there.connections == 1
            assert "RSET" in [command.upper() for command in there.commands]

    def test_a_refusal_the_server_cannot_get_over(self) -> None:
        script = {"rcpt": "550 no", "rset": "502 not here"}
        with scripted(Scripted(script)) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == Refused("rcpt-550")
            there.script.clear()
            assert mailer.send(MESSAGE) == SENT
            assert there.connections == 2

    @pytest.mark.parametrize("told", [DROP, "421 too many messages on this connection"])
    @pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
    def test_the_server_has_gone_meanwhile(self, step: str, told: str) -> None:
        with scripted(Scripted({step: told}, after=1)) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == SENT
            answer = mailer.send(MESSAGE)
            assert isinstance(answer, Refused)
            assert not answer.final
            assert there.connections == 2  # tried once more, and only once
            there.script.clear()
            assert mailer.send(MESSAGE) == SENT
            assert len(there.stored) == 2

    def test_what_is_in_doubt_is_not_sent_again_here(self) -> None:
        with scripted(Scripted({"body": DROP}, after=1)) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == SENT
            assert isinstance(mailer.send(MESSAGE), Unknown)
            assert len(there.stored) == 2
            there.script.clear()
            assert mailer.send(MESSAGE) == SENT

    def test_from_many_threads(self) -> None:
        answers = []
        with scripted(Scripted()) as there, SmtpMailer(server(there.port)) as mailer:
            threads = [threading.Thread(target=lambda: answers.append(mailer.send(MESSAGE))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert there.connections == 1
        assert answers == [SENT] * 8

    def test_stopped_in_the_middle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == SENT

            def interrupted(*_: object) -> None:
                raise KeyboardInterrupt

            with monkeypatch.context() as patched:
                patched.setattr(mailer, "_body", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    mailer.send(MESSAGE)
            assert mailer.send(MESSAGE) == SENT
            assert there.connections == 2

    def test_closing_twice_and_before_anything(self) -> None:
        mailer = SmtpMailer(server(25))
        mailer.close()
        mailer.close()


class TestTheBytes:
    """The server is given the bytes of the message, whatever its lines begin with, for the one recipient it names."""

    def test_dots(self) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(MESSAGE) == SENT
        assert there.stored == [CONTENT]
        assert [command for command in there.commands if command.lower().startswith(("mail", "rcpt"))] == [
            "mail FROM:<bounces@acme.example>", "rcpt TO:<ana@acme.example>",
        ]  # fmt: skip

    @given(
        lines=st.lists(
            st.binary(max_size=6).map(lambda line: line.replace(b"\r", b".").replace(b"\n", b".")),
            min_size=1,
            max_size=6,
        )
    )
    def test_any_lines(self, real: "Inbox", lines: list[bytes]) -> None:
        content = b"".join(line + b"\r\n" for line in lines)
        real.kept.clear()
        assert real.mailer.send(Message(message_id="x", recipient="ana@acme.example", content=content)) == SENT
        assert real.kept == [content]

    @pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"\n.\n", b"\r\n.\r", b"a\r\r\n"])
    def test_bare_line_ends_could_smuggle_another_message_in(self, content: bytes) -> None:
        message = Message(message_id="x", recipient="ana@acme.example", content=content)
        assert SmtpMailer(server(1)).send(message) == Refused("bad-content")

    @pytest.mark.parametrize(
        "recipient",
        ["a@b.com, victim@c.com", "a@b.com>,<v@c.com", "group: a,b;", "a@", "a b@x.example",
         "ana@acme.example\r\nRCPT TO:<v@c.com>",
         "ana@acme.example>\nDATA", "-f@acme.example", ""],
    )  # fmt: skip
    def test_more_or_less_than_one_recipient(self, recipient: str) -> None:
        message = Message(message_id="x", recipient=recipient, content=CONTENT)
        assert SmtpMailer(server(1)).send(message) == Refused("bad-address")


class TestBeyondAscii:
    """An address or a message beyond ASCII is sent where the server can take it, and refused for good where not."""

    BEYOND = Message(
        message_id="x", recipient="jörg@müller.example", content="To: <jörg@x.example>\r\n\r\nx\r\n".encode()
    )

    def test_it_can(self) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(self.BEYOND) == SENT
        assert "mail FROM:<bounces@acme.example> SMTPUTF8 BODY=8BITMIME" in there.commands
        assert "rcpt TO:<jörg@xn--mller-kva.example>" in there.commands

    @pytest.mark.parametrize(("extensions", "reason"), [((), "rcpt-not-ascii"), (("SMTPUTF8",), "body-not-ascii")])
    def test_it_cannot(self, extensions: tuple[str, ...], reason: str) -> None:
        with scripted(Scripted(extensions=extensions)) as there, SmtpMailer(server(there.port)) as mailer:
            assert mailer.send(self.BEYOND) == Refused(reason)
            assert mailer.send(MESSAGE) == SENT
            assert there.connections == 1


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody else trusts."""
    if which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("tls") / "pair.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file, "-out", f"{file}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


class TestPrivacy:
    """What is asked to be encrypted is, with a certificate that is trusted, or nothing is sent; a password never goes
    in the clear to another machine."""

    @pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
    def test_encrypted(self, certificate: Path, security: Security) -> None:
        with scripted(self.secure(certificate, security)) as there:
            trusting = ssl.create_default_context(cafile=str(certificate))
            settings = server(there.port, security=security, context=trusting, **LOGIN)
            with SmtpMailer(settings) as mailer:
                assert [mailer.send(MESSAGE), mailer.send(MESSAGE)] == [SENT, SENT]
            assert there.connections == 1

    @pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT])
    def test_a_certificate_nobody_trusts(self, certificate: Path, security: Security) -> None:
        with scripted(self.secure(certificate, security)) as there:
            with SmtpMailer(server(there.port, security=security)) as mailer:
                answer = mailer.send(MESSAGE)
            assert isinstance(answer, Refused)
            assert (answer.final, answer.everything) == (False, True)
            assert not there.stored
            assert not any("FROM" in command for command in there.commands)

    @staticmethod
    def secure(certificate: Path, security: Security) -> Scripted:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        return Scripted(tls=context, at_once=security is Security.IMPLICIT)

    def test_not_offered(self) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port, security=Security.STARTTLS)) as mailer:
            assert mailer.send(MESSAGE) == Refused("tls-not-possible", final=False, everything=True)
            assert not there.stored

    def test_implicit_where_it_is_plain(self) -> None:
        with scripted(Scripted()) as there, SmtpMailer(server(there.port, security=Security.IMPLICIT)) as mailer:
            assert mailer.send(MESSAGE) == Refused("connect-not-possible", final=False, everything=True)

    def test_a_password_in_the_clear(self) -> None:
        with pytest.raises(InvalidValue, match="password in the clear"):
            server(25, host="mail.example", **LOGIN)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("host", "a b"), ("host", ""), ("bounces", "x"), ("bounces", "jörg@x.example"),
        ("bounces", "a@b.example\r\nDATA"),
         ("port", 0), ("port", 65536), ("timeout", 0.0), ("acceptance_timeout", -1.0), ("timeout", float("nan")),
         ("user", "ana")],
    )  # fmt: skip
    def test_settings_that_cannot_work(self, field: str, value: Any) -> None:
        with pytest.raises(InvalidValue):
            server(**{"port": 25, field: value})


class TestNothingIsToldOn:
    """No address, no word of a message, no password and nothing a server says is in an answer, a `repr` or a log."""

    CANARIES = ("canary", "ana@acme", "bounces@", "a line with a dot")

    @pytest.mark.parametrize(("step", "told"), [(step, told) for step, told, *_ in TABLE if told not in (STALL, DROP)])
    def test_canaries(self, step: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        talkative = f"{told[:3]} <ana@acme.example> canary canary-password"
        with scripted(Scripted({step: talkative})) as there:
            settings = server(there.port, **LOGIN)
            with SmtpMailer(settings) as mailer:
                answer = mailer.send(MESSAGE)
                seen = f"{answer!r} {mailer!r} {mailer}" + "".join(
                    f"{record.getMessage()} {record.exc_info}" for record in caplog.records
                )
        assert any(record.name == "enrolpolicy.adapters.smtp" for record in caplog.records)
        for canary in self.CANARIES:
            assert canary not in seen
        assert "canary" not in repr(settings)


# A server that others have written


class Inbox:
    """What aiosmtpd was given, and a mailer to give it more."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.recipients: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
        self.mailer = SmtpMailer(server(port))

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        refusals = {"gone@acme.example": "550 5.1.1 no such user", "grey@acme.example": "451 4.7.1 try later"}
        if address in refusals:
            return refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append(envelope.content)
        self.recipients.append(*envelope.rcpt_tos)
        if b"drop me" in envelope.content:
            server.transport.abort()
        return "250 2.0.0 queued"


@pytest.fixture(scope="module")
def real() -> Iterator[Inbox]:
    inbox = Inbox()
    inbox.controller.start()
    yield inbox
    inbox.mailer.close()
    inbox.controller.stop()
