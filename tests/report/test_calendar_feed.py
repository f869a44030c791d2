"""The calendar has an entry for each expiry and each opening, and keeps it while it is about the same renewal."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from documents import near_ready
from enrolpolicy import UnknownId, calendar_entries, calendar_feed, explain_all, load
from enrolpolicy.ahead.feeds import EntryKind, _folded
from enrolpolicy.cli import main
from test_bad_input import SOUND, changed

ON = date(2026, 11, 23)
EARLY = date(2025, 12, 2)
"""The day after the only completion."""
REGISTER = load(json.dumps(SOUND))


class TestEntries:
    """Every opening and expiry from the night on, of what is asked, is in it as `explain` tells it; nothing else is."""

    @given(near_ready())
    def test_as_explained(self, drawn: tuple[str, date]) -> None:
        document, on = drawn
        snapshot = load(document)
        archived = {person.id for person in snapshot.personnel if person.archived}
        expected = {
            (row.person, row.course, kind, day)
            for row in explain_all(snapshot, on=on)
            if row.level is not None and row.person not in archived
            for kind, day in ((EntryKind.OPENS, row.opens_on), (EntryKind.EXPIRES, row.expires_on))
            if day is not None and day >= on
        }
        entries = calendar_entries(snapshot, on=on)
        assert {(row.person, row.course, row.kind, row.on) for row in entries} == expected
        assert len({row.uid for row in entries}) == len(entries) == len(expected)
        assert [row.on for row in entries] == sorted(row.on for row in entries)

    def test_the_identity_outlives_a_change_of_dates(self) -> None:
        moved = changed("records.0.expires_on", "2026-12-24")
        before, after = (calendar_entries(load(json.dumps(one)), on=EARLY) for one in (SOUND, moved))
        assert [row.uid for row in before] == [row.uid for row in after]
        assert [row.on for row in before] != [row.on for row in after]
        renewed = changed("records.0.completed_on", "2025-12-02")
        assert {row.uid for row in before}.isdisjoint(
            row.uid for row in calendar_entries(load(json.dumps(renewed)), on=EARLY)
        )

    def test_some_of_them(self) -> None:
        everything = calendar_entries(REGISTER, on=EARLY)
        assert everything
        assert calendar_entries(REGISTER, on=EARLY, people={"ana"}) == everything
        assert calendar_entries(REGISTER, on=EARLY, people={"bo"}) == ()
        assert calendar_entries(REGISTER, on=EARLY, courses={"water"}) == ()
        divided = evolve(
            REGISTER,
            personnel=tuple(
                evolve(row, division="north" if row.id == "ana" else "south") for row in REGISTER.personnel
            ),
        )
        assert calendar_entries(divided, on=EARLY, divisions={"north"}) == everything
        assert calendar_entries(divided, on=EARLY, divisions={"south"}) == ()

    @pytest.mark.parametrize("of", ["people", "courses", "divisions"])
    def test_of_nobody_known(self, of: str) -> None:
        """A feed that stays empty for ever is one that nobody notices."""
        asked: dict[str, Any] = {of: {"gone"}}
        with pytest.raises(UnknownId, match="`gone`"):
            calendar_entries(REGISTER, on=ON, **asked)

    def test_the_last_valid_day_is_the_last_with_an_entry(self) -> None:
        [entry] = calendar_entries(REGISTER, on=date(2026, 12, 1))
        assert (entry.kind, entry.on) == (EntryKind.EXPIRES, date(2026, 12, 1))
        assert calendar_entries(REGISTER, on=date(2026, 12, 2)) == ()


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


class TestTheDocument:
    """It is what RFC 5545 asks for, whatever people and courses are called; a calendar program reads it back whole."""

    @given(TEXT, TEXT)
    def test_a_calendar_reads_it_back(self, person: str, course: str) -> None:
        named = evolve(
            REGISTER,
            personnel=tuple(evolve(row, name=person) for row in REGISTER.personnel),
            courses=tuple(evolve(row, name=course) for row in REGISTER.courses),
        )
        entries = calendar_entries(named, on=EARLY)
        text = calendar_feed(entries, account="acme; x,\ny", on=ON)
        events: list[Any] = Calendar.from_ical(text).walk("VEVENT")
        assert len(events) == len(entries) > 0
        for entry, event in zip(entries, events, strict=True):
            assert event.errors == []
            assert event["UID"] == entry.uid
            assert event["DTSTART"].dt == entry.on
            assert str(event["DTSTAMP"].dt) == f"{ON} 00:00:00+00:00"
            assert _printable(event["SUMMARY"]) == _printable(entry.summary)
            assert _printable(event["DESCRIPTION"]) == _printable(entry.description)

    @given(TEXT)
    def test_lines(self, name: str) -> None:
        named = evolve(REGISTER, personnel=tuple(evolve(row, name=name) for row in REGISTER.personnel))
        text = calendar_feed(calendar_entries(named, on=EARLY), account="acme", on=ON)
        lines = text.encode().split(b"\r\n")
        assert lines.pop() == b""
        for line in lines:
            assert 0 < len(line) <= 75
            line.decode()
            assert not {*range(32), 127} - {9} & set(line)
        unfolded = text.replace("\r\n ", "")
        assert unfolded.count("\r\nBEGIN:VEVENT\r\n") == unfolded.count("\r\nUID:ep1-") == 2

    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n")))
    def test_folding_loses_nothing(self, line: str) -> None:
        pieces = list(_folded(line))
        assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
        assert all(piece.startswith(" ") for piece in pieces[1:])

    def test_the_same_bytes_every_time(self) -> None:
        made = {calendar_feed(calendar_entries(REGISTER, on=ON), account="acme", on=ON) for _ in range(3)}
        assert len(made) == 1


def _printable(text: object) -> str:
    return "".join(char for char in str(text) if char.isprintable())


class TestTheCommand:
    """`calendar` prints the feed, or writes it in one step."""

    @pytest.fixture
    def document(self, tmp_path: Path) -> str:
        path = tmp_path / "snapshot.json"
        path.write_text(json.dumps(SOUND), encoding="utf-8")
        return str(path)

    def test_printed(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["calendar", document, "--on", str(ON)]) == 0
        assert len(Calendar.from_ical(capsys.readouterr().out).walk("VEVENT")) == 1

    def test_written(self, document: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert (
            main(["calendar", document, "--on", str(ON), "--out", str(tmp_path / "feed.ics"), "--person", "ana"]) == 0
        )
        content = (tmp_path / "feed.ics").read_bytes()
        assert content.startswith(b"BEGIN:VCALENDAR\r\n")
        assert content.count(b"BEGIN:VEVENT") == 1
        assert "wrote 1 entry to" in capsys.readouterr().err

    def test_somebody_unknown(self, document: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["calendar", document, "--on", str(ON), "--person", "an"]) == 2
        assert main(["calendar", document, "--on", str(ON), "--course", "fir"]) == 2
        assert "did you mean `fire`" in capsys.readouterr().err
