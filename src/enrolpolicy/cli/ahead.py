"""Looking ahead, and back: `forecast`, `coverage` and `back-test`.

The modules behind these commands are imported by the one that needs them, so that the others start as quickly as ever.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import DONE, Command, Usage, day, format_argument, on_argument, snapshot_argument
from enrolpolicy.cli.documents import content, read
from enrolpolicy.cli.output import Progress, show, style, write, write_json
from enrolpolicy.dates import add_months
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.ahead.assumptions import Assumptions


def _nights(start: date, until: date) -> None:
    if until < start:
        raise Usage(f"{until} is before {start}; give a later date to --until")


class _Reached:
    """Shows how far a walk through the nights has come, and what it is for where it begins `again`."""

    def __init__(self, doing: str, start: date, until: date, again: str = "") -> None:
        self._doing, self._again = doing, again
        self._start, self._days = start, max(1, (until - start).days)
        self._last = -1

    def __call__(self, on: date) -> None:
        percent = (on - self._start).days * 100 // self._days
        if percent < self._last:
            self._doing = self._again
        if percent != self._last:
            show(f"{self._doing} {on}, {percent} % …")
            self._last = percent


# forecast


def _forecast_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--until", type=day, metavar="DATE", help="the last night; twelve months later unless given")
    whens = ("after-days", "last-day", "never")
    parser.add_argument("--completed", choices=whens, default="after-days", help="when people complete their bookings")
    parser.add_argument(
        "--days", type=_days, default=14, metavar="N", help="so many days after booking; 14 unless given"
    )
    parser.add_argument("--share", type=_share, default=1.0, metavar="S", help="the share that is completed, 0 to 1")
    format_argument(parser, "csv")
    rows = ("nights", "months", "enrolments", "lapses")
    parser.add_argument("--rows", choices=rows, help="what the CSV has a row for; nights unless given")


def _days(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len("3650") and int(text) <= 3650:
        return int(text)
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not a number of days, from 0 to 3650")


def _share(text: str) -> float:
    with suppress(ValueError):
        if len(text) <= 20 and 0 <= float(text) <= 1:
            return float(text)
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not a share, a number from 0 to 1 such as 0.8")


def _forecast(arguments: Namespace) -> int:
    from enrolpolicy.ahead.forecasting import forecast  # noqa: PLC0415
    from enrolpolicy.ahead.sheets import forecast_csv  # noqa: PLC0415
    from enrolpolicy.cli.forecast_text import forecast_lines  # noqa: PLC0415
    from enrolpolicy.codec import dump  # noqa: PLC0415

    if arguments.rows and arguments.format != "csv":
        raise Usage("--rows says what the CSV has a row for; add --format csv")
    start: date = arguments.on
    until: date = arguments.until or add_months(start, 12) or date.max
    _nights(start, until)
    snapshot = read(arguments.snapshot)
    told = _Reached("forecasting", start, until, again="looking for the smallest top-up:")
    found = forecast(snapshot, start=start, until=until, assume=_assumed(arguments), progress=told)
    show("")
    if arguments.format == "json":
        write_json([dump(found)])
    elif arguments.format == "csv":
        write_json([forecast_csv(found, arguments.rows or "nights")])
    else:
        write(forecast_lines(snapshot, found, style(sys.stdout)))
    return DONE


def _assumed(arguments: Namespace) -> "Assumptions":
    from enrolpolicy.ahead.assumptions import Assumptions, Completion  # noqa: PLC0415

    completed = Completion(arguments.completed)
    return Assumptions(completed=completed, after_days=arguments.days, share=arguments.share)


# coverage


def _coverage_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    parser.add_argument("--no-remedies", action="store_true", help="do not try what would help, which takes longer")
    format_argument(parser)


def _coverage(arguments: Namespace) -> int:
    from enrolpolicy.ahead.covering import coverage  # noqa: PLC0415
    from enrolpolicy.ahead.documents import coverage_document  # noqa: PLC0415
    from enrolpolicy.ahead.remedies import what_helps  # noqa: PLC0415
    from enrolpolicy.cli.coverage_text import coverage_lines  # noqa: PLC0415
    from enrolpolicy.codec import page  # noqa: PLC0415

    snapshot = read(arguments.snapshot)
    with Progress("looking at every required training"):
        found = coverage(snapshot, on=arguments.on)
    remedies = None
    if not arguments.no_remedies:
        remedies = what_helps(snapshot, found, progress=_tried)
        show("")
    if arguments.format == "json":
        write_json([page(coverage_document(found, remedies))])
    else:
        write(coverage_lines(snapshot, found, remedies, style(sys.stdout)))
    return DONE


def _tried(index: int, total: int) -> None:
    show(f"trying what would help, {index + 1:,} of {total:,} changes …")


# back-test


def _back_test_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    what = "what the older system enrolled: a JSON list of objects with person, course and on"
    parser.add_argument("--enrolments", required=True, metavar="FILE", help=what)
    parser.add_argument("--from", type=day, required=True, dest="start", metavar="DATE", help="the first night")
    parser.add_argument("--until", type=day, required=True, metavar="DATE", help="the last night")
    format_argument(parser)


def _back_test(arguments: Namespace) -> int:
    from enrolpolicy.ahead.amending import load_past_enrolments  # noqa: PLC0415
    from enrolpolicy.ahead.backtesting import back_test  # noqa: PLC0415
    from enrolpolicy.cli.back_test_text import back_test_lines  # noqa: PLC0415
    from enrolpolicy.codec import dump  # noqa: PLC0415

    if arguments.snapshot == arguments.enrolments == "-":
        raise Usage("standard input can be the snapshot or the enrolments, not both; give one of them as a file")
    start, until = arguments.start, arguments.until
    _nights(start, until)
    snapshot = read(arguments.snapshot)
    theirs = load_past_enrolments(content(arguments.enrolments, "a JSON file of enrolments"))
    told = _Reached("planning again", start, until)
    found = back_test(snapshot, theirs, start=start, until=until, progress=told)
    show("")
    if arguments.format == "json":
        write_json([dump(found)])
    else:
        write(back_test_lines(snapshot, found, style(sys.stdout)))
    return DONE


COMMANDS = (
    Command(
        name="forecast",
        help="the nights to come: enrolments, credits, lapses",
        arguments=_forecast_arguments,
        run=_forecast,
    ),
    Command(
        name="coverage",
        help="where every required training stands, and what would help",
        arguments=_coverage_arguments,
        run=_coverage,
    ),
    Command(
        name="back-test",
        help="how this policy would have done what an older system did",
        arguments=_back_test_arguments,
        run=_back_test,
    ),
)
