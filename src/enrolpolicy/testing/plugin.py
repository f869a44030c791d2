"""The closing table of the exams, as a pytest plug-in; put this into the conftest.py at your root:

    pytest_plugins = ["enrolpolicy.testing.plugin"]

It is asked for and not registered as an entry point, so that no test run that has nothing to do with exams imports this
library. It also fails a law that is skipped before it begins, say by its fixture: a skip that no capability explains
would otherwise look like a pass.
"""

from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from enrolpolicy.testing.contract import NOT_APPLICABLE, NOT_EXAMINED, Contract, Law

_PROPERTY = "enrolpolicy-law"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which law a report is about, and fail those that were skipped without a reason that counts."""
    report = yield
    law = _law_of(item)
    if law is None:
        return report
    variant = getattr(item, "callspec", None)
    exam = item.nodeid.rsplit("::", 1)[0] + (f"[{variant.id}]" if variant else "")
    contract: type[Contract] = getattr(item, "cls", Contract)  # its class, for it has a law
    report.user_properties.append((_PROPERTY, f"{exam}\n{contract.subject}\n{law.id}\n{len(contract.standing)}"))
    if report.skipped and call.when == "setup":
        report.outcome = "failed"
        report.longrepr = f"{law.id} was skipped before it began, and no capability explains it"
    return report


def _law_of(item: pytest.Item) -> Law | None:
    contract = getattr(item, "cls", None)
    if not isinstance(item, pytest.Function) or contract is None or not issubclass(contract, Contract):
        return None
    return next((law for law, _ in contract.standing if law.test == item.originalname), None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for each exam how many laws it has passed, and which were not applicable or not examined."""
    exams: dict[str, list[tuple[str, str]]] = {}
    sizes: dict[str, tuple[str, int]] = {}
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY:
                    exam, subject, id, size = value.split("\n")
                    sizes[exam] = subject, int(size)
                    exams.setdefault(exam, []).append((id, _fate(outcome, report)))
    if not exams:
        return
    terminalreporter.section("exams")
    for exam, laws in sorted(exams.items()):
        subject, size = sizes[exam]
        counts = Counter(fate for _, fate in laws)
        words = ", ".join(f"{counts[fate]} {fate}" for fate in _FATES if counts[fate])
        terminalreporter.line(f"{exam} ({subject}, {size} laws): {words}")
        for fate in _FATES[1:]:
            ids = [id for id, one in laws if one == fate]
            if ids:
                terminalreporter.line(f"    {fate}: {', '.join(ids)}")


_FATES = ("passed", "failed", "expected to fail", NOT_APPLICABLE, NOT_EXAMINED)


def _fate(outcome: str, report: Any) -> str:
    if outcome == "skipped":
        return NOT_EXAMINED if NOT_EXAMINED in str(report.longrepr) else NOT_APPLICABLE
    return {"passed": "passed", "xfailed": "expected to fail"}.get(outcome, "failed")
