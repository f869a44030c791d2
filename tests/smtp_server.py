"""A mail server that follows a script, for what a real one does only on a bad day; each connection has its own thread.

The script says what is answered at a step: a reply, `DROP` (the connection ends) or `STALL` (nothing comes). At `body`
the whole message has been received, and counts as stored unless it is refused.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

DROP, STALL = "drop", "stall"
USUAL = {
    "greeting": "220 scripted.example ESMTP",
    "helo": "250 scripted.example",
    "starttls": "220 go ahead",
    "auth": "235 welcome",
    "mail": "250 ok",
    "rcpt": "250 ok",
    "data": "354 go ahead",
    "body": "250 queued",
    "rset": "250 ok",
    "quit": "221 bye",
}


@dataclass
class Scripted:
    """What a server does, and what it has seen."""

    script: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "AUTH PLAIN", "ENHANCEDSTATUSCODES")
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    """Whether the connection is encrypted from its first byte."""
    once: bool = False
    """Whether a line of the script is followed once only."""
    after: int = 0
    """For how many messages everything goes as usual before the script is followed."""
    port: int = 0
    stored: list[bytes] = field(default_factory=list)
    stored_for: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def told(self, step: str) -> str:
        if len(self.stored) < self.after:
            return USUAL[step]
        usual = USUAL.get(step, "500 what")
        return self.script.pop(step, usual) if self.once else self.script.get(step, usual)


class Ended(Exception):
    """The connection is over, as the script says."""


def _talk(server: Scripted, connection: socket.socket, opened: ExitStack) -> None:
    opened.enter_context(connection)
    if server.at_once and server.tls:
        connection = opened.enter_context(server.tls.wrap_socket(connection, server_side=True))
    lines = opened.enter_context(connection.makefile("rb"))
    _answer(server, connection, "greeting")
    to = ""
    while line := lines.readline():
        verb = line.split()[0].decode().lower()
        server.commands.append(line.decode().strip())
        if verb == "starttls" and server.tls:
            _answer(server, connection, verb)
            connection = opened.enter_context(server.tls.wrap_socket(connection, server_side=True))
            lines = opened.enter_context(connection.makefile("rb"))
        else:
            to = line.decode().strip()[len("rcpt TO:<") : -1] if verb == "rcpt" else to
            _command(server, connection, lines, verb, to)


def _command(server: Scripted, connection: socket.socket, lines: BinaryIO, verb: str, to: str) -> None:
    if verb == "ehlo" and "ehlo" not in server.script:
        offered = [*server.extensions, *(["STARTTLS"] if server.tls and not server.at_once else [])]
        replies = ["scripted.example", *offered]
        text = "".join(f"250{'-' if n < len(replies) - 1 else ' '}{one}\r\n" for n, one in enumerate(replies))
        connection.sendall(text.encode())
        return
    told = _answer(server, connection, verb)
    if verb == "data" and told.startswith("354"):
        _body(server, connection, lines, to)
    if verb == "quit":
        raise Ended


def _body(server: Scripted, connection: socket.socket, lines: BinaryIO, to: str) -> None:
    content = []
    while (line := lines.readline()) != b".\r\n":
        if not line:
            raise Ended
        content.append(line.removeprefix(b"."))
    told = server.told("body")
    if not told.startswith(("4", "5")):
        server.stored.append(b"".join(content))
        server.stored_for.append(to)
    _tell(server, connection, told)


def _answer(server: Scripted, connection: socket.socket, step: str) -> str:
    return _tell(server, connection, server.told(step))


def _tell(server: Scripted, connection: socket.socket, told: str) -> str:
    if told == DROP:
        raise Ended
    if told == STALL:
        server.closing.wait(20)
        raise Ended
    connection.sendall(f"{told}\r\n".encode())
    if told.startswith("421"):
        raise Ended
    return told


@contextmanager
def scripted(server: Scripted) -> Iterator[Scripted]:
    """The server, listening on a port of its own on this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with suppress(Ended, OSError, ValueError), ExitStack() as opened:
            _talk(server, connection, opened)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            thread = threading.Thread(target=one, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [accepting, *threads]:
            thread.join(5)
