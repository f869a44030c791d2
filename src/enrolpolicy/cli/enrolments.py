"""The enrolments in a file, one by one: `log`, `cancel` and `settle`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import DONE, FOUND, Command, Usage, day
from enrolpolicy.cli.database import (
    Ended,
    account_argument,
    accounts_of,
    answered,
    database_argument,
    ending,
    instant,
    opened,
)
from enrolpolicy.cli.night_ports import ports_arguments, ports_of
from enrolpolicy.cli.nights import reported
from enrolpolicy.cli.output import style, write, write_json
from enrolpolicy.errors import InvalidValue
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.adapters.sqlite import SqliteStore
    from enrolpolicy.rows import Entry

# log


def _log_arguments(parser: ArgumentParser) -> None:
    database_argument(parser)
    account_argument(parser, "all in the file")
    parser.add_argument("--person", metavar="ID")
    parser.add_argument("--course", metavar="ID")
    parser.add_argument("--enrolment", metavar="ID", help="one enrolment, by its id")
    parser.add_argument("--since", type=day, metavar="DATE", help="from this night on")
    parser.add_argument("--format", choices=("text", "jsonl"), default="text")


@ending
def _log(arguments: Namespace) -> int:
    from enrolpolicy.cli.night_text import entry_lines  # noqa: PLC0415
    from enrolpolicy.text import names  # noqa: PLC0415

    with opened(arguments.database) as store:
        for account in accounts_of(store, arguments.account):
            entries = answered(
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
                called = names(answered(store, store.snapshot(account)))
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
    database_argument(parser)
    parser.add_argument("enrolment", metavar="ENROLMENT", help="its id, which `log --format jsonl` shows")
    account_argument(parser, "the one that has the enrolment")
    parser.add_argument("--actor", default="enrolpolicy", metavar="ID", help="who asks for it, for the journal")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="an instant of the night; else now")
    ports_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


@ending
def _cancel(arguments: Namespace) -> int:
    from enrolpolicy.cancellation import CancelRefused, cancel  # noqa: PLC0415
    from enrolpolicy.runner.driving import act  # noqa: PLC0415

    at, id = arguments.at or datetime.now(UTC), arguments.enrolment
    with opened(arguments.database) as store, ports_of(arguments, store, actor=arguments.actor) as (ports, terms):
        account = _account_with(store, id, arguments.account)
        snapshot = answered(store, store.snapshot(account))
        action = cancel(snapshot, id)
        if isinstance(action, CancelRefused):
            raise Ended(f"`{safe(id[:80])}` is not cancelled: {action.sentence}", FOUND)
        report = act(account, [action], ports=ports, terms=terms, at=at)
    return reported(arguments, [(report, snapshot)])


def _account_with(store: "SqliteStore", id: str, asked: str | None) -> str:
    """The account that has an enrolment."""
    there = [
        account
        for account in accounts_of(store, asked)
        if any(row.key == id for row in answered(store, store.rows(account)))
    ]
    if not there:
        raise Ended(f"there is no enrolment `{safe(id[:80])}` in the file; `enrolpolicy log` lists them", FOUND)
    if len(there) > 1:
        raise Usage(f"several accounts have an enrolment `{safe(id[:80])}`; give --account")
    return there[0]


# settle


def _settle_arguments(parser: ArgumentParser) -> None:
    database_argument(parser)
    parser.add_argument("enrolment", metavar="ENROLMENT", nargs="?", help="its id; without one, those held are listed")
    account_argument(parser, "the one that has the enrolment, or all")
    looked = parser.add_mutually_exclusive_group()
    looked.add_argument("--found", metavar="REF", help="it is at the LMS, which calls it so")
    looked.add_argument("--not-there", action="store_true", help="it is not at the LMS, and cannot come to be any more")
    parser.add_argument("--actor", default="enrolpolicy", metavar="ID", help="who has looked, for the journal")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="an instant of the night; else now")


@ending
def _settle(arguments: Namespace) -> int:
    id, decided = arguments.enrolment, arguments.not_there or arguments.found is not None
    if (id is None) == decided:
        raise Usage("give an ENROLMENT with --found REF or --not-there, or neither, to list those that are held")
    with opened(arguments.database) as store:
        if id is None:
            write([line for account in accounts_of(store, arguments.account) for line in _held_lines(store, account)])
            return DONE
        return _settled(store, _account_with(store, id, arguments.account), arguments)


def _settled(store: "SqliteStore", account: str, arguments: Namespace) -> int:
    from enrolpolicy.ports import Refused, Unknown  # noqa: PLC0415
    from enrolpolicy.reports import Fate  # noqa: PLC0415
    from enrolpolicy.runner.driving import settle  # noqa: PLC0415

    id, at = arguments.enrolment, arguments.at or datetime.now(UTC)
    try:
        said = settle(account, id, found=arguments.found, store=store, at=at, actor=arguments.actor)
    except InvalidValue as error:
        raise Usage(str(error)) from None
    if isinstance(said, Refused | Unknown):
        answered(store, said)
    elif said.fate is not Fate.DONE:
        raise Ended(f"`{safe(id[:80])}` is not held, it is {said.detail}; there is nothing to settle", FOUND)
    elif arguments.found is None:
        write([f"{safe(id)}: refused; its credits are free again, and it is planned anew after the policy's pause"])
    else:
        write([f"{safe(id)}: booked; the next night sends the invitation, or withdraws it"])
    return DONE


def _held_lines(store: "SqliteStore", account: str) -> Iterator[str]:
    from enrolpolicy.rows import RowStatus  # noqa: PLC0415
    from enrolpolicy.text import names, table  # noqa: PLC0415

    held = [row for row in answered(store, store.rows(account)) if row.status is RowStatus.HELD]
    if not held:
        yield f"{safe(account)}: nothing is held"
        return
    called = names(answered(store, store.snapshot(account)))
    cells = [
        (
            called.person(row.person),
            called.course(row.course),
            f"{row.asked_at:%Y-%m-%d}" if row.asked_at else "",
            row.key,
        )
        for row in held
    ]
    yield from table(("person", "course", "asked for", "enrolment"), (18, 18, 11, 44), cells, style(sys.stdout))


COMMANDS = (
    Command(name="log", help="who was enrolled and cancelled, by whom and why", arguments=_log_arguments, run=_log),
    Command(name="cancel", help="cancel one enrolment that was not started", arguments=_cancel_arguments, run=_cancel),
    Command(name="settle", help="what a person found out about one in doubt", arguments=_settle_arguments, run=_settle),
)
