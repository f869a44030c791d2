"""Nights run against a file: `init` and `run`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import DONE, FOUND, Command
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
from enrolpolicy.cli.documents import read
from enrolpolicy.cli.night_ports import ports_arguments, ports_of
from enrolpolicy.cli.output import Progress, show, style, write, write_json
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.model import Snapshot
    from enrolpolicy.reports import Outcome, Report


# init


def _init_arguments(parser: ArgumentParser) -> None:
    database_argument(parser)
    parser.add_argument("--from", dest="snapshot", required=True, metavar="SNAPSHOT", help="a JSON file, or -")
    parser.add_argument("--refresh", action="store_true", help="also where the account is in the file already")


@ending
def _init(arguments: Namespace) -> int:
    register = read(arguments.snapshot)
    id = register.account.id
    with opened(arguments.database) as store:
        known = store.path.exists() and store.path.stat().st_size > 0 and id in answered(store, store.accounts())
        if known and not arguments.refresh:
            raise Ended(f"the account `{safe(id)}` is in the file already; --refresh takes its newer state", FOUND)
        with Progress("taking over"):
            answered(store, store.put(register))
    did = "refreshed" if known else "taken over"
    write([f"{safe(id)}: {did}, {len(register.personnel):,} people and {len(register.courses):,} courses"])
    return DONE


# run


def _run_arguments(parser: ArgumentParser) -> None:
    database_argument(parser)
    account_argument(parser, "all in the file")
    parser.add_argument("--at", type=instant, metavar="INSTANT", help="an instant of the night; else now")
    ports_arguments(parser)
    parser.add_argument("--follow", action="store_true", help="ask the LMS first how far open bookings have come")
    parser.add_argument("--dry-run", action="store_true", help="decide everything, and do nothing")
    parser.add_argument("--format", choices=("text", "json"), default="text")


@ending
def _run(arguments: Namespace) -> int:
    from enrolpolicy.adapters.dry_run import dry_run  # noqa: PLC0415
    from enrolpolicy.ports import Refused, Unknown  # noqa: PLC0415
    from enrolpolicy.runner.driving import run_night  # noqa: PLC0415

    at = arguments.at or datetime.now(UTC)
    found: list[tuple[Report, Snapshot]] = []
    with opened(arguments.database) as store, ports_of(arguments, store, dry=arguments.dry_run) as (ports, terms):
        for account in accounts_of(store, arguments.account):
            used = dry_run(account, ports) if arguments.dry_run else ports
            if isinstance(used, Refused | Unknown):
                answered(store, used)
                continue
            report = run_night(account, ports=used, terms=terms, at=at, follow=arguments.follow, watch=_Watch())
            found.append((report, answered(store, store.snapshot(account))))
    return reported(arguments, found, dry=arguments.dry_run)


class _Watch:
    """Progress on a terminal: how much is done."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self, _: "Outcome") -> None:
        self._seen += 1
        if self._seen % 20 == 1:
            show(f"running the night: {self._seen:,} done …")


def reported(arguments: Namespace, found: "list[tuple[Report, Snapshot]]", *, dry: bool = False) -> int:
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


COMMANDS = (
    Command(name="init", help="take a register over into a file", arguments=_init_arguments, run=_init),
    Command(name="run", help="run the night of the accounts in a file", arguments=_run_arguments, run=_run),
)
