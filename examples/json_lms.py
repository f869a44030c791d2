"""An LMS that is a JSON file: what an adapter for an LMS without keys looks like, which allows one open enrolment.

The file has the `courses` the LMS offers, who is `closed` out of what and why, and `bookings`. An adapter of yours has
an HTTP client where this one has `file`; the rest is the same: say what you can do, and turn whatever happens into one
of three answers.
"""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, ParamSpec, TypeVar

from enrolpolicy import Done, LaunchUrl, LmsCapabilities, Order, Receipt, Refused, Trouble, Unknown
from enrolpolicy.ports import Booking, Cancelled, Charge, Progress

P = ParamSpec("P")
T = TypeVar("T")
Content = dict[str, Any]
STARTED = {"in-progress": Cancelled.IN_PROGRESS, "completed": Cancelled.COMPLETED, "cancelled": Cancelled.ALREADY}


class JsonFile:
    """Has the file changed, and puts the new one in its place: all or nothing, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, Lock()

    def __call__(self, change: Callable[[Content], T]) -> T:
        with self._lock:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            answer = change(content)
            written = self.path.with_suffix(".new")
            written.write_text(json.dumps(content), encoding="utf-8")
            written.replace(self.path)
        return answer


def asked(method: "Callable[Concatenate[JsonLms, Content, P], T]") -> "Callable[Concatenate[JsonLms, P], T | Unknown]":
    """A method that is one change of the file; what fails on the way is Unknown."""

    def call(self: "JsonLms", /, *arguments: P.args, **named: P.kwargs) -> T | Unknown:
        try:
            said: T = self.file(lambda content: method(self, content, *arguments, **named))
        except (OSError, ValueError) as error:
            return Unknown(type(error).__name__)  # never its text, which has paths in it, or worse
        return said

    return call


class JsonLms:
    """The port. `file` is given a function, hands it the content, and answers with what that comes to."""

    capabilities = LmsCapabilities(
        keys_kept=None, refusals_final=False, finds=True, latest_arrival=timedelta(0), one_open=True,
        cancels_unstarted=True, cancel_frees_key=False, sends_invitation=False, charges=Charge.ON_ENROL,
        longest_call=timedelta(seconds=5),
    )  # fmt: skip

    def __init__(self, file: Callable[[Callable[[Content], Any]], Any]) -> None:
        self.file = file

    @asked
    def check(self, content: Content, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused:
        missing = [course for course in courses if course not in content["courses"]]
        return Done(tuple(Trouble(code="unknown-course", about=it, message="add it to the file") for it in missing))

    @asked
    def enrol(self, content: Content, order: Order) -> Done[Receipt] | Refused:
        pair = {"person": order.person, "course": order.course}
        closed = {(row["person"], row["course"]): row["why"] for row in content["closed"]}
        if order.course not in content["courses"] or (order.person, order.course) in closed:
            return Refused(closed.get((order.person, order.course), "unknown-course"), final=False)
        for row in content["bookings"]:
            if row | pair == row and row["progress"] in ("not-started", "in-progress"):
                return Done(Receipt(ref=row["ref"], foreign=row["key"] != order.key))
        ref = f"booking-{len(content['bookings']) + 1}"
        content["bookings"].append({"ref": ref, "key": order.key, **pair, "progress": "not-started"})
        return Done(Receipt(ref=ref))

    @asked
    def find(self, content: Content, key: str) -> Done[Booking | None] | Refused:
        row = next((row for row in reversed(content["bookings"]) if row["key"] == key), None)
        return Done(row and Booking(ref=row["ref"], progress=Progress(row["progress"])))

    @asked
    def cancel_if_not_started(self, content: Content, ref: str) -> Done[Cancelled] | Refused:
        row = next((row for row in content["bookings"] if row["ref"] == ref), None)
        if row is None or row["progress"] in STARTED:
            return Done(STARTED[row["progress"]] if row else Cancelled.NOT_FOUND)
        row["progress"] = "cancelled"
        return Done(Cancelled.CANCELLED)

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        return Refused("no-launching")
