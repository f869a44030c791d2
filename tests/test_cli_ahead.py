"""The commands that look ahead, and back: what goes where, how they end, and how they look."""

import csv
import io
import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import (
    Assumptions,
    CancelEnrolment,
    ChangeAccount,
    ChangeCourse,
    ChangeOptOut,
    ChangePerson,
    Guards,
    InvalidSnapshot,
    PastEnrolment,
    Scope,
    TopUp,
    Withdrawal,
    back_test,
    course_panel,
    course_register,
    coverage,
    dump,
    forecast,
    forecast_csv,
    load,
    load_changes,
    load_past_enrolments,
    personnel_profile,
    plan,
    what_helps,
    what_if,
)
from enrolpolicy.ahead.amending import KINDS, change_json
from enrolpolicy.ahead.words import change_words
from enrolpolicy.cli import main
from enrolpolicy.cli.forecast_text import bar
from enrolpolicy.tabular import cell, table
from enrolpolicy.text import WIDTH, Style, columns
from terminal import on_a_terminal

ON = date(2026, 11, 23)
NIGHT = ("--on", "2026-11-23")
DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def demo(tmp_path: Path) -> str:
    path = tmp_path / "demo.json"
    path.write_bytes(files("enrolpolicy").joinpath("demo.json").read_bytes())
    return str(path)


def written(tmp_path: Path, value: object) -> str:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def as_json(capsys: Capture, *arguments: str) -> Any:
    assert main([*arguments, "--format", "json"]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return json.loads(out.out)


class TestWhatIf:
    """`what-if` says what would be different, from settings as they are called in the documents."""

    def test_text(self, demo: str, capsys: Capture) -> None:
        assert main(["what-if", demo, *NIGHT, "--set", "account.missing_since=none", "--top-up", "100"]) == 0
        text = capsys.readouterr().out
        assert "  --set account.missing_since=none\n  --top-up 100\n" in text
        assert re.search(r"credits they take +17 +40 +\+23", text)
        assert "Enrolled as well 24" in text
        assert "… and 12 more; --format json has them all" in text

    def test_json(self, demo: str, capsys: Capture) -> None:
        found = as_json(capsys, "what-if", demo, *NIGHT, "--set", "course.height.auto_enrol=false")
        assert [row["course"] for row in found["removed"]] == ["height"] * 3
        assert [row["course"] for row in found["added"]] == ["manual-handling", "slips-trips"]  # who had waited
        assert [row["person"] for row in found["cancelled"]] == ["neil-carver"]
        assert {row["id"] for row in found["courses"]} == {"height", "manual-handling", "slips-trips"}

    def test_nothing_different(self, demo: str, capsys: Capture) -> None:
        assert main(["what-if", demo, *NIGHT, "--set", "account.auto_enrol=true"]) == 0
        assert "nothing would be different" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "nothing is to be different; say what with --set"),
            (["--set", "lead=3"], "`lead=3` is not a setting; write it as account.NAME=VALUE"),
            (["--set", "account.led_days=3"], "names no setting; did you mean `lead_days`?"),
            (["--set", "account.lead_days=soon"], "must be a whole number from 0 to 3650, not `soon`"),
            (["--set", "account.lead_days=3651"], "must be a whole number from 0 to 3650, not `3651`"),
            (["--set", "account.auto_enrol=yes"], "must be true or false, not `yes`"),
            (["--set", "account.credits=50"], "is not a setting but a balance; ask with --top-up"),
            (["--set", "account.guards=5"], "is several settings; write each as account.guards.NAME=VALUE"),
            (["--set", "account.guards.max=5"], "names no setting; there is `max_enrolments`"),
            (["--set", "account.fire.lead_days=5"], "is not a setting; write it as"),
            (["--set", "account.missing_since=2026-02-30"], "must be a date that exists"),
            (["--set", "account.withdraw_when=superseeded"], "must be one of `superseded`"),
            (["--set", "course.lead_days=5"], "does not say which course"),
            (
                ["--set", "course.hieght.lead_days=5"],
                "there is no course `hieght` in the snapshot; did you mean `height`?",
            ),
            (["--set", "course.height.lead_days=none", "--set", "course.height.name=x"], "names no setting"),
            (["--set", "person.nobody.auto_enrol=false"], "there is no person `nobody` in the snapshot"),
            (["--opt-out", "priya-nair"], "is not a person and a course; write it as PERSON:COURSE"),
            (["--opt-out", "priya-nair:fire-safty"], "names no course of the snapshot; did you mean `fire-safety`?"),
            (["--opt-in", "zzz:fire-safety"], "names no person of the snapshot; check the id's spelling"),
            (["--cancel", "booking-9999"], "there is no enrolment `booking-9999` in the snapshot"),
            (["--cancel", "booking-102"], "`booking-102` cannot be cancelled: the person has started the course"),
            (["--top-up", "-1"], "is not a number of credits, from 0 to 999999999"),
        ],
    )
    def test_what_cannot_be_asked(self, demo: str, capsys: Capture, arguments: list[str], words: str) -> None:
        """One clear sentence, and nothing on standard output."""
        assert main(["what-if", demo, *NIGHT, *arguments]) == 2
        out = capsys.readouterr()
        assert words in out.err
        assert (out.out, "Traceback" in out.err) == ("", False)

    def test_a_file_of_changes(self, demo: str, tmp_path: Path, capsys: Capture) -> None:
        changes = [
            {"change": "person", "person": "priya-nair", "auto_enrol": False},
            {"change": "top-up", "credits": 3},
        ]
        found = as_json(capsys, "what-if", demo, *NIGHT, "--changes", written(tmp_path, changes))
        assert [row["person"] for row in found["removed"]] == ["priya-nair"]

    def test_a_file_with_something_wrong_in_it(self, demo: str, tmp_path: Path, capsys: Capture) -> None:
        changes = [{"change": "acount"}, {"change": "course", "auto_enrol": "no", "lead": 3}, 5]
        assert main(["what-if", demo, *NIGHT, "--changes", written(tmp_path, changes)]) == 65
        assert capsys.readouterr().err.splitlines() == [
            "$[0].change: must be one of `account`, `course`, `person`, `opt-out`, `cancel`, `top-up`, not `acount`",
            "$[1].lead: is not a key here; did you mean `lead_days`?",
            "$[1].course: is missing, and has no default; add it",
            "$[1].auto_enrol: must be true or false, not `no`",
            "$[2]: must be an object, not `5`",
        ]

    def test_both_from_standard_input(self, capsys: Capture) -> None:
        assert main(["what-if", "-", *NIGHT, "--changes", "-"]) == 2
        assert "not both" in capsys.readouterr().err

    def test_a_plan_that_would_be_stopped(self, demo: str, capsys: Capture) -> None:
        assert main(["what-if", demo, *NIGHT, "--set", "account.guards.max_enrolments=5"]) == 0
        assert "nothing would be different" in capsys.readouterr().out
        arguments = ["--set", "account.guards.max_enrolments=5", "--set", "person.priya-nair.auto_enrol=false"]
        assert main(["what-if", demo, *NIGHT, *arguments]) == 0
        assert "that plan would be stopped by max-enrolments" in capsys.readouterr().out


class TestChangesAsWords:
    """Every change can be read from JSON, and be written as the command line has it."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (
                ChangeAccount(missing_since=None, lead_days=5),
                "--set account.missing_since=none --set account.lead_days=5",
            ),
            (ChangeAccount(missing_since=ON), "--set account.missing_since=2026-11-23"),
            (
                ChangeAccount(withdraw_when=frozenset({Withdrawal.SUPERSEDED, Withdrawal.OUT_OF_SCOPE})),
                "--set account.withdraw_when=out-of-scope,superseded",
            ),
            (
                ChangeAccount(guards=Guards(max_cancelled_fraction=0.5)),
                "--set account.guards.max_enrolments=none --set account.guards.max_credits=none "
                "--set account.guards.max_cancellations=none --set account.guards.max_cancelled_fraction=0.5",
            ),
            (ChangeCourse(course="a.b", scope=Scope.REQUIRED), "--set course.a.b.scope=required"),
            (ChangePerson(person="ana", auto_enrol=False), "--set person.ana.auto_enrol=false"),
            (ChangeOptOut(person="ana", course="fire", opted_out=True), "--opt-out ana:fire"),
            (ChangeOptOut(person="ana", course="fire", opted_out=False), "--opt-in ana:fire"),
            (CancelEnrolment(enrolment="e1"), "--cancel e1"),
            (TopUp(credits=5), "--top-up 5"),
        ],
    )
    def test_there_and_back(self, change: Any, words: str) -> None:
        assert change_words(change) == words
        assert load_changes(json.dumps([change_json(change)])) == (change,)

    def test_every_kind_has_a_name(self) -> None:
        assert len({*KINDS.values()}) == len(KINDS) == 6

    def test_several_words_for_one_setting(self, demo: str, capsys: Capture) -> None:
        words = "account.withdraw_when=superseded,person-archived"
        found = as_json(
            capsys, "what-if", demo, *NIGHT, "--set", words, "--set", "account.guards.max_cancelled_fraction=0.5"
        )
        assert {row["because"] for row in found["spared"]} == {
            "no-longer-assigned", "course-archived", "person-disabled", "course-disabled", "out-of-audience",
            "out-of-scope",
        }  # fmt: skip

    def test_no_list(self) -> None:
        with pytest.raises(InvalidSnapshot, match="must be a list of objects, not an object"):
            load_changes("{}")


class TestForecast:
    """`forecast` tells the months to come, as text, JSON, or CSV."""

    def test_text(self, demo: str, capsys: Capture) -> None:
        assert main(["forecast", demo, *NIGHT]) == 0
        text = capsys.readouterr().out
        assert "brackley-works · Monday 23 November 2026 to Tuesday 23 November 2027" in text
        assert "assumed: whoever is booked completes it 14 days after" in text
        assert len(re.findall(r"^  20\d\d-\d\d ", text, re.MULTILINE)) == 13
        assert "would have to wait" in text

    def test_json(self, demo: str, capsys: Capture) -> None:
        found = as_json(capsys, "forecast", demo, *NIGHT, "--until", "2026-12-31", "--completed", "never")
        tonight = plan(DEMO, on=ON)
        assert found["nights"][0]["enrolments"] == tonight.counts.enrol
        first = [row for row in found["enrolments"] if row["on"] == "2026-11-23"]
        assert [(row["person"], row["course"]) for row in first] == [(r.person, r.course) for r in tonight.enrolments]
        assert found["assume"] == {"completed": "never", "after_days": 14, "share": 1.0}
        assert sum(row["lapses"] for row in found["months"]) == len(found["lapses"])

    @pytest.mark.parametrize(
        ("rows", "head"), [("nights", "on"), ("months", "month"), ("enrolments", "on"), ("lapses", "on")]
    )
    def test_csv(self, demo: str, capsys: Capture, rows: str, head: str) -> None:
        assert main(["forecast", demo, *NIGHT, "--until", "2026-12-31", "--format", "csv", "--rows", rows]) == 0
        lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out), strict=True))
        assert lines
        assert all(re.fullmatch(r"2026-1[12]-\d\d", line[head]) for line in lines)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--until", "2026-11-22"], "2026-11-22 is before 2026-11-23; give a later date to --until"),
            (["--days", "3651"], "is not a number of days, from 0 to 3650"),
            (["--share", "80%"], "is not a share, a number from 0 to 1 such as 0.8"),
            (["--share", "nan"], "is not a share"),
            (["--rows", "months"], "add --format csv"),
        ],
    )
    def test_what_cannot_be_asked(self, demo: str, capsys: Capture, arguments: list[str], words: str) -> None:
        assert main(["forecast", demo, *NIGHT, *arguments]) == 2
        out = capsys.readouterr()
        assert words in out.err
        assert out.out == ""


class TestACell:
    """No spreadsheet takes a cell for a formula, whatever it begins with; every other cell is as it is."""

    @given(st.text(max_size=8), st.sampled_from("=+-@\t\r\n\x00＝＋－＠"), st.sampled_from(["", " ", "  ", "\u00a0"]))
    def test_formulas(self, rest: str, first: str, blanks: str) -> None:
        assert cell(f"{blanks}{first}{rest}") == f"'{blanks}{first}{rest}"

    @given(st.text(max_size=20))
    def test_all_text(self, text: str) -> None:
        _, [back] = csv.reader(io.StringIO(table(["x"], [[text]]), newline=""))
        assert back in (text, f"'{text}")
        assert back.lstrip()[:1] not in {*"=+-@＝＋－＠"}
        assert back[:1] not in {*"\t\r\n\x00"}

    def test_others(self) -> None:
        values: list[object] = ["ana", "a=b", 5, -5, None, ON]
        assert [cell(value) for value in values] == ["ana", "a=b", 5, -5, None, "2026-11-23"]

    def test_in_a_forecast(self) -> None:
        from attrs import evolve

        def bad(id: str) -> str:
            return f"=cmd|'/c calc'!A1 {id}"

        hostile = load(dump(DEMO).replace('"bogdan-ilic"', json.dumps(bad("bogdan-ilic"))))
        text = forecast_csv(forecast(hostile, start=ON, until=ON), "enrolments")
        assert "'=cmd|" in text
        assert not re.search(r"(^|,)\"?=", text)
        assert evolve(hostile) == hostile


class TestCoverage:
    """`coverage` says where required training stands, and what one change would help."""

    def test_text(self, demo: str, capsys: Capture) -> None:
        assert main(["coverage", demo, *NIGHT]) == 0
        text = capsys.readouterr().out
        assert re.search(r"14  stuck +due, and nothing is on its way", text)
        assert re.search(r"6 +5 +--set account\.missing_since=none", text)
        assert "reachable: Joao Pinto, Working at Height: the person has no usable e-mail address" in text
        assert re.search(r"Cyber Security +94% +100%", text)

    def test_json(self, demo: str, capsys: Capture) -> None:
        found = as_json(capsys, "coverage", demo, *NIGHT)
        assert found["counts"]["stuck"] == sum(found["stuck"].values()) == 14
        assert found["remedies"][0] == {
            "change": {"change": "account", "missing_since": None}, "helps": 6, "credits": 5, "later": [],
            "now": found["remedies"][0]["now"],
        }  # fmt: skip
        assert "remedies" not in as_json(capsys, "coverage", demo, *NIGHT, "--no-remedies")


class TestBackTest:
    """`back-test` says how far both sides agree, and each difference by its rule."""

    ROWS = (
        ("bogdan-ilic", "height", "2026-11-07"),
        ("daniel-osei", "fire-safety", "2026-11-05"),
        ("nobody", "height", "2026-11-05"),
        ("farid-aziz", "height", "2026-10-05"),
    )

    def file(self, tmp_path: Path) -> str:
        return written(tmp_path, [{"person": person, "course": course, "on": on} for person, course, on in self.ROWS])

    NIGHTS = ("--from", "2026-11-01", "--until", "2026-11-22")

    def test_text(self, demo: str, tmp_path: Path, capsys: Capture) -> None:
        assert main(["back-test", demo, "--enrolments", self.file(tmp_path), *self.NIGHTS]) == 0
        text = capsys.readouterr().out
        assert re.search(r"1  agreed +on the same night", text)
        assert "theirs-only · person-enabled 1" in text
        assert "of people or courses the snapshot does not have, and not compared; the first is" in text
        assert "on other nights than were asked about" in text

    def test_json(self, demo: str, tmp_path: Path, capsys: Capture) -> None:
        found = as_json(capsys, "back-test", demo, "--enrolments", self.file(tmp_path), *self.NIGHTS)
        assert found["counts"]["agreed"] == 1
        assert {"match": "theirs-only", "rule": "person-enabled", "count": 1} in found["rules"]
        assert [row["person"] for row in found["unknown"]] == ["nobody"]

    def test_something_wrong(self, demo: str, tmp_path: Path, capsys: Capture) -> None:
        path = written(tmp_path, [{"person": "ana", "course": "fire", "on": "05/11/2026"}, {"person": ""}])
        assert main(["back-test", demo, "--enrolments", path, *self.NIGHTS]) == 65
        assert capsys.readouterr().err.splitlines() == [
            "$[0].on: must be a date that exists, written YYYY-MM-DD, not `05/11/2026`",
            "$[1].course: is missing, and has no default; add it",
            "$[1].on: is missing, and has no default; add it",
            "$[1].person: must have 1 to 255 characters, not 0",
        ]
        backwards = ("--from", "2026-11-22", "--until", "2026-11-01")
        assert main(["back-test", demo, "--enrolments", path, *backwards]) == 2
        assert "give a later date to --until" in capsys.readouterr().err
        assert main(["back-test", "-", "--enrolments", "-", *self.NIGHTS]) == 2
        assert "not both" in capsys.readouterr().err

    def test_rows_from_json(self) -> None:
        text = '[{"person": "ana", "course": "fire", "on": "2026-11-05"}]'
        assert load_past_enrolments(text) == (PastEnrolment(person="ana", course="fire", on=date(2026, 11, 5)),)


class TestHowItLooks:
    """No line is wider than a hundred columns, and nothing in the data reaches a terminal as a command."""

    @pytest.mark.parametrize("name", ["plain", "x" * 120, "漢字" * 60, "\x1b[2Jgone", "a\u202eb"])
    def test_a_hundred_columns(self, tmp_path: Path, capsys: Capture, name: str) -> None:
        document = json.loads(dump(DEMO))
        for table_name in ("personnel", "courses", "roles"):
            for row in document[table_name]:
                row["name"] = name
        path = written(tmp_path, document)
        theirs = tmp_path / "theirs.json"
        theirs.write_text(json.dumps([{"person": "x" * 255, "course": "height", "on": "2026-11-05"}]), encoding="utf-8")
        nights = ("--from", "2026-11-01", "--until", "2026-11-22")
        for arguments in (
            ["what-if", path, *NIGHT, "--set", "account.missing_since=none", "--set", "course.height.auto_enrol=false"],
            ["forecast", path, *NIGHT, "--until", "2026-12-31", "--share", "0.3", "--completed", "last-day"],
            ["coverage", path, *NIGHT],
            ["back-test", path, "--enrolments", str(theirs), *nights],
        ):
            assert main(arguments) == 0
            lines = capsys.readouterr().out.splitlines()
            assert max(map(columns, lines)) <= WIDTH
            assert not any("\x1b" in line or "\u202e" in line for line in lines)

    def test_bars(self) -> None:
        assert [bar(value, 8, 4, Style()) for value in (0, 1, 4, 8)] == ["", "▌", "██", "████"]
        assert [bar(value, 8, 4, Style(marks=False)) for value in (0, 1, 8)] == ["", "#", "####"]


class TestDocuments:
    """Equal values give equal bytes, one newline at the end."""

    @given(near_ready())
    @settings(max_examples=15)
    def test_every_kind(self, drawn: tuple[str, date]) -> None:
        snapshot, on = load(drawn[0]), drawn[1]
        found = coverage(snapshot, on=on)
        values: list[Any] = [
            what_if(snapshot, [ChangeAccount(auto_enrol=False)], on=on),
            forecast(snapshot, start=on, until=on, assume=Assumptions(after_days=0)),
            found,
            *what_helps(snapshot, found),
            back_test(snapshot, [], start=on, until=on),
            *course_register(snapshot),
            course_panel(snapshot, course=snapshot.courses[0].id, on=on),
            personnel_profile(snapshot, person=snapshot.personnel[0].id, on=on),
        ]
        for value in values:
            text = dump(value)
            assert text == dump(value)
            assert text.endswith("}\n")
            assert isinstance(json.loads(text), dict)


LONG = (
    ("what-if DEMO --on 2026-11-23 --top-up 5", ["reading", "planning twice"], 0),
    (
        "forecast DEMO --on 2026-11-23",
        [
            "reading",
            "forecasting 2026-11-23, 0 %",
            "forecasting 2027-11-23, 100 %",
            "looking for the smallest top-up: 2027",
        ],
        0,
    ),
    ("coverage DEMO --on 2026-11-23", ["looking at every required training", "trying what would help, 1 of 10"], 0),
    ("back-test DEMO --enrolments PAST --from 2026-10-01 --until 2026-11-01", ["planning again 2026-11-01, 100 %"], 0),
    ("report DEMO --on 2026-11-23 --out OUT", ["planning", "trying what would help", "looking ahead to May 2027"], 0),
    ("calendar DEMO --on 2026-11-23 --out OUT", ["reading"], 0),
    ("import MATRIX --account acme", ["reading"], 0),
)


class TestWhatTakesLong:
    """On a terminal it says what it is doing, and wipes that away at the end; elsewhere it says nothing of that."""

    @pytest.mark.parametrize(("words", "doing", "code"), LONG, ids=[words.split()[0] for words, _, _ in LONG])
    def test_progress(
        self, words: str, doing: list[str], code: int, demo: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "matrix.csv").write_text("Name,Fire (completed)\nAna,2026-01-31\n", encoding="utf-8")
        past = written(tmp_path, [{"person": "priya-nair", "course": "fire-safety", "on": "2026-10-10"}])
        files = {"DEMO": demo, "PAST": past, "OUT": str(tmp_path / "out"), "MATRIX": str(tmp_path / "matrix.csv")}
        arguments = [files.get(word, word) for word in words.split()]
        shown = on_a_terminal(*arguments, code=code)
        for what in doing:
            assert f"\r\x1b[K{what}" in shown
        assert "…" not in shown[shown.rindex("\r\x1b[K") :].partition("\n")[0]
        assert main(arguments) == code
        out, err = capfd.readouterr()
        assert "\r" not in err + out.replace("\r\n", "")
        assert not any(f"{what} …" in err for what in doing)
        assert err == "" or err.startswith("wrote ")
