"""The LMS and the mailer that a command on a file is told to use: `--lms`, `--mail`, and what letters say."""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import Usage
from enrolpolicy.errors import EnrolPolicyError, InvalidValue
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.adapters.smtp import SmtpMailer
    from enrolpolicy.adapters.sqlite import SqliteStore
    from enrolpolicy.ports import Mailer
    from enrolpolicy.runner.driving import Ports, Terms

PASSWORD, USER = "ENROLPOLICY_SMTP_PASSWORD", "ENROLPOLICY_SMTP_USER"


def ports_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--lms", metavar="standin:FILE", help="the stand-in LMS in this file; else in DB's, with .lms")
    parser.add_argument("--mail", metavar="eml:DIR|smtp:HOST:PORT", help="where letters go; else a folder beside DB")
    parser.add_argument(
        "--sender", default="training@training.example", metavar="ADDRESS", help="whom letters are from"
    )
    parser.add_argument("--contact", metavar="TEXT", help="whom a letter says to ask; else the sender")
    parser.add_argument("--take-url", default="https://training.example/take/{key}", metavar="URL")
    parser.add_argument("--smtp-security", choices=("starttls", "implicit", "none"), help="else by the port")


@contextmanager
def ports_of(
    arguments: Namespace, store: "SqliteStore", *, actor: str = "enrolpolicy", dry: bool = False
) -> "Iterator[tuple[Ports, Terms]]":
    """The store with the LMS and the mailer that were asked for, and terms in the sender's name."""
    from enrolpolicy.adapters.standin import StandinLms  # noqa: PLC0415
    from enrolpolicy.letters import Sender, composer  # noqa: PLC0415
    from enrolpolicy.runner.driving import Ports, Terms  # noqa: PLC0415

    try:
        sender = Sender(
            address=arguments.sender, contact=arguments.contact or arguments.sender, take_url=arguments.take_url
        )
    except InvalidValue as error:
        raise Usage(str(error)) from None
    with ExitStack() as stack:
        file = _lms_file(arguments.lms, store.path)
        if dry and not file.exists():  # not made for a look at it either
            file = Path(stack.enter_context(TemporaryDirectory())) / file.name
        lms = stack.enter_context(StandinLms(file))
        mailer = _mailer(arguments, store.path, stack)
        try:
            yield Ports(store=store, lms=lms, mailer=mailer), Terms(compose=composer(sender), actor=actor)
        except EnrolPolicyError as error:
            raise Usage(str(error)) from None


def _lms_file(asked: str | None, database: Path) -> Path:
    if asked is None:
        return _beside(database, ".lms")
    kind, _, file = asked.partition(":")
    if kind != "standin" or not file:
        raise Usage(f"`{safe(asked[:80])}` is not an LMS; give standin:FILE (others are for Python, see `Ports`)")
    return Path(file)


def _beside(database: Path, suffix: str) -> Path:
    if not database.name:
        raise Usage(f"`{safe(str(database))}` is a folder; give the file that `enrolpolicy init` makes")
    return database.with_suffix(suffix)


def _mailer(arguments: Namespace, database: Path, stack: ExitStack) -> "Mailer":
    from enrolpolicy.adapters.eml import EmlFolder  # noqa: PLC0415

    asked = arguments.mail or f"eml:{_beside(database, '.mail')}"
    kind, _, rest = asked.partition(":")
    if kind == "eml" and rest:
        return EmlFolder(Path(rest))
    host, _, port = rest.rpartition(":")
    if kind != "smtp" or not host or not port.isascii() or not port.isdigit():
        raise Usage(f"`{safe(asked[:80])}` is no way to send mail; give eml:DIR or smtp:HOST:PORT")
    return stack.enter_context(_smtp(arguments, host, int(port)))


def _smtp(arguments: Namespace, host: str, port: int) -> "SmtpMailer":
    from enrolpolicy.adapters.smtp import Security, Server, SmtpMailer  # noqa: PLC0415

    security = Security(arguments.smtp_security or ("implicit" if port == _IMPLICIT else "starttls"))
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if (user is None) != (password is None):
        raise Usage(f"give both {USER} and {PASSWORD} in the environment, or neither")
    try:
        server = Server(host=host, port=port, bounces=arguments.sender, security=security, user=user, password=password)
    except InvalidValue as error:
        raise Usage(str(error)) from None
    return SmtpMailer(server)


_IMPLICIT = 465
