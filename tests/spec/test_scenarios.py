"""The stories in `tests/scenarios`, played. Their language is described there, for people who do not program."""

import json
import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from enrolpolicy import (
    CancelRefused,
    Enrolment,
    EnrolmentStatus,
    Event,
    HeldRole,
    OptOut,
    Plan,
    Snapshot,
    TrainingRecord,
    cancel,
    explain,
    load,
    move,
    plan,
    project,
)

FILES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.toml"))
NIGHT_KEYS = {"on", "enrolled", "cancelled", "invited", "waiting", "left_out", "noticed", "guards", "then"}
DAY = r"\d{4}-\d\d-\d\d"

Document = dict[str, Any]


# The register


def parts(pattern: str, text: str) -> tuple[Any, ...]:
    """The groups of a phrase; a phrase nobody knows fails the scenario."""
    found = re.fullmatch(pattern, text)
    assert found, f"`{text}` is not understood"
    return found.groups()


def held(text: str) -> Document:
    role, since = parts(rf"(\S+)(?: since ({DAY}))?", text)
    return {"role": role, **({"assigned_on": since} if since else {})}


def taken(person: str, text: str) -> Document:
    course, on, until, forever, voided = parts(rf"(\S+) ({DAY})(?: until ({DAY})|( for ever))?( voided)?", text)
    ends = {"expires_on": until} if until else {"never_expires": True} if forever else {}
    return {"person": person, "course": course, "completed_on": on, "voided": bool(voided), **ends}


def asked(person: str, text: str) -> Document:
    course, level, since = parts(rf"(\S+) (required|optional)(?: since ({DAY}))?", text)
    return {"person": person, "course": course, "level": level, **({"assigned_on": since} if since else {})}


def booking(person: str, text: str, origin: str) -> Document:
    course, cycle = parts(rf"(\S+)(?: (first|{DAY}))?", text)
    at = "2026-11-01T00:00:00Z"
    row = {"id": f"{person}-{course}-{origin}", "person": person, "course": course, "origin": origin}
    return {**row, "status": "booked", "cycle": cycle, "enrolled_at": at, "invited_at": at}


def register(story: Document) -> Snapshot:
    """What stands before the first night, with everything not said as usual."""
    people: list[Document] = []
    rows: dict[str, list[Document]] = {"assignments": [], "records": [], "enrolments": [], "opt_outs": []}
    for id, said in story.get("people", {}).items():
        roles = [held(text) for text in said.pop("roles", [])]
        rows["records"] += [taken(id, text) for text in said.pop("took", [])]
        rows["assignments"] += [asked(id, text) for text in said.pop("asked", [])]
        rows["enrolments"] += [booking(id, text, "auto") for text in said.pop("booked", [])]
        rows["enrolments"] += [booking(id, text, "manual") for text in said.pop("booked_by_hand", [])]
        rows["opt_outs"] += [{"person": id, "course": course} for course in said.pop("opted_out", [])]
        people.append({"id": id, "email": f"{id}@acme.example", "employment": "employee", "roles": roles, **said})
    courses = [
        {"id": id, "delivery": "ihasco", "auto_enrol": True, **said} for id, said in story.get("courses", {}).items()
    ]
    roles = [
        {"id": id, "requirements": [{"course": course, "level": level} for course, level in said.items()]}
        for id, said in story.get("roles", {}).items()
    ]
    document = {
        "format_version": "1.0",
        "account": {"id": "acme", **story.get("account", {})},
        "courses": courses,
        "roles": roles,
        "personnel": people,
        **rows,
    }
    return load(json.dumps(document, default=date.isoformat))


# What a night did


def told(tonight: Plan) -> dict[str, list[str]]:
    waiting = [
        f"{row.person} {row.course}, {row.because}, "
        + (f"until {row.until}" if row.until else f"{row.shortfall} short")
        for row in tonight.deferred
    ]
    return {
        "enrolled": [f"{row.person} {row.course}, {row.because}" for row in tonight.enrolments],
        "cancelled": [f"{row.person} {row.course}, {row.because}" for row in tonight.cancellations],
        "invited": [f"{row.person} {row.course}" for row in tonight.invitations],
        "waiting": waiting,
    }


def reasons(snapshot: Snapshot, text: str, on: date) -> str:
    person, course = parts(r"(\S+) (\S+), .*", text)
    why = explain(snapshot, person=person, course=course, on=on)
    assert why.outcome == "not-enrolled"
    return ", ".join((f"{person} {course}", *(why.shut or ("no-trigger",))))


# What happens in between


def booked(snapshot: Snapshot, person: str, course: str) -> Enrolment:
    """The enrolment that was made last."""
    return [row for row in snapshot.enrolments if (row.person, row.course) == (person, course)][-1]


def with_booking(snapshot: Snapshot, row: Enrolment) -> Snapshot:
    return evolve(snapshot, enrolments=tuple(row if old.id == row.id else old for old in snapshot.enrolments))


def moved(snapshot: Snapshot, row: Enrolment, event: Event, on: date) -> Snapshot:
    status = move(row.status, event)
    assert isinstance(status, EnrolmentStatus), status.sentence
    ended = None if status is EnrolmentStatus.IN_PROGRESS else on
    return with_booking(snapshot, evolve(row, status=status, ended_on=ended))


def starts(snapshot: Snapshot, on: date, person: str, course: str) -> Snapshot:
    return moved(snapshot, booked(snapshot, person, course), Event.START, on)


def completes(snapshot: Snapshot, on: date, person: str, course: str) -> Snapshot:
    if booked(snapshot, person, course).status is EnrolmentStatus.BOOKED:
        snapshot = starts(snapshot, on, person, course)
    return moved(snapshot, booked(snapshot, person, course), Event.COMPLETE, on)


def recorded(snapshot: Snapshot, on: date, person: str, course: str) -> Snapshot:
    ended = booked(snapshot, person, course).ended_on
    assert ended is not None
    return takes(snapshot, on, person, course, ended.isoformat())


def takes(snapshot: Snapshot, _on: date, person: str, course: str, day: str) -> Snapshot:
    row = TrainingRecord(person=person, course=course, completed_on=date.fromisoformat(day))
    return evolve(snapshot, records=(*snapshot.records, row))


def cancelled(snapshot: Snapshot, on: date, person: str, course: str) -> Snapshot:
    row = booked(snapshot, person, course)
    assert not isinstance(cancel(snapshot, row.id), CancelRefused)
    return with_booking(snapshot, evolve(row, status=EnrolmentStatus.CANCELLED, ended_on=on, ended_because="requested"))


def refused(snapshot: Snapshot, on: date, person: str, course: str) -> Snapshot:
    row = booked(snapshot, person, course)
    return with_booking(
        snapshot, evolve(row, status=EnrolmentStatus.REFUSED, ended_on=on, ended_because="no licence left")
    )


def uninvited(snapshot: Snapshot, _on: date, person: str, course: str) -> Snapshot:
    return with_booking(snapshot, evolve(booked(snapshot, person, course), invited_at=None))


def with_person(snapshot: Snapshot, person: str, **values: Any) -> Snapshot:
    rows = tuple(evolve(row, **values) if row.id == person else row for row in snapshot.personnel)
    return evolve(snapshot, personnel=rows)


def leaves(snapshot: Snapshot, _on: date, person: str) -> Snapshot:
    return with_person(snapshot, person, archived=True)


def returns(snapshot: Snapshot, _on: date, person: str) -> Snapshot:
    return with_person(snapshot, person, archived=False)


def gets(snapshot: Snapshot, on: date, person: str, role: str) -> Snapshot:
    return with_person(snapshot, person, roles=(HeldRole(role=role, assigned_on=on),))


def loses(snapshot: Snapshot, _on: date, person: str, role: str) -> Snapshot:
    [row] = [row for row in snapshot.personnel if row.id == person]
    return with_person(snapshot, person, roles=tuple(held for held in row.roles if held.role != role))


def opted_out(snapshot: Snapshot, _on: date, person: str, course: str) -> Snapshot:
    return evolve(snapshot, opt_outs=(*snapshot.opt_outs, OptOut(person=person, course=course)))


def topped_up(snapshot: Snapshot, _on: date, credits: str) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, credits=int(credits)))


EVENTS: dict[str, Callable[..., Snapshot]] = {
    r"(\S+) starts (\S+)": starts,
    r"(\S+) completes (\S+)": completes,
    r"the record of (\S+) (\S+) arrives": recorded,
    rf"(\S+) takes (\S+) on ({DAY})": takes,
    r"somebody cancels (\S+) (\S+)": cancelled,
    r"the LMS refuses (\S+) (\S+)": refused,
    r"the invitation of (\S+) (\S+) is lost": uninvited,
    r"(\S+) leaves": leaves,
    r"(\S+) returns": returns,
    r"(\S+) gets (\S+)": gets,
    r"(\S+) no longer holds (\S+)": loses,
    r"(\S+) is opted out of (\S+)": opted_out,
    r"credits are (\d+)": topped_up,
}


def happened(snapshot: Snapshot, text: str, on: date) -> Snapshot:
    for pattern, event in EVENTS.items():
        found = re.fullmatch(pattern, text)
        if found:
            return event(snapshot, on, *found.groups())
    raise AssertionError(f"`{text}` is not understood")


def play(story: Document) -> None:
    assert story.keys() <= {"story", "account", "courses", "roles", "people", "nights"}
    assert story["story"].strip()
    assert story["nights"]
    snapshot = register(story)
    for night in story["nights"]:
        assert night.keys() <= NIGHT_KEYS, night
        on = night["on"]
        tonight = plan(snapshot, on=on)
        for what, rows in told(tonight).items():
            assert sorted(rows) == sorted(night.get(what, [])), f"{on}: {what}"
        for text in night.get("left_out", []):
            assert reasons(snapshot, text, on) == text, on
        assert set(night.get("noticed", [])) <= {row.code for row in tonight.findings}, on
        assert list(tonight.guards) == night.get("guards", []), on
        if tonight.applyable:
            snapshot = project(snapshot, tonight)
        for text in night.get("then", []):
            snapshot = happened(snapshot, text, on)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestStories:
    """Each story comes out as it is written, night by night, and says all that happens."""

    def test_it_comes_out(self, path: Path) -> None:
        play(tomllib.loads(path.read_text(encoding="utf-8")))

    def test_it_says_something(self, path: Path) -> None:
        """With any one expectation left out or made up, the story fails."""
        text = path.read_text(encoding="utf-8")
        spoilt = 0
        for what in ("enrolled", "cancelled", "invited", "waiting", "left_out"):
            story = tomllib.loads(text)
            for night in story["nights"]:
                if night.get(what):
                    night[what] = [f"somebody-else {row}" for row in night[what]]
                    spoilt += 1
                    break
            else:
                continue
            with pytest.raises((AssertionError, LookupError, ValueError)):
                play(story)
        assert spoilt


class TestTheLanguage:
    """A story that cannot be understood fails; it is never half-read."""

    STORY = """
story = "Ana is due."
[courses.fire]
[roles.warden]
fire = "required"
[people.ana]
roles = ["warden"]
took = ["fire 2025-12-10 until 2026-12-10"]
[[nights]]
on = 2026-11-23
enrolled = ["ana fire, expiring"]
"""

    def test_it_is_sound(self) -> None:
        play(tomllib.loads(self.STORY))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('story = "Ana is due."', ""),
            ("[courses.fire]", "[courses.fire]\ncolour = 1"),
            ("[people.ana]", "[people.ana]\nage = 7"),
            ("[people.ana]", "[staff.x]\n[people.ana]"),
            ('"required"', '"mandatory"'),
            ("until 2026-12-10", "till 2026-12-10"),
            ("enrolled =", "enroled ="),
            ('enrolled = ["ana fire, expiring"]', ""),
            ("expiring", "missing"),
            ("on = 2026-11-23", 'on = 2026-11-23\nthen = ["ana sleeps"]'),
            ("on = 2026-11-23", 'on = 2026-11-23\nleft_out = ["ana fire, reachable"]'),
            ("on = 2026-11-23", 'on = 2026-11-23\nguards = ["max-credits"]'),
            ("on = 2026-11-23", 'on = 2026-11-23\nnoticed = ["negative-credits"]'),
        ],
    )
    def test_it_is_refused(self, old: str, new: str) -> None:
        assert old in self.STORY
        with pytest.raises((AssertionError, KeyError, ValueError)):
            play(tomllib.loads(self.STORY.replace(old, new)))

    def test_there_are_enough(self) -> None:
        assert len(FILES) >= 15

    def test_the_readme_s_example(self) -> None:
        text = (FILES[0].parent / "README.md").read_text(encoding="utf-8")
        [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
        play(tomllib.loads(example))

    def test_the_readme_tells_every_event(self) -> None:
        text = " ".join((FILES[0].parent / "README.md").read_text(encoding="utf-8").split())
        phrases = re.findall(r"`([^`]+)`", text.partition("**Afterwards**")[2])[1:]
        known = {pattern for pattern in EVENTS for phrase in phrases if re.fullmatch(pattern, phrase)}
        assert known == set(EVENTS)
