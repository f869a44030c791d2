"""The LMS that is a JSON file sits the exam: its harness looks into the file, past the adapter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

import json_lms
from enrolpolicy.ports import Progress
from enrolpolicy.testing import LmsContract, LmsHarness, Mishap, Seen, Unsupported
from json_lms import Content, JsonFile, JsonLms

T = TypeVar("T")


class World:
    """The file, and a disk that fails when it is told to."""

    def __init__(self, path: Path) -> None:
        path.write_text(json.dumps({"courses": [], "closed": [], "bookings": []}))
        self.file = JsonFile(path)
        self.next: Mishap | None = None

    def __call__(self, change: Callable[[Content], T]) -> T:
        mishap, self.next = self.next, None
        if mishap is Mishap.LOST_REQUEST:
            raise OSError("/mnt/secret/lms.json: no such file")
        if mishap is Mishap.NONSENSE:
            raise json.JSONDecodeError("expecting a value", "{", 0)
        answer = self.file(change)
        if mishap is Mishap.LOST_ANSWER:
            raise OSError("/mnt/secret/lms.json: input/output error")
        return answer

    def befall(self, mishap: Mishap) -> None:
        if mishap is Mishap.STALL:
            raise Unsupported("stalling disk")
        self.next = mishap

    def given(self, person: str, course: str) -> None:
        self.file(lambda content: course in content["courses"] or content["courses"].append(course))

    def refuse(self, person: str, course: str, reason: str) -> None:
        self.file(lambda content: content["closed"].append({"person": person, "course": course, "why": reason}))

    def allow(self, person: str, course: str) -> None:
        self.file(lambda content: content["closed"].clear())

    def book_by_hand(self, person: str, course: str) -> None:
        row = {"ref": "by-hand", "key": None, "person": person, "course": course, "progress": "not-started"}
        self.file(lambda content: content["bookings"].append(row))

    def progress(self, to: str) -> Callable[[str], None]:
        def goes_on(key: str) -> None:
            def change(content: Any) -> None:
                for row in content["bookings"]:
                    if row["key"] == key and row["progress"] != "cancelled":
                        row["progress"] = to

            self.file(change)

        return goes_on

    def peek(self) -> tuple[Seen, ...]:
        rows = json.loads(self.file.path.read_text())["bookings"]
        return tuple(
            Seen(key=row["key"], person=row["person"], course=row["course"], progress=Progress(row["progress"]))
            for row in rows
        )


class TestAnLmsThatIsAJsonFile(LmsContract):
    """The example of an LMS without keys passes the exam of LMSs."""

    @pytest.fixture
    def harness(self, tmp_path: Path) -> LmsHarness:
        world = World(tmp_path / "lms.json")
        return LmsHarness(
            lms=JsonLms(world),
            peek=world.peek,
            secrets=("/mnt/secret",),
            launches=False,
            given=world.given,
            learner_starts=world.progress("in-progress"),
            learner_completes=world.progress("completed"),
            refuse=world.refuse,
            allow=world.allow,
            befall=world.befall,
            book_by_hand=world.book_by_hand,
            unknown_course=lambda: "no-such-course",
            another=lambda: JsonLms(world),
        )


def test_it_is_short() -> None:
    """An adapter need not be longer than this."""
    lines = Path(json_lms.__file__).read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) < 80
