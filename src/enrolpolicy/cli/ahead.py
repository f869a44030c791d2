"""Looking ahead, and back: `what-if`, `forecast`, `coverage` and `back-test`.

The modules behind these commands are imported by the one that needs them, so that the others start as quickly as ever.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from enrolpolicy.cli.command import DONE, Command, Usage, day, on_argument, snapshot_argument
from enrolpolicy.cli.documents import asked, content, read
from enrolpolicy.cli.output import Progress, show, style, write, write_json
from enrolpolicy.dates import add_months
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.text import safe

if TYPE_CHECKING:
    from enrolpolicy.ahead.assumptions import Assumptions
    from enrolpolicy.ahead.whatif import Supposition


def _format_argument(parser: ArgumentParser, *more: str) -> None:
    parser.add_argument("--format", choices=("text", "json", *more), default="text")


def _nights(start: date, until: date) -> None:
    if until < start:
        raise Usage(f"{until} is before {start}; give a later date to --until")


class _Reached:
    """Shows how far a walk through the nights has come."""

    def __init__(self, doing: str, start: date, until: date) -> None:
        self._doing, self._start, self._days = doing, start, max(1, (until - start).days)
        self._last = -1

    def __call__(self, on: date) -> None:
        percent = (on - self._start).days * 100 // self._days
        if percent != self._last:
            show(f"{self._doing} {on}, {percent} % …")
            self._last = percent


# what-if


def _what_if_arguments(parser: ArgumentParser) -> None:
    snapshot_argument(parser)
    on_argument(parser, required=True)
    settings = "account.NAME=VALUE, course.ID.NAME=VALUE or person.ID.auto_enrol=VALUE (repeatable, as the others are)"
    parser.add_argument("--set", action="append", default=[], metavar="SETTING", help=settings)
    parser.add_argument("--opt-out", action="append", default=[], metavar="PERSON:COURSE", help="out of one course")
    parser.add_argument("--opt-in", action="append", default=[], metavar="PERSON:COURSE", help="back in again")
    parser.add_argument("--cancel", action="append", default=[], metavar="ENROLMENT", help="cancel a booking")
    parser.add_argument(
        "--top-up", action="append", default=[], type=_credits, metavar="N", help="so many more credits"
    )
    parser.add_argument("--changes", metavar="FILE", help="changes as JSON, which are made first")
    _format_argument(parser)


def _credits(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len("999999999"):
        return int(text)
    raise ArgumentTypeError(f"`{safe(text[:40])}` is not a number of credits, from 0 to 999999999")


def _what_if(arguments: Namespace) -> int:
    from enrolpolicy.ahead.whatif import what_if  # noqa: PLC0415
    from enrolpolicy.cli.ahead_text import difference_lines  # noqa: PLC0415
    from enrolpolicy.codec import dump  # noqa: PLC0415

    if arguments.snapshot == arguments.changes == "-":
        raise Usage("standard input can be the snapshot or the changes, not both; give one of them as a file")
    snapshot = read(arguments.snapshot)
    changes = asked(snapshot, lambda: _changes(snapshot, arguments))
    if not changes:
        raise Usage(
            "nothing is to be different; say what with --set, --opt-out, --opt-in, --cancel, --top-up or --changes"
        )
    with Progress("planning twice"):
        found = what_if(snapshot, changes, on=arguments.on)
    if arguments.format == "json":
        write_json([dump(found)])
    else:
        write(difference_lines(snapshot, changes, found, style(sys.stdout)))
    return DONE


def _changes(snapshot: Snapshot, arguments: Namespace) -> "list[Supposition]":
    """Every change asked for, each read against the snapshot in which those before it are made."""
    from enrolpolicy.ahead.whatif import supposed  # noqa: PLC0415

    found: list[Supposition] = []
    try:
        for make in _makers(arguments):
            change = make(snapshot)
            _cancellable(snapshot, change)
            snapshot = supposed(snapshot, [change], on=arguments.on)
            found.append(change)
    except InvalidValue as error:
        raise Usage(safe(str(error))) from None
    return found


def _makers(arguments: Namespace) -> "Iterator[Callable[[Snapshot], Supposition]]":
    from enrolpolicy.ahead.amending import load_changes  # noqa: PLC0415
    from enrolpolicy.ahead.whatif import TopUp  # noqa: PLC0415
    from enrolpolicy.ahead.words import pair, setting  # noqa: PLC0415
    from enrolpolicy.changes import CancelEnrolment, ChangeOptOut  # noqa: PLC0415

    def opted(words: str, out: bool) -> "Callable[[Snapshot], Supposition]":
        def make(snapshot: Snapshot) -> ChangeOptOut:
            person, course = pair(snapshot, words)
            return ChangeOptOut(person=person, course=course, opted_out=out)

        return make

    if arguments.changes is not None:
        for change in load_changes(content(arguments.changes, "a JSON file of changes")):
            yield partial(_as_it_is, change)
    for words in arguments.set:
        yield partial(setting, words=words)
    for words in arguments.opt_out:
        yield opted(words, out=True)
    for words in arguments.opt_in:
        yield opted(words, out=False)
    for id in arguments.cancel:
        yield partial(_as_it_is, CancelEnrolment(enrolment=id))
    for credits in arguments.top_up:
        yield partial(_as_it_is, TopUp(credits=credits))


def _as_it_is(change: "Supposition", _: Snapshot) -> "Supposition":
    return change


def _cancellable(snapshot: Snapshot, change: "Supposition") -> None:
    from enrolpolicy.cancellation import UNKNOWN, CancelRefused, cancel  # noqa: PLC0415
    from enrolpolicy.changes import CancelEnrolment  # noqa: PLC0415

    if isinstance(change, CancelEnrolment):
        answer = cancel(snapshot, change.enrolment)
        if isinstance(answer, CancelRefused) and answer.code != UNKNOWN:
            raise Usage(f"`{safe(change.enrolment[:80])}` cannot be cancelled: {answer.sentence}")


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
    _format_argument(parser, "csv")
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
    from enrolpolicy.cli.ahead_text import forecast_lines  # noqa: PLC0415
    from enrolpolicy.codec import dump  # noqa: PLC0415

    if arguments.rows and arguments.format != "csv":
        raise Usage("--rows says what the CSV has a row for; add --format csv")
    start: date = arguments.on
    until: date = arguments.until or add_months(start, 12) or date.max
    _nights(start, until)
    snapshot = read(arguments.snapshot)
    told = _Reached("forecasting", start, until)
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
    _format_argument(parser)


def _coverage(arguments: Namespace) -> int:
    from enrolpolicy.ahead.covering import coverage  # noqa: PLC0415
    from enrolpolicy.ahead.documents import coverage_document  # noqa: PLC0415
    from enrolpolicy.ahead.remedies import what_helps  # noqa: PLC0415
    from enrolpolicy.cli.ahead_text import coverage_lines  # noqa: PLC0415
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
    _format_argument(parser)


def _back_test(arguments: Namespace) -> int:
    from enrolpolicy.ahead.amending import load_past_enrolments  # noqa: PLC0415
    from enrolpolicy.ahead.backtesting import back_test  # noqa: PLC0415
    from enrolpolicy.cli.ahead_text import back_test_lines  # noqa: PLC0415
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
        name="what-if",
        help="what would be different tonight if something were changed",
        arguments=_what_if_arguments,
        run=_what_if,
    ),
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
