"""A report as one HTML page that needs nothing beside it: no request leaves it, no name in it is ever markup.

The page's policy allows exactly the style and the script that are in it, by their digests; neither has any data in it.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TYPE_CHECKING

from enrolpolicy.ahead.words import change_words
from enrolpolicy.htmlreport.content import MOST_ROWS, assumption, report_content, short_date
from enrolpolicy.htmlreport.months import credits_chart, lapses_chart
from enrolpolicy.htmlreport.values import Report
from enrolpolicy.model import Snapshot
from enrolpolicy.text import long_date, safe

if TYPE_CHECKING:
    from jinja2 import Environment


class MissingExtra(Exception):
    """Something optional is not installed; the message names it."""


def report_page(snapshot: Snapshot, *, on: date, progress: Callable[[str], None] | None = None) -> str:
    """The report about an account on a date, as an HTML document.

    The same snapshot and date give the same page. `progress` is called with what is being done, in words. Raises
    `MissingExtra` where the extra `report` is not installed.
    """
    environment = _environment()  # first, as the rest takes time
    return _rendered(report_content(snapshot, on=on, progress=progress), environment)


def report_html(report: Report) -> str:
    """A report as an HTML document; raises `MissingExtra` where the extra `report` is not installed."""
    return _rendered(report, _environment())


def _environment() -> "Environment":
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("a report needs the extra `report`: pip install 'enrolpolicy[report]'") from None
    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    made.filters |= {"day": short_date, "shown": safe, "count": _count, "words": change_words}
    return made


def _rendered(report: Report, environment: "Environment") -> str:
    return environment.from_string(_part("page.html")).render(**_named(report))


def _named(report: Report) -> dict[str, object]:
    style, script = _part("page.css"), _part("page.js")
    return {
        "report": report,
        "title": f"{report.account} · {long_date(report.on)}",
        "long_date": long_date(report.on),
        "style": style,
        "script": script,
        "style_digest": _digest(style),
        "script_digest": _digest(script),
        "credits_chart": credits_chart(report),
        "lapses_chart": lapses_chart(report),
        "assumption": assumption(report.forecast.assume),
        "most": MOST_ROWS,
        "version": _version(),
    }


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _part(name: str) -> str:
    return files("enrolpolicy.htmlreport").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _version() -> str:
    try:
        return version("enrolpolicy")
    except PackageNotFoundError:  # run from its sources
        return "(not installed)"
