"""Confirm the laws over all paths, and see each refuted once its fault is planted.

    python proofs/prove.py [--only LAW] [--seconds N]

Ends with 1 where a law is refuted or not confirmed, or where a planted fault is not noticed.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAWS = ROOT / "proofs" / "laws.py"
PACKAGE = Path("enrolpolicy")
HELPERS = {"day", "actor", "held"}

FAULTS: dict[str, tuple[str, str, str]] = {
    "at_most_one_trigger_fires": ("policy", "return facts.status is Status.MISSING", "return not facts.lately_expired"),
    "what_is_current_is_never_due": (
        "policy",
        "return facts.status is Status.EXPIRING",
        "return facts.status is not Status.EXPIRED",
    ),
    "looking_back_further_removes_nobody": ("policy", "and facts.lately_expired", "and not facts.lately_expired"),
    "a_wider_audience_removes_nobody": ("policy", "is Audience.EVERYONE", "is Audience.EMPLOYEES"),
    "a_wider_scope_removes_nobody": ("policy", "is Scope.REQUIRED_AND_OPTIONAL", "is Scope.REQUIRED"),
    "required_training_is_always_in_scope": ("policy", "is Level.REQUIRED or", "is Level.REQUIRED and"),
    "missing_settings_concern_missing_training_alone": (
        "policy",
        "is not Status.MISSING or",
        "is not Status.EXPIRED or",
    ),
    "what_is_no_elearning_is_never_booked": (
        "policy",
        "facts.delivery is Delivery.IHASCO or facts.delivery is Delivery.SCORM",
        "facts.delivery is not Delivery.CLASSROOM",
    ),
    "either_toggle_takes_out": (
        "policy",
        "facts.person_enabled and not facts.opted_out",
        "facts.person_enabled or not facts.opted_out",
    ),
    "a_withdrawal_is_its_gates_seen_from_the_other_side": (
        "policy",
        "return not _in_scope(facts)",
        "return not _in_audience(facts)",
    ),
    "nothing_due_is_superseded": (
        "policy",
        "is Status.CURRENT and facts.other_cycle",
        "is Status.CURRENT or facts.other_cycle",
    ),
    "only_a_chosen_cause_withdraws": ("verdict", "row.id in chosen and row.holds(facts)", "row.holds(facts)"),
    "choosing_another_cause_keeps_what_was_withdrawn": (
        "verdict",
        "for cause in causes}",
        "for cause in causes if len(causes) == 1}",
    ),
    "a_gate_can_only_refuse": ("verdict", "is not None and not self.shut", "is not None and len(self.shut) < 2"),
    "the_lead_is_held_to_half": ("renewal", ".days // 2))", ".days))"),
    "a_status_is_a_place_on_the_calendar": ("renewal", "if left < 0:", "if left <= 0:"),
    "a_longer_lead_removes_nobody": ("renewal", "if left > lead or left >", "if left < lead and left >"),
    "what_is_due_stays_due": ("renewal", "left > effective_lead(", "left != effective_lead("),
    "nothing_is_due_on_the_day_it_was_done": ("renewal", ".days // 2))", ".days))"),
    "all_days_moved_together_change_nothing": (
        "renewal",
        "left = (expires_on - on).days",
        "left = (expires_on - on).days + (on > date(2010, 1, 1))",
    ),
    "days_count_only_where_switched_on": ("renewal", "if account.custom_expiry and chosen:", "if chosen:"),
    "the_order_of_records_does_not_matter": ("renewal", "expires_on or date.min, completed_on", "date.min, date.min"),
    "what_was_not_completed_yet_does_not_count": ("renewal", "if pair[0] <= on)", "if pair[0] < on)"),
    "pauses_double_up_to_a_month": ("bookings", "LONGEST_PAUSE_DAYS = 32", "LONGEST_PAUSE_DAYS = 64"),
    "nothing_leads_out_of_an_end": (
        "lifecycle",
        "(EnrolmentStatus.IN_PROGRESS, Event.COMPLETE)",
        "(EnrolmentStatus.CANCELLED, Event.COMPLETE)",
    ),
    "what_was_started_is_never_cancelled": (
        "lifecycle",
        "(EnrolmentStatus.BOOKED, Event.CANCEL)",
        "(EnrolmentStatus.IN_PROGRESS, Event.CANCEL)",
    ),
    "nothing_goes_back": (
        "lifecycle",
        "(EnrolmentStatus.BOOKED, Event.CANCEL): EnrolmentStatus.CANCELLED",
        "(EnrolmentStatus.IN_PROGRESS, Event.CANCEL): EnrolmentStatus.BOOKED",
    ),
    "strangers_and_leavers_change_nothing": ("permissions", "if not actor.active:", "if actor.active:"),
    "one_more_permission_never_takes_one_away": (
        "permissions",
        "if not actor.permissions & ALLOWED[area]:",
        "if len(actor.permissions & ALLOWED[area]) != 1:",
    ),
    "editors_keep_to_their_area": (
        "permissions",
        "Area.PERSON: _OWNERS | {Permission.PERSONNEL_EDITOR}",
        "Area.PERSON: frozenset(Permission)",
    ),
    "account_settings_are_changed_at_the_primary_division": (
        "permissions",
        "and actor.division is not None",
        "and actor.division is None",
    ),
}
"""For each law: in a module, one text instead of another, which must stand there once."""


def laws() -> dict[str, int]:
    """Each law, and the line on which its function begins."""
    functions = [node for node in ast.parse(LAWS.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {node.name: node.lineno for node in functions if node.name not in HELPERS}


def check(line: int, source: Path, seconds: int) -> str:
    """What CrossHair says of the law on a line, with the library from a directory."""
    command = [sys.executable, "-m", "crosshair", "check", "--analysis_kind=asserts", "--report_all"]
    command += [f"--per_condition_timeout={seconds}", f"{LAWS}:{line}"]
    environment = os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = [row for row in done.stdout.splitlines() if re.search(r": (info|error|warning): ", row)]
    return " ".join(re.sub(r"^.*?: (info|error|warning): ", r"\1: ", row) for row in lines) or done.stderr[-500:]


def refuted(law: str, line: int, seconds: int) -> str:
    """The same, with the law's fault planted in a copy of the library."""
    module, old, new = FAULTS[law]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(ROOT / "src" / PACKAGE, Path(directory) / PACKAGE)
        path = Path(directory) / PACKAGE / f"{module}.py"
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise SystemExit(f"`{old}` stands {text.count(old)} times in `{module}`; correct the fault of `{law}`")
        path.write_text(text.replace(old, new), encoding="utf-8")
        return check(line, Path(directory), seconds)


def judged(law: str, line: int, seconds: int) -> tuple[str, str]:
    return check(line, ROOT / "src", seconds), refuted(law, line, seconds)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="LAW", help="those with this in their name")
    parser.add_argument("--seconds", type=int, default=120, metavar="N", help="how long one law may take")
    options = parser.parse_args(arguments)
    all_laws = laws()
    if all_laws.keys() != FAULTS.keys():
        print("laws without a fault, or faults without a law:", *sorted(all_laws.keys() ^ FAULTS.keys()))
        return 1
    chosen = {law: line for law, line in all_laws.items() if options.only in law}
    open_questions = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        answers = pool.map(partial(judged, seconds=options.seconds), chosen, chosen.values())
        for law, (found, with_fault) in zip(chosen, answers, strict=True):
            sound = found == "info: Confirmed over all paths." and with_fault.startswith("error: ")
            open_questions += not sound
            print(
                f"{'ok ' if sound else 'NOT'} {law.replace('_', ' ')}\n    {found}\n    planted: {with_fault}",
                flush=True,
            )
    print(f"{len(chosen)} laws, {len(chosen) - open_questions} confirmed and refuted with a fault planted")
    return 1 if open_questions or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
