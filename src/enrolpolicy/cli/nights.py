"""Nights run against a file: `init`, `run`, `log` and `cancel`."""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from enrolpolicy.cli.command import DONE, FOUND, REFUSED, USAGE, Command, Usage, day
from enrolpolicy.cli.documents import read
from enrolpolicy.cli.output import Progress, say, show, style, write, write_json
from enrolpolicy.errors import EnrolPolicyError, InvalidValue
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.adapters.smtp import SmtpMailer
    from enrolpolicy.adapters.sqlite import SqliteStore
    from enrolpolicy.model import Snapshot
    from enrolpolicy.ports import Done, Mailer, Refused, Unknown
    from enrolpolicy.reports import Outcome, Report
    from enrolpolicy.rows import Entry
    from enrolpolicy.runner.driving import Ports, Terms

T = TypeVar("T")

PASSWORD, USER = "ENROLPOLICY_SMTP_PASSWORD", "ENROLPOLICY_SMTP_USER"

# What a file is refused for that is no fault of it: it may be there, or let go of, the next time.
_NOT_GIVEN = frozenset({"no-file", "cannot-open"})
_FOR_NOW = frozenset({"busy", "full", "input-output", "no-memory", "unknown-account"})


class _Ended(Exception):
    """The command ends here, with a sentence."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def _ending(run: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    def guarded(arguments: Namespace) -> int:
        try:
            return run(arguments)
        except _Ended as ended:
            say(f"enrolpolicy: {ended}")
            return ended.code

    return guarded


@contextmanager
def _opened(path: str) -> "Iterator[SqliteStore]":
    from enrolpolicy.adapters.sqlite import SqliteStore  # noqa: PLC0415 - only for commands that need a file

    store = SqliteStore(path)
    try:
        yield store
    finally:
        show("")
        store.close()


def _said(store: "SqliteStore", said: "Done[T] | Refused | Unknown") -> T:
    """What the store answered; where that is a refusal, the command ends with its sentence."""
    from enrolpolicy.adapters.sqlite_schema import SENTENCES  # noqa: PLC0415
    from enrolpolicy.ports import Done, Unknown  # noqa: PLC0415

    if isinstance(said, Done):
        return said.value
    if isinstance(said, Unknown):
        raise _Ended(f"`{safe(str(store.path))}`: {said.detail}; run again, which settles it", FOUND)
    code = USAGE if said.reason in _NOT_GIVEN else FOUND if said.reason in _FOR_NOW else REFUSED
    raise _Ended(f"`{safe(str(store.path))}`: {SENTENCES.get(said.reason, said.reason)}", code)


def _accounts(store: "SqliteStore", asked: str | None) -> tuple[str, ...]:
    there = _said(store, store.accounts())
    if asked is None:
        return there
    if asked not in there:
        raise Usage(f"there is no account `{safe(asked[:80])}` in the file; it has {_listed(there)}")
    return (asked,)


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(f"`{safe(id)}`" for id in ids[:10]) or "none"


def _database(parser: ArgumentParser) -> None:
    parser.add_argument("database", metavar="DB", help="the file that `init` makes")


def _account(parser: ArgumentParser, otherwise: str) -> None:
    parser.add_argument("--account", metavar="ID", help=f"of this account; else of {otherwise}")


# init


def _init_arguments(parser: ArgumentParser) -> None:
    _database(parser)
    parser.add_argument("--from", dest="snapshot", required=True, metavar="SNAPSHOT", help="a JSON file, or -")
    parser.add_argument("--refresh", action="store_true", help="also where the account is in the file already")


@_ending
def _init(arguments: Namespace) -> int:
    register = read(arguments.snapshot)
    id = register.account.id
    with _opened(arguments.database) as store:
        known = store.path.exists() and store.path.stat().st_size > 0 and id in _said(store, store.accounts())
        if known and not arguments.refresh:
            raise _Ended(f"the account `{safe(id)}` is in the file already; --refresh takes its newer state", FOUND)
        with Progress("taking over"):
            _said(store, store.put(register))
    did = "refreshed" if known else "taken over"
    write([f"{safe(id)}: {did}, {len(register.personnel):,} people and {len(register.courses):,} courses"])
    return DONE


# run


def _run_arguments(parser: ArgumentParser) -> None:
    _database(parser)
    _account(parser, "all in the file")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="an instant of the night; else now")
    _ports_arguments(parser)
    parser.add_argument("--follow", action="store_true", help="ask the LMS first how far open bookings have come")
    parser.add_argument("--dry-run", action="store_true", help="decide everything, and do nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _ports_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--lms", metavar="standin:FILE", help="the stand-in LMS in this file; else in DB's, with .lms")
    parser.add_argument("--mail", metavar="eml:DIR|smtp:HOST:PORT", help="where letters go; else a folder beside DB")
    parser.add_argument(
        "--sender", default="training@training.example", metavar="ADDRESS", help="whom letters are from"
    )
    parser.add_argument("--contact", metavar="TEXT", help="whom a letter says to ask; else the sender")
    parser.add_argument("--take-url", default="https://training.example/take/{key}", metavar="URL")
    parser.add_argument("--smtp-security", choices=("starttls", "implicit", "none"), help="else by the port")


def instant(text: str) -> datetime:
    """An instant as an argument has it."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        if found.utcoffset() is not None and len(text) > len("YYYY-MM-DD"):
            return found
    example = "2026-11-23T00:00:00+00:00"
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not an instant with its offset, such as {example}")


@_ending
def _run(arguments: Namespace) -> int:
    from enrolpolicy.adapters.dry_run import dry_run  # noqa: PLC0415
    from enrolpolicy.ports import Refused, Unknown  # noqa: PLC0415
    from enrolpolicy.runner.driving import run_night  # noqa: PLC0415

    at = arguments.at or datetime.now(UTC)
    found: list[tuple[Report, Snapshot]] = []
    with _opened(arguments.database) as store, _ports(arguments, store) as (ports, terms):
        for account in _accounts(store, arguments.account):
            used = dry_run(account, ports) if arguments.dry_run else ports
            if isinstance(used, Refused | Unknown):
                _said(store, used)
                continue
            report = run_night(account, ports=used, terms=terms, at=at, follow=arguments.follow, watch=_Watch())
            found.append((report, _said(store, store.snapshot(account))))
    return _reported(arguments, found, dry=arguments.dry_run)


class _Watch:
    """Progress on a terminal: how much is done."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self, _: "Outcome") -> None:
        self._seen += 1
        if self._seen % 20 == 1:
            show(f"running the night: {self._seen:,} done …")


def _reported(arguments: Namespace, found: "list[tuple[Report, Snapshot]]", *, dry: bool = False) -> int:
    from enrolpolicy.cli.night_text import report_lines  # noqa: PLC0415
    from enrolpolicy.text import names  # noqa: PLC0415

    if arguments.format == "json":
        write_json([json.dumps({"runs": [_json(report) for report, _ in found]}, ensure_ascii=False, indent=2) + "\n"])
    else:
        for number, (report, snapshot) in enumerate(found):
            lines = report_lines(report, names(snapshot), style(sys.stdout), dry=dry)
            write([*([""] if number else ()), *lines])
    return DONE if all(report.clean for report, _ in found) else FOUND


def _json(report: "Report") -> dict[str, object]:
    return {
        "account": report.account,
        "on": report.on.isoformat(),
        "clean": report.clean,
        "missed": [night.isoformat() for night in report.missed],
        "guards": list(report.guards),
        "stopped": report.stopped,
        "counts": [
            {"act": act, "fate": fate.value, "count": count} for (act, fate), count in sorted(
                report.counts.items(), key=lambda item: (item[0][0], item[0][1].value)
            )
        ],
        "outcomes": [
            {
                "act": row.act,
                "key": row.key,
                "person": row.person,
                "course": row.course,
                "fate": row.fate.value,
                "detail": row.detail,
                "changed": [{"id": one.id, "sentence": one.sentence} for one in row.changed],
            }
            for row in report.outcomes
        ],
    }  # fmt: skip


# The ports


@contextmanager
def _ports(arguments: Namespace, store: "SqliteStore", actor: str = "enrolpolicy") -> "Iterator[tuple[Ports, Terms]]":
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
        lms = stack.enter_context(StandinLms(_lms_file(arguments.lms, store.path)))
        mailer = _mailer(arguments, store.path, stack)
        try:
            yield Ports(store=store, lms=lms, mailer=mailer), Terms(compose=composer(sender), actor=actor)
        except EnrolPolicyError as error:
            raise Usage(str(error)) from None


def _lms_file(asked: str | None, database: Path) -> Path:
    if asked is None:
        return database.with_suffix(".lms")
    kind, _, file = asked.partition(":")
    if kind != "standin" or not file:
        raise Usage(f"`{safe(asked[:80])}` is not an LMS; give standin:FILE (others are for Python, see `Ports`)")
    return Path(file)


def _mailer(arguments: Namespace, database: Path, stack: ExitStack) -> "Mailer":
    from enrolpolicy.adapters.eml import EmlFolder  # noqa: PLC0415

    asked = arguments.mail or f"eml:{database.with_suffix('.mail')}"
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


# log


def _log_arguments(parser: ArgumentParser) -> None:
    _database(parser)
    _account(parser, "all in the file")
    parser.add_argument("--person", metavar="ID")
    parser.add_argument("--course", metavar="ID")
    parser.add_argument("--enrolment", metavar="ID", help="one enrolment, by its id")
    parser.add_argument("--since", type=day, metavar="DATE", help="from this night on")
    parser.add_argument("--format", choices=("text", "jsonl"), default="text")


@_ending
def _log(arguments: Namespace) -> int:
    from enrolpolicy.cli.night_text import entry_lines  # noqa: PLC0415
    from enrolpolicy.text import names  # noqa: PLC0415

    with _opened(arguments.database) as store:
        for account in _accounts(store, arguments.account):
            entries = _said(
                store,
                store.journal(
                    account,
                    person=arguments.person,
                    course=arguments.course,
                    key=arguments.enrolment,
                    since=arguments.since,
                ),
            )
            if arguments.format == "jsonl":
                write_json(map(_line, entries))
            elif entries:
                called = names(_said(store, store.snapshot(account)))
                write(entry_lines(entries, called, style(sys.stdout)))
            else:
                write([f"{safe(account)}: nothing has been done"])
    return DONE


def _line(entry: "Entry") -> str:
    from enrolpolicy.cli.night_text import digest_of  # noqa: PLC0415

    found = {
        "at": entry.at.isoformat(),
        "on": entry.on.isoformat(),
        "account": entry.account,
        "enrolment": entry.key,
        "person": entry.person,
        "course": entry.course,
        "was": entry.was and entry.was.value,
        "now": entry.now.value,
        "because": entry.because,
        "actor": entry.actor,
        "policy_version": entry.policy_version,
        "settings": digest_of(entry),
        "under": json.loads(entry.settings),
    }
    return json.dumps(found, ensure_ascii=False) + "\n"


# cancel


def _cancel_arguments(parser: ArgumentParser) -> None:
    _database(parser)
    parser.add_argument("enrolment", metavar="ENROLMENT", help="its id, which `log --format jsonl` shows")
    _account(parser, "the one that has the enrolment")
    parser.add_argument("--actor", default="enrolpolicy", metavar="ID", help="who asks for it, for the journal")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="an instant of the night; else now")
    _ports_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


@_ending
def _cancel(arguments: Namespace) -> int:
    from enrolpolicy.cancellation import CancelRefused, cancel  # noqa: PLC0415
    from enrolpolicy.runner.driving import act  # noqa: PLC0415

    at, id = arguments.at or datetime.now(UTC), arguments.enrolment
    with _opened(arguments.database) as store, _ports(arguments, store, arguments.actor) as (ports, terms):
        accounts = [
            account
            for account in _accounts(store, arguments.account)
            if any(row.key == id for row in _said(store, store.rows(account)))
        ]
        if not accounts:
            raise _Ended(f"there is no enrolment `{safe(id[:80])}` in the file; `enrolpolicy log` lists them", FOUND)
        if len(accounts) > 1:
            raise Usage(f"several accounts have an enrolment `{safe(id[:80])}`; give --account")
        snapshot = _said(store, store.snapshot(accounts[0]))
        action = cancel(snapshot, id)
        if isinstance(action, CancelRefused):
            raise _Ended(f"`{safe(id[:80])}` is not cancelled: {action.sentence}", FOUND)
        report = act(accounts[0], [action], ports=ports, terms=terms, at=at)
    return _reported(arguments, [(report, snapshot)])


COMMANDS = (
    Command(name="init", help="take a register over into a file", arguments=_init_arguments, run=_init),
    Command(name="run", help="run the night of the accounts in a file", arguments=_run_arguments, run=_run),
    Command(name="log", help="who was enrolled and cancelled, by whom and why", arguments=_log_arguments, run=_log),
    Command(name="cancel", help="cancel one enrolment that was not started", arguments=_cancel_arguments, run=_cancel),
)
