"""A mailer over SMTP, with the standard library's client: one connection, one recipient for each message.

What became of a message is told by the reply's code and by the step it came at, and never by the kind of exception: a
connection lost before the message was begun means that nothing was sent, one lost after it that nobody knows. SMTP
recognises no message it has seen before, so nothing here is de-duplicated (RFC 1047).
"""

import logging
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import Enum
from types import TracebackType
from typing import Self, TypeVar, final

from attrs import field, frozen

from enrolpolicy.addresses import Mailbox, mailbox
from enrolpolicy.constraints import shown
from enrolpolicy.errors import InvalidValue
from enrolpolicy.ports import Done, MailerCapabilities, Message, Refused, Unknown

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())

Answer = Done[None] | Refused | Unknown


@final
class Security(Enum):
    """How the connection is kept private. It never falls back to less."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"
    """In the clear; a password is then sent to this machine only."""


@final
@frozen(kw_only=True)
class Server:
    """Which server, and how it is talked to.

    `bounces` is the address that failures to deliver are sent to (MAIL FROM). `timeout` is how long each reply is
    waited for, `acceptance_timeout` how long the one that follows a message, both in seconds; a server may scan a
    message before it answers, and giving up meanwhile leaves it in doubt. `context` says which certificates are
    trusted, by default the system's; `name` is what we call ourselves.

    Raises `InvalidValue` for settings that cannot work.
    """

    host: str
    bounces: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    timeout: float = 15.0
    acceptance_timeout: float = 120.0
    context: ssl.SSLContext | None = field(default=None, repr=False, eq=False)
    name: str | None = None

    def __attrs_post_init__(self) -> None:
        bounces = self.bounces.isascii() and mailbox(self.bounces) is not None
        clear = self.security is not Security.NONE or self.user is None or self.host in _HERE
        _refuse_unless(_HOST.fullmatch(self.host) is not None, "host", f"must be a host, not {shown(self.host)}")
        _refuse_unless(bounces, "bounces", "must be one mail address such as `bounces@acme.example`")
        _refuse_unless(0 < self.port < 65536, "port", f"must be from 1 to 65535, not {shown(self.port)}")
        _refuse_unless((self.user is None) == (self.password is None), "password", "goes with `user`; give both")
        _refuse_unless(clear, "security", "would send the password in the clear; use `starttls` or `implicit`")
        for which in ("timeout", "acceptance_timeout"):
            _refuse_unless(0 < getattr(self, which) <= 3600, which, "must be a number of seconds up to an hour")


_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}|::1")


def _refuse_unless(holds: bool, name: str, problem: str) -> None:
    if not holds:
        raise InvalidValue(f"Server.{name}", problem)


# What a failure means


@final
class Step(Enum):
    """How far a message got."""

    CONNECT = "connect"
    HELLO = "hello"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"


_BEFORE = frozenset({Step.CONNECT, Step.HELLO, Step.TLS, Step.AUTH})
"""Steps before any message: whatever goes wrong there meets every other message as well."""
_UNAUTHENTICATED = frozenset({530, 534, 535, 538})
_POLICY = re.compile(rb"[45]\.7\.[0-9]{1,3}\b")


def classified(step: Step, code: int, text: bytes = b"") -> Refused:
    """What a refusing reply means (RFC 5321, RFC 3463, RFC 4954).

    Before any message: nothing will be taken, now at least. 4yz: not now. 5yz about the recipient or the message: for
    good. 5yz about our own address, or asking for a login: the settings are wrong, and nothing else will be taken
    either. 5yz for reasons of policy (5.7.x) may mean either, the recipient or us: not now, so that a server that stops
    relaying for a night does not turn every letter down for good.
    """
    reason = f"{step.value}-{code}"
    lasting = code // 100 == 5
    if step in _BEFORE or (lasting and (step is Step.MAIL or code in _UNAUTHENTICATED)):
        return Refused(reason, final=False, everything=True)
    if not lasting:
        return Refused(reason, final=False)
    return Refused(reason, final=not _POLICY.match(text))


@final
class _Stopped(Exception):
    """A step that went wrong, with what it means; `over`: and the connection is of no use any more."""

    def __init__(self, answer: Refused | Unknown, over: bool = True) -> None:
        super().__init__()
        self.answer = answer
        self.over = over


# The mailer


@final
class SmtpMailer:
    """Sends messages over one connection, made when it is first needed and again when it was lost.

    Use it in a `with` block, or call `close` at the end. It may be shared by threads, and is not carried over a fork.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: smtplib.SMTP | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SmtpMailer({self._server.host!r}, {self._server.port})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def capabilities(self) -> MailerCapabilities:
        """What this mailer can do."""
        server = self._server
        longest = timedelta(seconds=_REPLIES * server.timeout + server.acceptance_timeout)
        return MailerCapabilities(deduplicates_for=None, longest_call=longest)

    def send(self, message: Message) -> Done[None] | Refused | Unknown:
        """Send one message to its one recipient."""
        recipient = mailbox(message.recipient)
        if recipient is None:
            return Refused("bad-address")
        if _BARE_LINE_END.search(message.content):
            return Refused("bad-content")
        with self._lock:
            answer = self._sent(message, recipient)
        _LOG.log(logging.DEBUG if isinstance(answer, Done) else logging.INFO, "smtp: %s", _logged(answer))
        return answer

    def close(self) -> None:
        """Say goodbye; a server's last words change nothing about what it has accepted."""
        with self._lock:
            self._hang_up(politely=True)

    def _sent(self, message: Message, recipient: Mailbox) -> Answer:
        """Over the open connection; over a new one where that had gone, and the message was refused or not begun."""
        reused = self._connection is not None
        try:
            return self._stepped(message, recipient)
        except _Stopped as stopped:
            if not self._settled(stopped) and reused and isinstance(stopped.answer, Refused):
                return self._sent(message, recipient)
            return stopped.answer
        except BaseException:  # stopped in the middle: the next message must not run into the rest of this one
            self._hang_up(politely=False)
            raise

    def _settled(self, stopped: _Stopped) -> bool:
        """Whether the connection can take the next message; it is given up otherwise."""
        if not stopped.over and self._connection is not None:
            with suppress(OSError):
                if self._connection.rset()[0] == 250:
                    return True
        self._hang_up(politely=False)
        return False

    def _stepped(self, message: Message, recipient: Mailbox) -> Done[None]:
        connection = self._connection or self._connected()
        options = _options(connection, message, recipient)
        _reply(Step.MAIL, lambda: connection.mail(self._server.bounces, options), _OK)
        _reply(Step.RCPT, lambda: connection.rcpt(str(recipient)), _OK)
        _reply(Step.DATA, lambda: connection.docmd("DATA"), _GO_AHEAD)
        _reply(Step.BODY, lambda: self._body(connection, message.content), _OK)
        return Done(None)

    def _body(self, connection: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
        assert connection.sock is not None
        connection.sock.settimeout(self._server.acceptance_timeout)
        end = b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n"
        connection.send(_LEADING_DOT.sub(b"..", content) + end)
        reply = connection.getreply()
        connection.sock.settimeout(self._server.timeout)
        return reply

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        connection = self._connection = _step(Step.CONNECT, lambda: _opened(server))
        _step(Step.HELLO, connection.ehlo_or_helo_if_needed)
        if server.security is Security.STARTTLS:
            _step(Step.TLS, lambda: connection.starttls(context=_context(server)))
            _step(Step.HELLO, connection.ehlo_or_helo_if_needed)
        if server.user is not None and server.password is not None:
            user, password = server.user, server.password
            _step(Step.AUTH, lambda: connection.login(user, password))
        return connection

    def _hang_up(self, *, politely: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(OSError):
            if politely and connection.sock is not None:
                connection.sock.settimeout(min(self._server.timeout, _GOODBYE))
                connection.quit()
        connection.close()


_BARE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n)")  # what one server takes for the end of a message, another does not
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_OK, _GO_AHEAD = range(200, 300), range(354, 355)
_GOODBYE = 5.0
_REPLIES = 16  # as many as are waited for where an old connection has gone and a new one is made
_T = TypeVar("_T")


def _context(server: Server) -> ssl.SSLContext:
    return server.context or ssl.create_default_context()


def _opened(server: Server) -> smtplib.SMTP:
    name = server.name or socket.gethostname()
    name = name if "." in name else "[127.0.0.1]"  # as the standard library does, without asking a name server
    if server.security is Security.IMPLICIT:
        return smtplib.SMTP_SSL(server.host, server.port, name, timeout=server.timeout, context=_context(server))
    return smtplib.SMTP(server.host, server.port, name, timeout=server.timeout)


def _options(connection: smtplib.SMTP, message: Message, recipient: Mailbox) -> list[str]:
    """What has to be asked for beyond plain SMTP; a server that cannot do it will never take this message."""
    options: list[str] = []
    if not recipient.local.isascii():
        if not connection.has_extn("smtputf8"):
            raise _Stopped(Refused("rcpt-not-ascii"), over=False)
        options.append("SMTPUTF8")
    if not message.content.isascii():
        if not connection.has_extn("8bitmime"):
            raise _Stopped(Refused("body-not-ascii"), over=False)
        options.append("BODY=8BITMIME")
    return options


def _step(step: Step, call: Callable[[], _T]) -> _T:
    """A step before any message, of those that raise."""
    wrong = Refused(f"{step.value}-not-possible", final=False, everything=True)
    try:
        return call()
    except smtplib.SMTPResponseException as error:
        answer = classified(step, error.smtp_code)
    except smtplib.SMTPServerDisconnected:
        answer = _lost(step)
    except (smtplib.SMTPException, ssl.SSLCertVerificationError, ValueError):
        answer = wrong  # not offered, not trusted, or a password that cannot be sent
    except ssl.SSLError as error:
        answer = _lost(step) if isinstance(error, _BROKEN_OFF) else wrong
    except OSError:
        answer = _lost(step)
    raise _Stopped(answer)


_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def _reply(step: Step, call: Callable[[], tuple[int, bytes]], wanted: range) -> None:
    """A step of one message, of those that answer with a code; without a code nobody knows what became of a body."""
    try:
        code, text = call()
    except OSError:  # every exception of the client's is one
        code, text = 0, b""
    if code in wanted:
        return
    if code // 100 in (4, 5):
        raise _Stopped(classified(step, code, text), over=code == 421)
    lost = _lost(step)
    raise _Stopped(Unknown(f"{lost.reason}: no reply to the message") if step is Step.BODY else lost)


def _lost(step: Step) -> Refused:
    return Refused(f"{step.value}-lost", final=False, everything=step in _BEFORE)


def _logged(answer: Answer) -> str:
    match answer:
        case Done():
            return "sent"
        case Refused(reason):
            return f"refused, {reason}"
        case Unknown(detail):
            return f"in doubt, {detail}"
