"""The report in a real browser: it fits, asks for nothing, is used from the keyboard, can be heard as well as seen."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from attrs import evolve
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from enrolpolicy import (
    Account,
    Course,
    Delivery,
    Employment,
    HeldRole,
    Level,
    Person,
    Role,
    RoleCourse,
    Snapshot,
    TrainingRecord,
    Validity,
    load,
)
from enrolpolicy.htmlreport import report_page

ON = date(2026, 11, 23)
DEMO = load(files("enrolpolicy").joinpath("demo.json").read_bytes())
SHOTS = Path(__file__).parents[2] / "build" / "browser"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIZES = {"desktop": (1280, 900), "tablet": (768, 1024), "phone": (390, 844), "narrow": (320, 640)}


def hostile() -> Snapshot:
    """The demo account, everybody and everything in it called something that would be a page of its own."""
    evil = "<script>document.title='gone'</script><img src=x onerror=document.title='gone'>" + "W" * 300 + "\u202e\0"
    return evolve(
        DEMO,
        account=evolve(DEMO.account, id="A" * 200 + "</title><script>document.title='gone'</script>"[:50]),
        courses=tuple(evolve(row, name=evil) for row in DEMO.courses),
        roles=tuple(evolve(row, name=evil) for row in DEMO.roles),
        personnel=tuple(evolve(row, name=evil, division=evil) for row in DEMO.personnel),
    )


def large() -> Snapshot:
    """A firm whose tables are longer than a page may show, with 24 roles across."""
    courses = tuple(
        Course(
            id=f"c{n}", name=f"Course {n}", delivery=Delivery.IHASCO, auto_enrol=n % 4 > 0, validity=Validity(months=12)
        )
        for n in range(24)
    )
    roles = tuple(
        Role(id=f"r{n}", name=f"Role number {n}", requirements=tuple(
            RoleCourse(course=f"c{m}", level=Level.REQUIRED) for m in range(24) if (n + m) % 3
        ))
        for n in range(24)
    )  # fmt: skip
    people = tuple(
        Person(id=f"p{n}", name=f"Zoë Person {n}", email=f"p{n}@acme.example" if n % 9 else None,
               employment=Employment.EMPLOYEE, division=f"Division {n % 7}", roles=(HeldRole(role=f"r{n % 24}"),))
        for n in range(600)
    )  # fmt: skip
    records = tuple(
        TrainingRecord(person=f"p{n}", course=f"c{m}", completed_on=ON - timedelta(300 + (7 * n + 31 * m) % 120))
        for n in range(600)
        for m in range(24)
        if (n + m) % 3 and (n * m) % 5
    )
    account = Account(id="Acme Holdings", credits=2500)
    return Snapshot(account=account, courses=courses, roles=roles, personnel=people, records=records)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    where = tmp_path_factory.mktemp("reports")
    registers = {"demo": DEMO, "hostile": hostile(), "large": large(), "empty": Snapshot(account=Account(id="acme"))}
    for name, register in registers.items():
        (where / f"{name}.html").write_text(report_page(register, on=ON), encoding="utf-8")
    SHOTS.mkdir(parents=True, exist_ok=True)
    return {name: where / f"{name}.html" for name in registers}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


class Look:
    """A page, and everything that happened while it was looked at."""

    def __init__(self, context: BrowserContext, path: Path) -> None:
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(path.as_uri())

    def shot(self, name: str, **settings: Any) -> None:
        self.page.screenshot(path=SHOTS / f"{name}.png", **settings)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))

    def tab_to(self, wanted: str) -> None:
        for _ in range(80):
            self.press("Tab")
            if self.focused() == wanted:
                return
        raise AssertionError(f"no key leads to {wanted}")


@pytest.fixture
def look(chromium: Browser) -> Iterator[Any]:
    contexts = []

    def opened(path: Path, size: str = "desktop", scheme: Any = "light", **settings: Any) -> Look:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", **settings
        )
        contexts.append(context)
        return Look(context, path)

    yield opened
    for context in contexts:
        context.close()


class TestItFits:
    """At no width is the page wider than the window, whatever is in it; nothing is asked for, nothing complains."""

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("name", ["demo", "hostile", "large", "empty"])
    def test_no_wider_than_the_window(self, name: str, size: str, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports[name], size)
        page = seen.page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("window.scrollTo(9999, 0)")
        assert page.evaluate("scrollX") == 0
        assert seen.requests == [reports[name].as_uri()]
        assert seen.complaints == []
        assert page.title() != "gone"
        seen.shot(f"{name}-{size}", full_page=name != "large")

    def test_what_is_wider_can_be_scrolled_from_the_keyboard(self, reports: dict[str, Path], look: Any) -> None:
        page = look(reports["demo"], "phone").page
        region = page.locator("[aria-labelledby=actions-caption]")
        region.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('[aria-labelledby=actions-caption]').scrollLeft > 0")


class TestALongTable:
    """A long table scrolls by itself, with its heads in sight, so that what comes after it is not far away."""

    @pytest.mark.parametrize("size", ["desktop", "phone"])
    def test_its_heads_stay(self, size: str, reports: dict[str, Path], look: Any) -> None:
        page = look(reports["large"], size).page
        region, head = page.locator("[aria-labelledby=actions-caption]"), page.locator("#actions thead th").first
        region.evaluate("region => region.scrollTop = 5000")
        frame, inside = region.bounding_box(), head.bounding_box()
        assert frame["height"] < SIZES[size][1]
        assert abs(inside["y"] - frame["y"]) < 3
        page.emulate_media(media="print")
        assert region.evaluate("region => region.scrollHeight <= region.clientHeight")


class TestItIsUsedFromTheKeyboard:
    """Every table is searched and sorted without a pointer."""

    def test_search(self, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports["demo"])
        page = seen.page
        rows = page.locator("#actions tbody tr:visible")
        everything = rows.count()
        seen.press("Tab")
        assert seen.focused() == "Skip to the report"
        seen.tab_to("actions-search")
        page.keyboard.type("HANA  fire")
        assert rows.count() == 1
        assert "Hana Kim" in rows.first.inner_text()
        assert page.locator("#actions-found").inner_text() == f"1 of {everything}"
        seen.shot("demo-searched")
        seen.press("Escape")
        assert rows.count() == everything
        assert page.locator("#actions-found").inner_text() == ""
        page.keyboard.type("nobody is called this")
        assert rows.count() == 0

    def test_accents_need_not_be_typed(self, reports: dict[str, Path], look: Any) -> None:
        page = look(reports["large"]).page
        page.fill("#actions-search", "zoe person 7")
        assert page.locator("#actions tbody tr:visible").count() > 0

    def test_sort(self, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports["demo"])
        page = seen.page
        head = page.locator("#actions thead th").nth(4)
        cells = page.locator("#actions tbody tr > :nth-child(5)")

        def days() -> list[str]:
            return [str(day) for day in cells.evaluate_all("cells => cells.map(cell => cell.dataset.value)") if day]

        before = days()
        seen.tab_to("Valid until")
        seen.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert days() == sorted(before) != before
        seen.press("Space")
        assert head.get_attribute("aria-sort") == "descending"
        assert days() == sorted(before, reverse=True)

    def test_the_skip_link(self, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports["demo"])
        seen.press("Tab", "Enter")
        assert seen.focused() == "main"

    def test_without_script_everything_is_there(self, reports: dict[str, Path], look: Any) -> None:
        page = look(reports["demo"], java_script_enabled=False).page
        assert page.locator(".tools:visible").count() == 0
        assert page.locator("#actions tbody tr:visible").count() == 33


class TestItIsHeardAndSeen:
    """The accessibility checker finds nothing, in light and dark, wide and narrow."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", ["desktop", "phone"])
    @pytest.mark.parametrize("name", ["demo", "empty"])
    def test_axe(self, name: str, size: str, scheme: str, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports[name], size, scheme)
        seen.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        seen.shot(f"{name}-{size}-{scheme}", full_page=True)
        found = Axe().run(seen.page).response
        assert [(row["id"], [node["html"][:120] for node in row["nodes"][:3]]) for row in found["violations"]] == []
        assert len(found["passes"]) > 20

    def test_dark_is_dark(self, reports: dict[str, Path], look: Any) -> None:
        grounds = [
            look(reports["demo"], scheme=scheme).page.evaluate(
                "getComputedStyle(document.documentElement).backgroundColor"
            )
            for scheme in ("light", "dark")
        ]
        assert grounds == ["rgb(245, 246, 248)", "rgb(15, 20, 27)"]


class TestItIsPrinted:
    """On paper there are no search boxes, nothing is folded away, and colours are of the light scheme."""

    def test_on_paper(self, reports: dict[str, Path], look: Any) -> None:
        seen = look(reports["demo"], scheme="dark")
        page = seen.page
        page.emulate_media(media="print")
        assert page.locator(".tools:visible, nav:visible").count() == 0
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details[open]").count() == page.locator("details").count() == 1
        seen.shot("demo-print", full_page=True)
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("details[open]").count() == 0
        assert page.pdf(format="A4", path=SHOTS / "demo.pdf").startswith(b"%PDF")


class Listener(BaseHTTPRequestHandler):
    """A server on this machine that remembers what it was asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def listener() -> Iterator[str]:
    Listener.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestItsPolicy:
    """Whatever found its way into the page would neither run nor call anywhere."""

    SMUGGLED = """address => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'gone'";
        document.body.append(script);
        for (const html of [
            `<img src="${address}/image">`,
            `<iframe src="${address}/frame"></iframe>`,
            `<link rel="stylesheet" href="${address}/style">`,
            `<p style="color: red" onclick="document.title = 'gone'" id="bait">bait</p>`,
        ]) document.body.insertAdjacentHTML("beforeend", html);
        document.getElementById("bait").click();
        fetch(`${address}/fetch`).catch(() => {});
    }"""

    def test_what_is_smuggled_in_does_nothing(self, reports: dict[str, Path], look: Any, listener: str) -> None:
        seen = look(reports["demo"])
        seen.page.evaluate(self.SMUGGLED, listener)
        seen.page.wait_for_timeout(300)
        assert Listener.asked == []
        assert seen.page.title().startswith("brackley-works")
        assert len(seen.complaints) >= 5

    def test_the_listener_listens(self, tmp_path: Path, look: Any, listener: str) -> None:
        (tmp_path / "bare.html").write_text("<!doctype html><title>bare</title><body></body>")
        seen = look(tmp_path / "bare.html")
        seen.page.evaluate(self.SMUGGLED, listener)
        seen.page.wait_for_timeout(300)
        assert {"/image", "/frame", "/style", "/fetch"} <= set(Listener.asked)
        assert seen.page.title() == "gone"
