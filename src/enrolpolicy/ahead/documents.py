"""What is looked ahead at, and what is shown on screens, as JSON has it: rows, with their totals beside them."""

from collections.abc import Callable, Iterable
from typing import Any

from enrolpolicy.ahead.amending import change_json
from enrolpolicy.ahead.backtesting import BackTest
from enrolpolicy.ahead.covering import Coverage
from enrolpolicy.ahead.figures import Figures
from enrolpolicy.ahead.forecasting import Forecast, ForecastNight
from enrolpolicy.ahead.profiles import Profile
from enrolpolicy.ahead.remedies import Remedy
from enrolpolicy.ahead.views import CoursePanel, CourseRow
from enrolpolicy.ahead.whatif import Difference
from enrolpolicy.parsing import Json
from enrolpolicy.plans import FORMAT_VERSION, Action, Plan
from enrolpolicy.structuring import quick


def _plain(value: object) -> Any:
    return quick(True).unstructure(value)


def _head(account: str) -> Json:
    return {"format_version": FORMAT_VERSION, "account": account}


# What if


def difference_document(found: Difference) -> Json:
    """A difference: both plans in figures, and every row that is only in one of them."""
    left, whole = found.left, found.figures
    names = ("added", "removed", "cancelled", "spared", "invited", "uninvited", "moved", "courses", "divisions")
    return {
        **_head(found.before.account),
        "on": found.before.on.isoformat(),
        "before": _side(found.before, whole[0], left[0]),
        "after": _side(found.after, whole[1], left[1]),
        **{name: [_plain(row) for row in getattr(found, name)] for name in names},
    }


def _side(plan: Plan, figures: Figures, left: int | None) -> Json:
    return {**_plain(figures), "left": left, "applyable": plan.applyable, "guards": list(plan.guards)}


# Forecast


def forecast_document(found: Forecast) -> Json:
    """A forecast: by month, by course and by night, and every enrolment, cancellation and lapse with its date."""
    return {
        **_head(found.account),
        "start": found.start.isoformat(),
        "until": found.until.isoformat(),
        "assume": _plain(found.assume),
        "short_on": None if found.short_on is None else found.short_on.isoformat(),
        "top_up": found.top_up,
        "drift": _plain(found.drift),
        "months": [_plain(row) for row in found.months],
        "courses": [{"course": id, "enrolments": n, "credits": credits} for id, n, credits in found.by_course],
        "nights": [_night(night) for night in found.nights],
        "enrolments": _dated(found.nights, lambda night: night.enrolments),
        "cancellations": _dated(found.nights, lambda night: night.cancellations),
        "lapses": [{"on": night.on.isoformat(), **_plain(row)} for night in found.nights for row in night.lapses],
    }


def _night(night: ForecastNight) -> Json:
    return {
        "on": night.on.isoformat(),
        "enrolments": len(night.enrolments),
        "credits": night.credits,
        "cancellations": len(night.cancellations),
        "invitations": len(night.invitations),
        "completed": night.completed,
        "lapses": len(night.lapses),
        "held": night.held,
        "waiting": night.waiting,
        "shortfall": night.shortfall,
        "left": night.left,
        "guards": list(night.guards),
    }


def _dated(nights: Iterable[ForecastNight], of: Callable[[ForecastNight], Iterable[Action]]) -> list[Json]:
    return [{"on": night.on.isoformat(), **_plain(row)} for night in nights for row in of(night)]


# Coverage


def coverage_document(found: Coverage, remedies: Iterable[Remedy] | None = None) -> Json:
    """Coverage: in figures, by course and role, every training, and what would help, where that was asked."""
    document = {
        **_head(found.account),
        "on": found.on.isoformat(),
        "counts": {standing.value: count for standing, count in found.counts},
        "stuck": dict(found.stuck),
        "lapsing": len(found.lapsing),
        "cells": [
            {
                "course": cell.course,
                "role": cell.role,
                "people": cell.people,
                "covered": cell.covered,
                "lapsing": cell.lapsing,
                "counts": {standing.value: count for standing, count in cell.counts},
            }
            for cell in found.cells
        ],
        "rows": [_plain(row) for row in found.rows],
    }
    return document if remedies is None else {**document, "remedies": [remedy_json(row) for row in remedies]}


def remedy_json(row: Remedy) -> Json:
    """A change, and which trainings it helps."""
    return {
        "change": change_json(row.change),
        "helps": row.helps,
        "credits": row.credits,
        "now": [{"person": person, "course": course} for person, course in row.now],
        "later": [{"person": person, "course": course} for person, course in row.later],
    }


# Back-test


def back_test_document(found: BackTest) -> Json:
    """A back-test: in figures, by rule, and every renewal."""
    return {
        **_head(found.account),
        "start": found.start.isoformat(),
        "until": found.until.isoformat(),
        "counts": {match.value: count for match, count in found.counts},
        "rules": [{"match": match.value, "rule": rule, "count": count} for match, rule, count in found.rules],
        "rows": [{**_plain(row), "days_later": row.days_later} for row in found.rows],
        "outside": [_plain(row) for row in found.outside],
        "unknown": [_plain(row) for row in found.unknown],
    }


Ahead = Difference | Forecast | Coverage | Remedy | BackTest | CourseRow | CoursePanel | Profile
"""What is looked ahead at, what is looked back on, and what is shown on screens."""

_DOCUMENTS: dict[type, Callable[[Any], Json]] = {
    Difference: difference_document,
    Forecast: forecast_document,
    Coverage: coverage_document,
    BackTest: back_test_document,
    Remedy: remedy_json,
}


def document(value: Ahead) -> Json:
    """A value as JSON has it."""
    written: Json = _DOCUMENTS[type(value)](value) if type(value) in _DOCUMENTS else _plain(value)
    return written


def is_row(value: Ahead) -> bool:
    """Whether a value is one row among others, and takes one line."""
    return isinstance(value, CourseRow | Remedy)
