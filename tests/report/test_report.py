"""The report says what the plan, the forecast and the coverage say, on a page safe from whatever people are called."""

import base64
import hashlib
import re
import sys
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import near_ready
from enrolpolicy import Account, Guards, Snapshot, coverage, forecast, load, plan
from enrolpolicy.ahead.covering import CoverageCell, Standing
from enrolpolicy.ahead.remedies import what_helps
from enrolpolicy.cli import main
from enrolpolicy.htmlreport import MissingExtra, content, report_content, report_html, report_page

ON = date(2026, 11, 23)
DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())


class Page(HTMLParser):
    """A page, taken apart: tags with their attributes, and the text in them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs)
        if tag not in {"meta", "link", "input", "rect", "line", "path", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    @property
    def shape(self) -> Counter[tuple[str, tuple[str, ...]]]:
        return Counter((tag, tuple(sorted(attributes))) for tag, attributes in self.tags)

    def all(self, attribute: str) -> list[str]:
        return [
            value or "" for _, attributes in self.tags if attribute in attributes for value in [attributes[attribute]]
        ]


SAID = report_content(DEMO, on=ON)
PAGE = report_html(SAID)
PARSED = Page(PAGE)


class TestWhatItSays:
    """It says what the functions behind it say, and no more."""

    def test_the_plan(self) -> None:
        planned, said = plan(DEMO, on=ON), SAID
        kinds = Counter(row.kind for row in said.actions)
        assert kinds["enrol"] == planned.counts.enrol
        assert kinds["wait"] == planned.counts.deferred
        assert kinds["cancel"] == planned.counts.cancel
        assert kinds["invite"] == planned.counts.invite
        assert [(row.id, row.count) for row in said.reasons] == list(planned.counts.not_enrolled)
        assert said.findings == planned.findings
        assert {figure.label: figure.value for figure in said.figures}["enrolled tonight"] == str(planned.counts.enrol)

    def test_the_year(self) -> None:
        said = SAID
        assert said.forecast == forecast(DEMO, start=ON, until=date(2027, 11, 22))
        assert said.forecast.nights[0].enrolments == plan(DEMO, on=ON).enrolments

    def test_the_coverage(self) -> None:
        covered, said = coverage(DEMO, on=ON), SAID
        cells = [cell for _, row in said.courses for cell in row if cell is not None]
        assert sum(cell.people for cell in cells) == sum(cell.people for cell in covered.cells)
        stuck = [row for row in covered.rows if row.standing is Standing.STUCK]
        lapsing = [row for row in covered.lapsing if row.standing is not Standing.STUCK]
        assert len(said.concerns) + said.concerns_off == len(stuck) + len(lapsing)
        for row in said.concerns:
            assert row.sentence
            assert "{" not in row.sentence

    def test_what_is_switched_off_is_counted_and_not_listed(self) -> None:
        """Who will lapse because a box is not ticked is one decision, and not a hundred cases to look into."""
        off = evolve(DEMO, courses=tuple(evolve(row, auto_enrol=row.id == "fire-safety") for row in DEMO.courses))
        covered, said = coverage(off, on=ON), report_content(off, on=ON)
        lapsing = [row for row in covered.lapsing if row.standing is not Standing.STUCK]
        listed = [row for row in lapsing if row.lapse_because not in ("account-enabled", "course-enabled")]
        assert 0 < said.concerns_off == len(lapsing) - len(listed)
        assert sum(row.state == "will lapse" for row in said.concerns) == len(listed)

    def test_what_would_help(self) -> None:
        assert SAID.remedies == what_helps(DEMO, coverage(DEMO, on=ON))[:8]
        assert len(SAID.remedies) == 8

    def test_nobody_reads_a_hundred_where_somebody_is_missing(self) -> None:
        said, covered = SAID, coverage(DEMO, on=ON)
        full = sum(cell.covered == 1 for cell in covered.cells)
        assert sum(cell is not None and cell.percent == 100 for _, row in said.courses for cell in row) == full

    def test_nearly_all_is_not_all(self) -> None:
        nearly = CoverageCell(course="fire", role=None, counts=((Standing.INTACT, 999), (Standing.STUCK, 1)), lapsing=0)
        cell = content._cell(nearly)
        assert cell is not None
        assert (cell.percent, cell.tone) == (99, "s9")
        assert content._cell(None) is None

    def test_everybody_of_the_plan_is_on_the_page(self) -> None:
        names = set(PARSED.inside["bdi"])
        for row in SAID.actions:
            assert {row.person, row.course} <= names

    @settings(max_examples=8)
    @given(near_ready())
    def test_any_register(self, drawn: tuple[str, date]) -> None:
        document, on = drawn
        assert Page(report_page(load(document), on=on)).open == []

    def test_the_same_page_every_time(self) -> None:
        assert report_html(SAID) == PAGE

    def test_nothing_at_all(self) -> None:
        empty = Snapshot(account=Account(id="acme"))
        for on in (ON, date.max):
            page = Page(report_page(empty, on=on))
            said = " ".join(page.texts)
            assert "Nothing is to be done tonight." in said
            assert "Every required training is valid" in said
            assert "Nobody is left out." in said
            assert "No role and no assignment" in said
            assert "Nothing to notice" in said

    def test_a_plan_that_is_stopped_says_so(self) -> None:
        stopped = evolve(DEMO, account=evolve(DEMO.account, guards=Guards(max_enrolments=0)))
        assert "Not to be carried out as it is." in page_of(stopped).texts
        assert "Not to be carried out as it is." not in PARSED.texts

    def test_credits_that_are_not_metered(self) -> None:
        free = evolve(DEMO, account=evolve(DEMO.account, credits=None))
        page = report_page(free, on=ON)
        assert "Credits left" not in page
        assert '<path class="line"' not in page
        assert "are not metered" in page

    def test_long_tables_are_cut_and_that_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from enrolpolicy.htmlreport import page

        monkeypatch.setattr(page, "MOST_ROWS", 3)
        text = " ".join(Page(report_html(SAID)).texts)
        assert re.search(r"The first 3 of 33;\s+enrolpolicy plan\s+has them all", text)


EVIL = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "<script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", "\" onmouseover=\"x", "' x='",
            "{{ 7*7 }}{% raw %}", "<!--", "]]>", "&lt;b&gt;&amp;", "\u202egnp.exe", "\0\x1b[31m", "</bdi></td></table>",
            "javascript:alert(1)", "a" * 3000, "\u200fעברית", "<svg/onload=x>", "`${x}`",
        ]
    ),
).filter(lambda text: text < "\ud800" or not any("\ud800" <= char <= "\udfff" for char in text))  # fmt: skip


def renamed(names: list[str]) -> Snapshot:
    """The demo account with other names in it, wherever a name can be."""

    def named(index: int) -> str:
        return names[index % len(names)] or "x"

    return evolve(
        DEMO,
        account=evolve(DEMO.account, id="acme"),
        courses=tuple(evolve(row, name=named(at)) for at, row in enumerate(DEMO.courses)),
        roles=tuple(evolve(row, name=named(at + 1)) for at, row in enumerate(DEMO.roles)),
        personnel=tuple(evolve(row, name=named(at + 2), division=named(at)) for at, row in enumerate(DEMO.personnel)),
        enrolments=tuple(
            evolve(row, ended_because=named(at)) if row.status.value == "refused" else row
            for at, row in enumerate(DEMO.enrolments)
        ),
    )


def page_of(snapshot: Snapshot) -> Page:
    """The page, without walking through the year again: no name is in a forecast, nor in a change."""
    with patch.multiple(content, forecast=lambda *_, **__: SAID.forecast, what_helps=lambda *_, **__: SAID.remedies):
        return Page(report_page(snapshot, on=ON))


PLAIN = page_of(renamed(["x"])).shape


class TestHostileNames:
    """Whatever people, courses, roles and divisions are called, the page has the same tags and attributes."""

    @settings(max_examples=10)
    @given(st.lists(EVIL, min_size=1, max_size=6))
    def test_the_same_tags(self, names: list[str]) -> None:
        page = page_of(renamed(names))
        assert page.shape == PLAIN
        shown = "".join(page.texts)
        assert not any(char in shown for char in "\0\x1b\u202e")

    def test_an_account_with_a_hostile_id(self) -> None:
        evil = evolve(DEMO, account=evolve(DEMO.account, id="</title><script>alert(1)</script>"))
        page = page_of(evil)
        assert page.shape == PARSED.shape
        assert page.inside["title"][0].startswith("</title><script>")


class TestItStandsByItself:
    """No request leaves it, and only its own style and script are let run."""

    def test_nothing_is_fetched(self) -> None:
        assert all(link.startswith("#") or link == "data:," for link in PARSED.all("href"))
        for attribute in ("src", "srcset", "action", "style", "poster", "data", "ping", "background"):
            assert PARSED.all(attribute) == []
        assert not [name for _, attributes in PARSED.tags for name in attributes if name.startswith("on")]
        assert "url(" not in PAGE
        assert "@import" not in PAGE
        assert "://" not in PAGE

    def test_its_policy_names_its_style_and_script(self) -> None:
        [policy] = [text for text in PARSED.all("content") if text.startswith("default-src")]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        for name, tag in (("style-src", "style"), ("script-src", "script")):
            digest = base64.b64encode(hashlib.sha256("".join(PARSED.inside[tag]).encode()).digest()).decode()
            assert rules[name] == f"'sha256-{digest}'"
        assert Counter(tag for tag, _ in PARSED.tags)["script"] == 1

    def test_no_data_is_in_the_script(self) -> None:
        other = page_of(renamed(["zz"]))
        assert other.inside["script"] == PARSED.inside["script"]
        assert other.inside["style"] == PARSED.inside["style"]


class TestItCanBeRead:
    """What is only seen is also said: heads have a scope, tables a caption, regions a name; every reference is met."""

    def test_references(self) -> None:
        ids = PARSED.all("id")
        assert len(set(ids)) == len(ids)
        wanted = {
            word
            for name in ("for", "aria-labelledby", "aria-describedby")
            for text in PARSED.all(name)
            for word in text.split()
        }
        wanted |= {link[1:] for link in PARSED.all("href") if link.startswith("#")}
        assert wanted <= set(ids)

    def test_tables(self) -> None:
        counts = Counter(tag for tag, _ in PARSED.tags)
        assert counts["table"] == counts["caption"] == counts["thead"] == 7
        assert all("scope" in attributes for tag, attributes in PARSED.tags if tag == "th")

    def test_one_heading_of_the_first_level(self) -> None:
        counts = Counter(tag for tag, _ in PARSED.tags)
        assert (counts["h1"], counts["main"], counts["nav"]) == (1, 1, 1)
        assert ("html", {"lang": "en"}) in PARSED.tags


class TestTheCommand:
    """`report` writes the page in one step, and says what it needs."""

    def document(self, tmp_path: Path) -> str:
        path = tmp_path / "demo.json"
        path.write_bytes(files("enrolpolicy").joinpath("demo.json").read_bytes())
        return str(path)

    def test_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "r.html"
        assert main(["report", self.document(tmp_path), "--on", str(ON), "--out", str(out)]) == 0
        assert out.read_text(encoding="utf-8") == PAGE
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"wrote {out}; open it in a browser\n"

    def test_without_the_extra(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "jinja2", None)
        out = tmp_path / "r.html"
        assert main(["report", self.document(tmp_path), "--on", str(ON), "--out", str(out)]) == 2
        assert "pip install 'enrolpolicy[report]'" in capsys.readouterr().err
        assert not out.exists()
        with pytest.raises(MissingExtra):
            report_page(DEMO, on=ON)

    def test_progress(self) -> None:
        told: list[str] = []
        report_content(DEMO, on=ON, progress=told.append)
        assert told[:3] == ["planning", "looking at every required training", "trying what would help, 1 of 10 changes"]
        assert told[-1] == "looking ahead to November 2027"
        assert told.count("looking ahead to May 2027") == 2  # once for the plans, once for the top-up

    def test_until_a_year_is_over(self) -> None:
        assert content._until(date(2024, 2, 29)) == date(2025, 2, 27)
        assert content._until(date.max) == date.max
