"""The form of each document: its keys, and what stands behind them; `enrolpolicy.schemas` makes JSON Schemas of it.

A form says an object's keys, all of which are there. What stands behind a key is an annotation, another form, a list of
which every item has one form, or a tuple of forms of which exactly one fits.
"""

from datetime import date
from typing import Any, Literal

from attrs import NOTHING, fields, frozen, has

from enrolpolicy.ahead.agenda import Lapse
from enrolpolicy.ahead.amending import KINDS, annotations
from enrolpolicy.ahead.assumptions import Assumptions
from enrolpolicy.ahead.backtesting import Compared, Match
from enrolpolicy.ahead.covering import Covered, Standing
from enrolpolicy.ahead.figures import Figures, Part
from enrolpolicy.ahead.forecasting import Drift, ForecastMonth
from enrolpolicy.ahead.restoring import PastEnrolment
from enrolpolicy.ahead.whatif import Moved
from enrolpolicy.model import Guards
from enrolpolicy.plans import Cancel, Enrol, Invite

Form = dict[str, Any]


@frozen
class Optional:
    """What stands behind a key that may be left out."""

    form: Any


def of(kind: type, **more: Any) -> Form:
    """The form of a value: its fields, and what is written beside them."""
    return {field.name: of(field.type) if has(field.type) else field.type for field in fields(kind)} | more


def _document(**keys: Any) -> Form:
    return {"account": str, **keys}


# What if

_SIDE = of(Figures, left=int | None, applyable=bool, guards=tuple[str, ...])

WHAT_IF = _document(
    on=date,
    before=_SIDE,
    after=_SIDE,
    added=[of(Enrol)],
    removed=[of(Enrol)],
    cancelled=[of(Cancel)],
    spared=[of(Cancel)],
    invited=[of(Invite)],
    uninvited=[of(Invite)],
    moved=[of(Moved)],
    courses=[of(Part)],
    divisions=[of(Part)],
)


# Forecast

_NIGHT: Form = {
    "on": date,
    **dict.fromkeys(("enrolments", "credits", "cancellations", "invitations", "completed"), int),
    **dict.fromkeys(("lapses", "held", "waiting", "shortfall"), int),
    "left": int | None,
    "guards": tuple[str, ...],
}

FORECAST = _document(
    start=date,
    until=date,
    assume=of(Assumptions),
    short_on=date | None,
    top_up=int | None,
    drift=of(Drift),
    months=[of(ForecastMonth)],
    courses=[{"course": str, "enrolments": int, "credits": int}],
    nights=[_NIGHT],
    enrolments=[of(Enrol, on=date)],
    cancellations=[of(Cancel, on=date)],
    lapses=[of(Lapse, on=date)],
)


# Changes

GUARDS = {name: Optional(annotation) for name, annotation in of(Guards).items()}


def _change(name: str, kind: type) -> Form:
    """A change, without the settings that it leaves as they are."""
    left_out = {field.name for field in fields(kind) if field.default is not NOTHING}
    keys = {key: GUARDS if one is Guards else one for key, one in annotations(kind).items()}
    return {"change": Literal[name], **{key: Optional(form) if key in left_out else form for key, form in keys.items()}}


_CHANGE = tuple(_change(name, kind) for name, kind in KINDS.items())
CHANGES = [_CHANGE]
PAST_ENROLMENTS = [of(PastEnrolment)]


# Coverage

_PAIRS = [{"person": str, "course": str}]
_CELL: Form = {
    "course": str,
    "role": str | None,
    "people": int,
    "covered": float | None,
    "lapsing": int,
    "counts": dict[Standing, int],
}
_REMEDY: Form = {"change": _CHANGE, "helps": int, "credits": int, "now": _PAIRS, "later": _PAIRS}

COVERAGE = _document(
    on=date,
    counts=dict[Standing, int],
    stuck=dict[str, int],
    lapsing=int,
    cells=[_CELL],
    rows=[of(Covered)],
    remedies=Optional([_REMEDY]),
)


# Back-test

BACK_TEST = _document(
    start=date,
    until=date,
    counts=dict[Match, int],
    rules=[{"match": Match, "rule": str, "count": int}],
    rows=[of(Compared, days_later=int | None)],
    outside=PAST_ENROLMENTS,
    unknown=PAST_ENROLMENTS,
)


FORMS: dict[str, Form | list[Any]] = {
    "what-if": WHAT_IF,
    "forecast": FORECAST,
    "coverage": COVERAGE,
    "back-test": BACK_TEST,
    "changes": CHANGES,
    "enrolments": PAST_ENROLMENTS,
}
"""What is written, and the two lists that are read, by the names the command line has for them."""
