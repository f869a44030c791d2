"""Plant one fault at a time in a copy of the library, and see a test turn red.

Every row of the policy is made to hold always, never, the wrong way round, and without each of its parts; the table
below adds what is easy to get wrong elsewhere. Each must stand in the code once, which `make lint` looks at by way of
`--list`, so that no fault goes stale unseen. Ends with 1 where the tests notice nothing.

    python tools/plant_faults.py [--list] [--only TEXT] [--jobs N] [--limit SECONDS]

A fault after which tests do not come to an end is noticed as well, if they do so in half the time without it.
"""

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from noticing import files

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/enrolpolicy")
COPIED = ("src", "tests", "tools", "docs", "benchmarks", "pyproject.toml")


class Fault(NamedTuple):
    """In a module, one text instead of another, which must stand there once."""

    module: str
    old: str
    new: str
    tests: str = ""
    """Where it is to be noticed; empty: by the tests of its module."""

    @property
    def name(self) -> str:
        where = f" ({self.tests})" if self.tests else ""
        return f"{self.module}{where}: {self.old.strip()} → {self.new.strip() or 'nothing'}"


FAULTS = (
    # The window: 30 days, the last valid day, the day after, half of what is renewed
    Fault("renewal", "DEFAULT_LEAD_DAYS = 30", "DEFAULT_LEAD_DAYS = 31"),
    Fault("renewal", "if left < 0:", "if left <= 0:"),
    Fault("renewal", "if left > lead or left >", "if left >= lead or left >"),
    Fault("renewal", "left > effective_lead(", "left >= effective_lead("),
    Fault("renewal", ".days // 2))", ".days))"),
    Fault("renewal", "min(lead, max(0,", "max(lead, max(0,"),
    Fault("renewal", "if account.custom_expiry and chosen:", "if chosen:"),
    Fault(
        "renewal",
        "((course.lead_days, LeadSource.COURSE), (account.lead_days, LeadSource.ACCOUNT))",
        "((account.lead_days, LeadSource.ACCOUNT), (course.lead_days, LeadSource.COURSE))",
    ),
    # Which record counts, and until when
    Fault("renewal", "if pair[0] <= on)", "if pair[0] < on)"),
    Fault("renewal", "if not record.voided]", "]"),
    Fault("renewal", "expires_on is None, expires_on or date.min, completed_on", "False, completed_on, completed_on"),
    Fault("renewal", "record.completed_on > previous:", "record.completed_on < previous:"),
    Fault("renewal", "return after(previous, validity)", "return after(record.completed_on, validity)"),
    Fault("renewal", "    if record.expires_on is not None:\n        return record.expires_on\n", ""),
    Fault("night", "record.voided or completed_on > self.on", "completed_on > self.on"),
    Fault("night", "record.voided or completed_on > self.on", "record.voided or completed_on >= self.on"),
    Fault("night", "expires_on < self.looked_back_to else", "expires_on <= self.looked_back_to else"),
    Fault("night", "if found.expires_on >= self.looked_back_to", "if found.expires_on > self.looked_back_to"),
    Fault("night", "expires_on > self.horizon:", "expires_on >= self.horizon:"),
    Fault("dates", "later = pendulum.Date(day.year", "later = pendulum.Date(day.year - 1"),
    # Identity
    Fault("candidate", "len(y), y, len(n), n)", "len(c), c, len(n), n)"),
    Fault("candidate", "len(y), y, len(n), n)", "len(y), y, len(y), y)"),
    Fault("candidate", 'b"%d:%s,%d:%s,%d:%s,%d:%s,%d:%s,"', 'b"%d%s,%d%s,%d%s,%d%s,%d%s,"'),
    Fault("renewal", "else self.completed_on.isoformat()", "else str(self.expires_on)"),
    # Bookings
    Fault("bookings", "any(row.status in OPEN for row in enrolments)", "any(row.status in OPEN for row in of_cycle)"),
    Fault("bookings", "sum(row.status in ENDED for row in of_cycle)", "sum(row.status in ENDED for row in enrolments)"),
    Fault("bookings", "if row.cycle == cycle]", "]"),
    Fault("bookings", "2 ** min(refusals - 1, 10)", "2 ** min(refusals, 10)"),
    Fault("bookings", "LONGEST_PAUSE_DAYS = 32", "LONGEST_PAUSE_DAYS = 64"),
    Fault("bookings", "record.completed_on >= enrolled_on", "record.completed_on > enrolled_on"),
    Fault("bookings", "enrolment.ended_on >= asked_on", "enrolment.ended_on > asked_on"),
    Fault("bookings", "or enrolment.ended_because != REQUESTED:", ":"),
    Fault("night", "if cycle == FIRST_CYCLE else None", ""),
    Fault("night", "on < held.retry_on", "on <= held.retry_on"),
    Fault("register", "row.assigned_on >= since for row in rows)", "row.assigned_on > since for row in rows)"),
    Fault("night", "asked_on >= since)", "asked_on > since)"),
    Fault("night", "return own | OPTED_OUT if course in rows.out_of(person) else own", "return own"),
    # Findings
    Fault("settings", "if not course.auto_enrol or course.archived:", "if not course.auto_enrol:"),
    Fault("settings", "if by_validity is None or row.voided:", "if by_validity is None:"),
    Fault("settings", "(by_validity and not row.never_expires)", "by_validity"),
    Fault("settings", "lead.days >= _shortest(", "lead.days > _shortest("),
    # What comes in
    Fault("parsing", "int(minor) <= int(known)", "int(minor) < int(known)"),
    Fault("codec", "document.applyable is bool(document.guards)", "document.guards and document.applyable"),
    Fault("constraints", "low <= value <= high", "low <= value < high"),
    Fault("constraints", "fine.issuperset(map(type, value))", "value"),
    Fault("constraints", " and item not in _EXACT else set()", " else set()"),
    Fault("model", "len(set(listed)) == len(listed)", "len(listed) < 3", "tests/spec/test_bad_input.py"),
    Fault("register", "held & roles.keys()", "set()"),
    # When to look again
    Fault("explanation", "boundaries(at, here) if day > at.on", "boundaries(tonight, reading) if day > at.on"),
    Fault("explanation", "1, 1 + account.expired_lookback_days", "1"),
    # Short cuts
    Fault("register", "row.assigned_on >= since])", "row.assigned_on > since])"),
    Fault("sweep", "_KNOWN.issuperset(gate.reads)", "True"),
    Fault("sweep", "yield person, course, tonight.read(person, course).code", "yield person, course, code"),
    Fault("sweep", "if course in enrolments:", "if False:"),
    Fault("sweep", "return strangers | (enrolments.keys() - kind.asked.keys())", "return strangers"),
    Fault("sweep", "strangers = records.keys() - kind.asked.keys()", "strangers = records.keys() & set()"),
    Fault("sweep", "(OPTED_OUT if course in out else 0)", "0"),
    Fault("sweep", "key = somebody, *tonight.asked_alike(person)", "key = tonight.asked_alike(person)"),
    Fault("sweep", "people[key] += 1", "people[key] = 1"),
    Fault("night", "rows.held_since(person, self._since), ", "(), "),
    Fault("night", "rows.out_of(person.id)\n\n", "frozenset()\n\n"),
    Fault("night", "found[course] = code | OPTED_OUT if course in out else code", "found[course] = code"),
    Fault("canonical", "(unique[text] for text in sorted(unique))", "unique.values()"),
    # Allocation
    Fault("planner", "asked <= available:", "asked < available:"),
    Fault("planner", "if row.credits == 0 or available is None", "if available is None"),
    Fault("planner", "if until is not None and on < until:", "if until is not None and on <= until:"),
    Fault("planner", "KEPT_CLEAR_DAYS = 7", "KEPT_CLEAR_DAYS = 6"),
    Fault("planner", "RESERVING = frozenset({EnrolmentStatus.PENDING, EnrolmentStatus.BOOKED})", "RESERVING = OPEN"),
    Fault("planner", "return missing, self.level", "return self.level"),
    Fault("planner", "self.level is not Level.REQUIRED,", "self.level is Level.REQUIRED,"),
    Fault("planner", "    if people is not None and account.credits is not None:", "    if False:"),
    Fault("planner", "row.origin is Origin.AUTO and row.status", "row.status"),
    Fault("planner", "row.origin is Origin.AUTO and row.status is EnrolmentStatus.BOOKED", "row.origin is Origin.AUTO"),
    Fault("planner", "row.invited_at is None and", ""),
    Fault("planner", "and row.id not in withdrawn", ""),
    Fault("planner", "limit is not None and reached > limit", "limit is not None and reached >= limit"),
    Fault("planner", "sorted(enrolled, key=_pair)", "enrolled"),
    Fault("planner", "ended_on=on, ", ""),
    Fault("planner", "        because=action.because,\n", ""),
    # Looking ahead: what is read when, who is served, what is assumed
    Fault(
        "explanation", "days |= _days_after(standing.expires_on, 1, 1 +", "days |= _days_after(standing.expires_on, 1 +"
    ),
    Fault("ahead/stepping", "    walk.held.pop(pair, None)\n", ""),
    Fault("ahead/stepping", "if until is not None and tonight.on < until:", "if False:"),
    Fault("ahead/stepping", "walk.agenda.read(pair, min(later))", "walk.agenda.read(pair, max(later))"),
    Fault(
        "ahead/stepping",
        "(tonight.on - expires_on).days != 1 or person.archived",
        "(tonight.on - expires_on).days != 1",
    ),
    Fault("ahead/agenda", "                if available < 0:", "                if available <= 0:"),
    Fault("ahead/agenda", "            self.cost -= row.credits\n", ""),
    Fault("ahead/walking", "_pay(walk, walk.rows.courses[action.course].credit_cost)", "_pay(walk, 0)"),
    Fault("ahead/walking", "    if walk.rows.people[row.person].archived:\n        return\n", ""),
    Fault("ahead/walking", "    again_tomorrow(walk, pair, on)\n    if renewed", "    if renewed"),
    Fault("ahead/walking", "                walk.booked -= 1\n", ""),
    Fault("ahead/walking", "if course in rows.records[person] or verdict", "if verdict"),
    Fault("ahead/assumptions", "return None if day is None else max(day, today)", "return day"),
    Fault("ahead/assumptions", "valid_until >= max(today, enrolled_on)", "valid_until > max(today, enrolled_on)"),
    Fault("ahead/assumptions", "or renewed[1] <= renewed[0]", "or renewed[1] < renewed[0]"),
    Fault("ahead/forecasting", "for step in unlimited if step.asked and", "for step in unlimited if"),
    Fault("ahead/whatif", "return known & people", "return people & set()"),
    Fault("ahead/whatif", "if person in named or old != new:", "if old != new:"),
    Fault("ahead/covering", "expires_on >= tonight.on:", "expires_on > tonight.on:"),
    Fault("ahead/covering", "        if not register.people[person].archived:", "        if True:"),
    Fault("ahead/remedies", 'and row.because != "credits"', ""),
    Fault("ahead/remedies", "row.lapses_on - ONE_DAY", "row.lapses_on"),
    Fault("ahead/restoring", "        if on >= start:\n", "        if on > start:\n"),
    Fault("ahead/happenings", "and row.id not in it.known:", "and True:"),
    Fault("ahead/documents", '        "shortfall": night.shortfall,\n', ""),
    Fault("ahead/profiles", ".days <= amber:", ".days < amber:"),
    Fault("ahead/profiles", "if row.level is Level.REQUIRED]", "]"),
    # Verdict
    Fault("verdict", "return self.trigger is not None and not self.shut", "return self.trigger is not None"),
    Fault("verdict", "return self.shut[0]", "return self.shut[-1]"),
    Fault("verdict", "if row.id in chosen and row.holds(facts)", "if row.holds(facts)"),
    # Lifecycle and permissions
    Fault("lifecycle", "    (EnrolmentStatus.IN_PROGRESS, Event.COMPLETE): EnrolmentStatus.COMPLETED,\n", ""),
    Fault("cancellation", "if row.origin is Origin.MANUAL:", "if False:"),
    # The training matrix
    Fault("matrix/day", "if reading.order is None and first != second:", "if False:"),
    Fault("matrix/day", "if reading.order is None and first != second:", "if reading.order is None:"),
    Fault("matrix/day", "if len(self.counts) == 1 else None", "if self.counts else None"),
    Fault("matrix/day", "(second, first) if swapped else (first, second)", "(first, second)"),
    Fault("matrix/day", "not EARLIEST <= found <= LATEST", "not EARLIEST <= found < LATEST"),
    Fault("matrix/records", "expires < completed:", "expires <= completed:"),
    Fault("matrix/records", "if any(dates) and Meaning.NOT_ASKED", "if Meaning.NOT_ASKED"),
    Fault("matrix/records", "training = None if self.unread else", "training ="),
    Fault("matrix/records", "(*heads.headless, *beyond)", "heads.headless"),
    Fault("matrix/records", "add_months(expires, -validity.months)", "add_months(expires, validity.months)"),
    Fault("matrix/people", "or any(texts[len(self.heads.texts) :])", ""),
    Fault("matrix/people", "return len(addresses) == len(group)", "return len(addresses) > 1"),
    Fault("matrix/people", "if twin or not draft.sound", "if not draft.sound"),
    Fault("matrix/people", "nameless or len(name) > LONGEST", "len(name) > LONGEST"),
    Fault("matrix/heads", "spellings.setdefault(head_key(column.course), column.course)", "column.course"),
    Fault("matrix/heads", "previous.index == index - 1", "True"),
    Fault("matrix/heads", "if at != index and (not texts[at] or course_and_kind(texts[at])[0]):", "if False:"),
    Fault("matrix/importing", "if not training.asked and (training.person", "if (training.person"),
    Fault("matrix/files", "strict=True)\n    rows: ", "strict=False)\n    rows: "),
    # Columns: what counts, which window, who asks
    Fault("bulk/counting", "np.flatnonzero((completed > on) |", "np.flatnonzero((completed >= on) |"),
    Fault("bulk/counting", '(completed > on) | part.flags("voided")', "completed > on"),
    Fault("bulk/counting", "digit[ignored], expiry[ignored] = RECORDED, NONE", "expiry[ignored] = NONE"),
    Fault("bulk/counting", "expired = expiry < on", "expired = expiry <= on"),
    Fault("bulk/counting", "near = expiry <= at(", "near = expiry < at("),
    Fault("bulk/counting", "expiry >= at(terms.lapsed", "expiry > at(terms.lapsed"),
    Fault("bulk/counting", "else on) > np.maximum", "else on) >= np.maximum"),
    Fault("bulk/counting", "(until - completed[open_]) // 2", "(until - completed[open_])"),
    Fault("bulk/counting", "stronger = ours > theirs", "stronger = ours < theirs"),
    Fault("bulk/counting", "contending = contending[np.flatnonzero(stronger)]", "contending = contending[:0]"),
    Fault("bulk/counting", "odd = cell[repeated[terms.anchored[course[repeated]]]]", "odd = cell[:0]"),
    Fault("bulk/counting", "completed.min() < terms.earliest", "False"),
    Fault("bulk/counting", "stronger[even] = completed[contending[even]] > completed[standing[even]]", "pass"),
    Fault("bulk/counting", 'np.flatnonzero(part.flags("never_expires"))', "[]"),
    Fault("bulk/counting", "either(written != NONE, written, expiry)", "either(written != NONE, expiry, expiry)"),
    Fault("bulk/terms", "and (self.on == first).all()", "and True"),
    Fault("bulk/classes", "mask_of(gate) & _PAIR)\n_OF", "mask_of(gate) & _PAIR)[1:]\n_OF"),
    Fault("bulk/classes", "of_settings[:, None]), np", "0 * of_settings[:, None]), np"),
    Fault("bulk/held", "[latest < day - 1]", "[latest < day - 2]"),
    Fault("bulk/held", "np.abs(latest - day) <= 1", "np.abs(latest - day) < 1"),
    Fault("bulk/held", "paused > here.on, paused", "paused >= here.on, paused"),
    Fault("bulk/held", "np.minimum(times, len(_PAUSES) - 1)", "np.minimum(times, 1)"),
    Fault("bulk/held", "self._mark(rows[refused_on == NONE])", "self._mark(rows[:0])"),
    Fault("bulk/held", "self._mark(rows[~first]), self._mark(rows[first])", "self._mark(rows), self._mark(rows[:0])"),
    Fault("bulk/held", 'rows = rows[self.part.flags("requested")[self.ended[rows]]]\n', ""),
    Fault("bulk/held", "np.minimum(until, _LAST)", "until"),
    Fault("bulk/picking", "found[values[-1]] += 1", "pass"),
    Fault("bulk/asking", ">= terms.since[block.account[part.line]]", "> terms.since[block.account[part.line]]"),
    Fault("bulk/asking", ">= terms.since[block.account[held.line]]", "> terms.since[block.account[held.line]]"),
    Fault("bulk/asking", "while len(further):", "while False:"),
    Fault("bulk/asking", "np.bitwise_or.at(cells, block.cell(part), bits)", "cells[block.cell(part)] = bits"),
    Fault("bulk/reading", "own[opted_out(block)] |= OPTED_OUT_BIT", "pass"),
    Fault("bulk/reading", "status[booked] = np.maximum(status[booked], np.uint8(RECORDED))", "pass"),
    Fault("bulk/reading", "ended = ended[~settled(reasons[booked[ended]])]", "ended = ended[:0]"),
    Fault("bulk/few", "asked_on.get(cell)", "None"),
    Fault("bulk/few", "[any(map(_is_completed, enrolments[cell])) for cell", "[False for cell"),
    Fault("bulk/answers", "for place in reversed(places):", "for place in places:"),
    Fault("bulk/answers", "& (causes >> place & 1 != 0)", ""),
    Fault("bulk/demand", 'cycle_on")[ours] != read', 'cycle_on")[ours] == read'),
    Fault("bulk/demand", "= read.held.attempt[again]", "= 0"),
    Fault("bulk/allocation", "(missing * 2 + ~", "(missing * 0 + ~"),
    Fault("bulk/allocation", 'missing * 2 + ~demand.flags("required")', "missing * 2"),
    Fault("bulk/allocation", "short = (asked > credits) & (asked > 0)", "short = asked > credits + 1"),
    Fault("bulk/allocation", "held = on[account] < until", "held = on[account] <= until"),
    Fault("bulk/allocation", "asked -= np.repeat(payable, heads)", "asked -= np.repeat(payable, heads) + 1"),
    Fault("bulk/terms", "since == NONE, NEVER, since", "since == NONE, NEVER, since + 1"),
    Fault("bulk/assembly", "if day.isoformat() == cycle else NONE", ""),
    Fault("bulk/oddities", "until < completed", "until < completed - 1"),
    Fault("bulk/oddities", "odd = completed > np.minimum", "odd = completed > 1 + np.minimum"),
    Fault("bulk/noticing", "sum(other < key for other in astray)", "0"),
    Fault("bulk/noticing", "return np.delete(rows, some[by[1:][same]])", "return rows"),
    # Columns night after night: what is due, what is taken out and put in
    Fault("bulk/coming", "until + 1 + terms.lookback[course]", "until + 2 + terms.lookback[course]"),
    Fault("bulk/coming", "np.where(until >= on, until + 1,", "np.where(until > on, until + 1,"),
    Fault("bulk/coming", "np.where(opens > on, opens,", "np.where(opens > on, opens + 1,"),
    Fault("bulk/coming", "    entangled[counted.cell[late]] = True\n", ""),
    Fault("bulk/coming", "    entangled[found.held.cells] = True\n", ""),
    Fault("bulk/coming", "    np.minimum.at(due, counted.cell[late], ahead[late])\n", ""),
    Fault("bulk/coming", "due[cells] = np.minimum(due[cells], found.held.retry_on[paused])", "pass"),
    Fault("bulk/coming", "entangled[found.booked[ours_and_booked(found.bookings)]] = True", "pass"),
    Fault("bulk/keeping", "again |= np.isin(account, settled)", "pass"),
    Fault("bulk/keeping", "self._tallies.said[catalogues] = 0", "pass"),
    Fault("bulk/keeping", "anew = np.isin(account, catalogues)", "anew = account < 0"),
    Fault("bulk/keeping", "self._pairs.note(cells[~come], due[~come])", "pass"),
    Fault("bulk/keeping", "self._terms = terms_of(self._estate, on)", "pass"),
    Fault("bulk/keeping", "self._ledger.renumber(rows)", "pass"),
    Fault("bulk/keeping", "self._noticed.touch(account[come])", "pass"),
    Fault("bulk/keeping", "self._noticed.touch(self._account[gone])", "pass"),
    Fault("bulk/keeping", "self._noticed.touch(settled)", "pass"),
    Fault("bulk/asking", "place * 2 + lately", "place * 2"),
    Fault(
        "bulk/reading",
        "np.unique(block.account, return_inverse=True)",
        "np.arange(min(block.account), max(block.account) + 1), block.account - min(block.account)",
    ),
    Fault("bulk/looking", "(self._on == NONE) | (found & (self._on != on))", "(self._on == NONE)"),
    Fault(
        "bulk/pairs",
        "        soon = np.flatnonzero(due <= ",
        "        soon = np.flatnonzero(due < ",
    ),
    Fault("bulk/pairs", 'self.cells.array("due")[unused] = FAR', "pass"),
    Fault("bulk/pairs", "            self._known_until = NONE\n", ""),
    Fault("bulk/ledger", "np.searchsorted(self._keys, keys)))", "np.searchsorted(self._keys, keys[:0])))"),
    Fault("bulk/ledger", "np.repeat(on, heads) < until[self._order]", "np.repeat(on, heads) <= until[self._order]"),
    Fault("bulk/ledger", "            self._order = np.arange(self.rows.used)\n", ""),
    Fault("bulk/ledger", 'self.rows.array("course")[:] += courses[self.rows.array("account")]', "pass"),
    Fault("bulk/ledger", "self._keys = self._keys_of(self._order)", "pass"),
    Fault("bulk/tallies", "before[people] += more", "pass"),
    Fault("bulk/tallies", "((before, -1), (now, 1))", "((now, 1),)"),
    Fault("bulk/altering", "_note(found, ~alike, ", "_note(found, ~alike & alike, "),
    Fault("bulk/altering", "found.catalogue[accounts] = True", "pass"),
    Fault("bulk/altering", "shift[of]).astype", "0 * shift[of]).astype"),
    Fault("bulk/straying", "before.get(row) != now.get(row)", "False"),
    Fault("bulk/straying", "        self.forget(people)\n", ""),
    Fault("bulk/holding", "        first[:] = np.cumsum(count) - count\n", ""),
    Fault("bulk/holding", 'rows.array(column)[:] += shift[rows.array("account")]', "pass"),
    Fault("bulk/holding", "        here[left] = False\n", ""),
    Fault("bulk/holding", "[people] = start + ends[:-1]", "[people] = ends[:-1]"),
    Fault("bulk/holding", 'self.people.array("rank")[self._order] = np.arange(self.people.used)', "pass"),
    # The calendar and the report
    Fault("ahead/feeds", "if entry.on >= on", "if entry.on > on"),
    Fault("ahead/feeds", "if not person.archived:", "if True:"),
    Fault("ahead/feeds", "renewal.cycle, 0)", "str(renewal.expires_on), 0)"),
    Fault("ahead/feeds", "if size + width > 75:", "if size + width > 76:"),
    Fault("ahead/feeds", "width = len(char.encode())", "width = 1"),
    Fault("ahead/feeds", '.replace("\\n", "\\\\n")', ""),
    Fault("htmlreport/page", "autoescape=True", "autoescape=False"),
    Fault("htmlreport/page", '"shown": safe', '"shown": str'),
    Fault("ahead/covering", "int(self.covered * 100 + 1e-9)", "round(self.covered * 100)"),
    Fault("htmlreport/content", "row.lapses_although_on and", ""),
    Fault("htmlreport/content", "later - timedelta(1)", "later"),
    Fault("htmlreport/charts", "abs(scale.y(bar.value) - scale.y(0))", "abs(scale.y(bar.value) - scale.y(1))"),
    Fault("htmlreport/charts", "low // step * step", "low"),
    Fault("matrix/files", 'if value is None and getattr(written, "data_type", "n") == "f":', "if False:"),
    # Estates from tables: whole accounts, ids of their own account, nothing out of the calendar, nothing half-written
    Fault("arrow/walking", "if after < before:", "if after <= before:"),
    Fault("arrow/references", "np.where(owner[ids] == account, ids, UNKNOWN)", "np.where(ids >= 0, ids, UNKNOWN)"),
    Fault("arrow/references", "ascending[at] == wanted", "ascending[at] >= wanted"),
    Fault("arrow/decoding", "| (numbers > high)", "| (numbers > high + 1)"),
    Fault("arrow/decoding", "date.max.toordinal() - EPOCH", "date.max.toordinal() - EPOCH + 1"),
    Fault("arrow/decoding", "if values.null_count and not column.nullable:", "if False:"),
    Fault("arrow/reading", "(greater(ids[1:], ids[:-1]) |", "(~same(ids[1:], ids[:-1]) |"),
    Fault("arrow/reading", "both = (months != NONE) & (days != NONE)", "both = months == days"),
    Fault("arrow/texts", "<= 0x7E - 0x20", "<= 0xFF - 0x20"),
    Fault("arrow/working_out", r'rf"\A(?:', r'rf"(?:'),
    Fault("arrow/files", "stack.callback(_remove, draft)", "stack.callback(_remove, draft.parent)"),
    Fault("arrow/files", "whole = whole.slice(GROUP)", "whole = whole.slice(GROUP + 1)"),
    Fault("arrow/reading", "or (_NO_TEXTS,)", "or (_NO_TEXTS,) * 2 * len(texts)"),
    Fault("bulk/keeping", "        self._between = False\n", ""),
    Fault("bulk/holding", "            self._without_them(changed, account, left)\n", ""),
    Fault("bulk/holding", " | about(changed, account), found.settings", ", found.settings"),
    Fault("bulk/snapshots", "_FAR_EAST if number < 0 else -_FAR_EAST", "_FAR_EAST"),
    Fault("dates", "date.min if instant.year == date.min.year else date.max", "instant.date()"),
    Fault("adapters/nested", "        if before == after:", "        if before > after:"),
    Fault("adapters/nested", "back = np.argsort(order)", "back = order"),
)


def row_faults() -> Iterator[Fault]:
    """Every predicate of the policy's tables, made wrong in every simple way."""
    text = (ROOT / PACKAGE / "policy.py").read_text(encoding="utf-8")
    rows = set(re.findall(r"holds=(\w+),", text))
    for function in ast.parse(text).body:
        if isinstance(function, ast.FunctionDef) and function.name in rows:
            [body] = function.body
            assert isinstance(body, ast.Return)
            assert body.value is not None
            source = ast.get_source_segment(text, function)
            assert source is not None
            head = source.partition("    return ")[0]
            for wrong in wrongly(body.value):
                yield Fault("policy", source, f"{head}    return {wrong}")
                # The other engine has no rows of its own: it has to be wrong in the same way.
                if wrong not in SAME_ON_REGISTERS:
                    yield Fault("policy", source, f"{head}    return {wrong}", "tests/bulk/test_definition.py")


SAME_ON_REGISTERS = ("facts.lately_expired",)
"""Wrong for facts that no register has: what has expired lately has expired. The tables are held against all facts."""


def wrongly(expression: ast.expr) -> Iterator[str]:
    yield "True"
    yield "False"
    yield f"not ({ast.unparse(expression)})"
    if isinstance(expression, ast.BoolOp):
        for left_out in expression.values:
            rest = [value for value in expression.values if value is not left_out]
            yield ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(expression.op, rest))
        yield ast.unparse(ast.BoolOp(ast.And() if isinstance(expression.op, ast.Or) else ast.Or(), expression.values))


def misplaced(fault: Fault) -> str | None:
    """What is wrong with the place of a fault, which must stand in the code once."""
    module = ROOT / PACKAGE / f"{fault.module}.py"
    count = module.read_text(encoding="utf-8").count(fault.old) if module.exists() else 0
    return None if count == 1 else f"`{' '.join(fault.name.split())}` stands there {count} times"


_FOLDERS = (
    ("adapters/nested", "tests/bulk_io"),
    ("ahead/feeds", "tests/report"),
    ("arrow/", "tests/bulk_io"),
    ("bulk/", "tests/bulk"),
    ("htmlreport/", "tests/report"),
    ("matrix/", "tests/matrix"),
)
"""Where the tests of a module are, if not with the rules."""


@contextmanager
def a_copy() -> Iterator[Path]:
    """A copy of the tree, to plant a fault in."""
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, here / name)
        yield here


def caught_by(fault: Fault, limit: float) -> str | None:
    """The first test that turns red, or does not end, the likely ones tried first; None where all stay green."""
    with a_copy() as here:
        module = here / PACKAGE / f"{fault.module}.py"
        module.write_text(module.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")
        everything = next((folder for start, folder in _FOLDERS if fault.module.startswith(start)), "tests/spec")
        for tests in (fault.tests,) if fault.tests else (*filter(None, [tuple(files(fault.module))]), everything):
            chosen = (tests,) if isinstance(tests, str) else tests
            try:
                red = first_red(here, *chosen, limit=limit)
            except Endless:
                if not ends(chosen, limit / 2):
                    raise SystemExit(
                        f"{' '.join(chosen)} take too long without a fault; give a larger --limit"
                    ) from None
                return f"no end within {limit:.0f} s: {' '.join(chosen)}"
            if red is not None:
                return red
    return None


class Endless(Exception):
    """Tests have not come to an end in their time."""


@lru_cache
def ends(tests: tuple[str, ...], limit: float) -> bool:
    """Whether tests come to an end in this time where no fault is planted."""
    with a_copy() as here:
        try:
            first_red(here, *tests, limit=limit)
        except Endless:
            return False
    return True


def first_red(here: Path, *tests: str, limit: float | None = None) -> str | None:
    """The first of some tests that turns red in a copy of the tree; raises `Endless`."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = os.environ | {"PYTHONPATH": str(here / "src"), "HYPOTHESIS_PROFILE": "quick"}
    code, said = finished(command, here, environment, limit)
    if code == 0:
        return None
    red = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    if not red:
        raise SystemExit(f"the tests did not run:\n{said[-4000:]}")
    return str(red[0])


def finished(command: list[str], here: Path, environment: dict[str, str], limit: float | None) -> tuple[int, str]:
    """How a program ended, and what it said; whatever it had started itself ends with it where its time is over."""
    with subprocess.Popen(
        command, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        try:
            said, _ = running.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise Endless from None
        except BaseException:  # it has a session of its own, and would not hear of an interruption
            os.killpg(running.pid, signal.SIGKILL)
            raise
    return running.returncode, said


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name those that would be planted")
    parser.add_argument("--only", default="", metavar="TEXT", help="those with this in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    parser.add_argument("--limit", type=float, default=600, metavar="SECONDS", help="for the tests of one fault")
    options = parser.parse_args(arguments)
    chosen = [fault for fault in (*row_faults(), *FAULTS) if options.only in fault.name]
    wrong = list(filter(None, map(misplaced, chosen)))
    if wrong:
        print("\n".join((*wrong, "correct the table of faults")))
        return 1
    if options.list:
        print("\n".join(" ".join(fault.name.split()) for fault in chosen))
        return 0
    with a_copy() as here:
        red_anyway = first_red(here, "tests/spec")
    if red_anyway is not None:
        print(f"`{red_anyway}` is red with no fault planted; mend that first")
        return 1
    unnoticed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for fault, red in zip(chosen, pool.map(caught_by, chosen, repeat(options.limit)), strict=True):
            name = " ".join(fault.name.split())
            print(f"{'NOT NOTICED' if red is None else 'red'}  {name}\n     {red or ''}", flush=True)
            unnoticed += red is None
    print(f"{len(chosen)} faults planted, {len(chosen) - unnoticed} noticed")
    return 1 if unnoticed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
