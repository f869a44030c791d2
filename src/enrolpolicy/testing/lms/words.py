"""What the laws of an LMS need, and what they say again and again."""

from datetime import timedelta

from enrolpolicy.ports import (
    FOR_EVER,
    Booking,
    Order,
    Progress,
    Receipt,
)
from enrolpolicy.testing.contract import Need
from enrolpolicy.testing.examining import (
    done,
)
from enrolpolicy.testing.harness import LmsHarness, Seen

MOMENT = timedelta(milliseconds=1)
BACK = "https://acme.example/back"

KEYS = Need[LmsHarness]("keys", lambda it: it.lms.capabilities.keys_kept is not None)
KEYS_FOR_A_TIME = Need[LmsHarness]("keys for a time", lambda it: it.lms.capabilities.keys_kept not in (None, FOR_EVER))
ONE_OPEN = Need[LmsHarness]("one open enrolment", lambda it: it.lms.capabilities.one_open)
NO_DOUBLES = Need[LmsHarness](
    "keys, or one open enrolment",
    lambda it: it.lms.capabilities.keys_kept is not None or it.lms.capabilities.one_open,
)
FINAL = Need[LmsHarness]("final refusals", lambda it: it.lms.capabilities.refusals_final)
NOT_FINAL = Need[LmsHarness]("refusals that are not final", lambda it: not it.lms.capabilities.refusals_final)
FINDS = Need[LmsHarness]("look-up", lambda it: it.lms.capabilities.finds)
BOUND = Need[LmsHarness]("a bound on late requests", lambda it: it.lms.capabilities.latest_arrival is not None)
GUARDED = Need[LmsHarness]("cancelling only what was not started", lambda it: it.lms.capabilities.cancels_unstarted)
REMEMBERS = Need[LmsHarness]("cancelled keys remembered", lambda it: not it.lms.capabilities.cancel_frees_key)
FORGETS = Need[LmsHarness]("cancelled keys forgotten", lambda it: it.lms.capabilities.cancel_frees_key)
LAUNCHES = Need[LmsHarness]("launch addresses", lambda it: it.launches)

_OPEN = (Progress.NOT_STARTED, Progress.IN_PROGRESS)


def open_now(harness: LmsHarness, person: str = "ana", course: str = "fire") -> list[Seen]:
    seen = harness.peek()
    return [row for row in seen if (row.person, row.course) == (person, course) and row.progress in _OPEN]


def booked(harness: LmsHarness, key: str = "k1", person: str = "ana") -> Receipt:
    return done(harness.lms.enrol(harness.order(key, person)))


def booking_of(harness: LmsHarness, key: str) -> Booking:
    booking = done(harness.lms.find(key))
    assert booking is not None, "what was enrolled is not found"
    return booking


def order_on(harness: LmsHarness, course: str) -> Order:
    return Order(key="k1", account=harness.account, person="ana", course=course, cycle="2025-12-20", attempt=0)
