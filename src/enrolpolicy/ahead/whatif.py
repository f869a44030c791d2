"""What would be different: tonight's plan as it is, and as it would be, and one value that says what lies between.

Both plans are made by the same evaluation, the second on a snapshot that shares with the first whatever was not
changed. Nothing is carried out, and the snapshot asked about stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import TypeVar, final

from attrs import evolve, field, frozen

from enrolpolicy.ahead.figures import Figures, Part, credits_left, divisions_of, parts_of, total
from enrolpolicy.changes import Change, applied
from enrolpolicy.constraints import Amount, checked
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Snapshot
from enrolpolicy.night import Night, night, night_of
from enrolpolicy.planner import planned
from enrolpolicy.plans import Cancel, Enrol, Invite, Plan
from enrolpolicy.register import Register, opt_outs_of, register
from enrolpolicy.sweep import first_reasons

ENROL, DEFERRED, NOT_ENROLLED = "enrol", "deferred", "not-enrolled"


@final
@frozen(kw_only=True, field_transformer=checked)
class TopUp:
    """More credits: not a setting, and nothing the register changes, but something to ask about."""

    credits: Amount


Supposition = Change | TopUp
"""Something that could be different."""


@final
@frozen
class Decision:
    """What becomes of a pair: `enrol`, `deferred` or `not-enrolled`, and why.

    `reason` is the trigger, `credits` or `spread`, or the first shut gate (`no-trigger` where none is).
    """

    outcome: str
    reason: str


@final
@frozen(kw_only=True)
class Moved:
    """A person and a course for which another outcome, or the same for another reason, would come out."""

    person: str
    course: str
    was: Decision
    now: Decision


@final
@frozen(kw_only=True)
class Difference:
    """What lies between two plans of one night: empty where they are the same.

    `added` and `removed` are enrolments of only the one, or only the other; `cancelled` and `spared`, `invited` and
    `uninvited` are the same of cancellations and of repeated invitations. `moved` has all whose outcome or reason
    differs, also of those who are not enrolled either way. `courses` and `divisions` hold those whose figures differ.
    """

    before: Plan = field(repr=False)
    after: Plan = field(repr=False)
    added: tuple[Enrol, ...] = ()
    removed: tuple[Enrol, ...] = ()
    cancelled: tuple[Cancel, ...] = ()
    spared: tuple[Cancel, ...] = ()
    invited: tuple[Invite, ...] = ()
    uninvited: tuple[Invite, ...] = ()
    moved: tuple[Moved, ...] = ()
    courses: tuple[Part, ...] = ()
    divisions: tuple[Part, ...] = ()

    @property
    def empty(self) -> bool:
        """Nobody would notice."""
        actions = self.added, self.removed, self.cancelled, self.spared, self.invited, self.uninvited
        return not any(actions) and not self.moved

    @property
    def figures(self) -> tuple[Figures, Figures]:
        """What both plans come to as a whole."""
        return total(self.before), total(self.after)

    @property
    def left(self) -> tuple[int | None, int | None]:
        """The credits that each would leave; None where they are not metered, or the plan was read from a document."""
        return credits_left(self.before), credits_left(self.after)


def what_if(snapshot: Snapshot, changes: Iterable[Supposition], *, on: date) -> Difference:
    """What tonight's plan would be with some changes made, in their order, beside what it is.

    Raises `UnknownId` for a course, person or enrolment the snapshot does not have, and `InvalidValue` for a value that
    its field cannot hold. Whoever may make such changes is not asked here: see `amend`.
    """
    then = supposed(snapshot, changes, on=on)
    rows = register(snapshot)
    nights = night_of(rows, on), night_of(moved(rows, snapshot, then), on)
    return _difference(planned(snapshot, nights[0]), planned(then, nights[1]), nights)


def supposed(snapshot: Snapshot, changes: Iterable[Supposition], *, on: date) -> Snapshot:
    """The snapshot with some changes made in their order; it shares with the other whatever was not changed."""
    for change in changes:
        snapshot = _topped_up(snapshot, change) if isinstance(change, TopUp) else applied(snapshot, change, on=on)
    return snapshot


def moved(rows: Register, before: Snapshot, after: Snapshot) -> Register:
    """The register of a snapshot after some changes; it shares with the one before them whatever they left as it is."""
    tables = ("roles", "assignments", "records", "enrolments")
    if any(getattr(after, table) is not getattr(before, table) for table in tables):
        return register(after)
    if after.account is not before.account:
        rows = evolve(rows, account=after.account)
    if after.courses is not before.courses:
        rows = evolve(rows, courses={course.id: course for course in after.courses})
    if after.personnel is not before.personnel:
        rows = evolve(rows, people={person.id: person for person in after.personnel})
    if after.opt_outs is not before.opt_outs:
        rows = evolve(rows, opt_outs=opt_outs_of(after.opt_outs))
    return rows


def _topped_up(snapshot: Snapshot, change: TopUp) -> Snapshot:
    credits = snapshot.account.credits
    if credits is None:
        raise InvalidValue("credits", "are not metered on this account; there is nothing to top up")
    return evolve(snapshot, account=evolve(snapshot.account, credits=credits + change.credits))


def difference(before: Plan, after: Plan) -> Difference:
    """What lies between two plans of one account and one night.

    Who is left out for another reason is known only of plans that were made here; of one that was read from a document,
    its actions and deferrals are compared. Raises `InvalidValue` for plans of two accounts, or of two nights.
    """
    if (before.account, before.on) != (after.account, after.on):
        raise InvalidValue("after", "must be of the same account and night as `before`; plan both for one night")
    sources = before.source, after.source
    if isinstance(sources[0], str) or isinstance(sources[1], str):
        return _difference(before, after, None)
    return _difference(before, after, (night(sources[0], before.on), night(sources[1], after.on)))


Nights = tuple[Night, Night]


def _difference(before: Plan, after: Plan, nights: Nights | None) -> Difference:
    divisions = divisions_of(before) | divisions_of(after)
    return Difference(
        before=before,
        after=after,
        added=_only(after.enrolments, before.enrolments),
        removed=_only(before.enrolments, after.enrolments),
        cancelled=_only(after.cancellations, before.cancellations),
        spared=_only(before.cancellations, after.cancellations),
        invited=_only(after.invitations, before.invitations),
        uninvited=_only(before.invitations, after.invitations),
        moved=tuple(_moved(before, after, nights)),
        courses=parts_of(before, after, lambda row: row.course),
        divisions=parts_of(before, after, lambda row: divisions.get(row.person)),
    )


_T = TypeVar("_T")
_Row = TypeVar("_Row", Enrol, Cancel, Invite)


def _only(rows: Iterable[_Row], others: Iterable[_Row]) -> tuple[_Row, ...]:
    known = set(others)
    return tuple(row for row in rows if row not in known)


# Decisions


def _moved(before: Plan, after: Plan, nights: Nights | None) -> Iterator[Moved]:
    was, now = _planned(before), _planned(after)
    named = {person for person in was.keys() | now.keys() if was.get(person) != now.get(person)}
    for person, old, new in _left_out(before, after, nights, named):
        then, later = was.get(person, _NOWHERE), now.get(person, _NOWHERE)
        for course in sorted({*then, *later, *old, *new}):
            if then.get(course) == later.get(course) and old.get(course) == new.get(course):
                continue  # nearly always
            before_it = then.get(course) or _not_enrolled(old.get(course))
            after_it = later.get(course) or _not_enrolled(new.get(course))
            if before_it is not None and after_it is not None and before_it != after_it:
                yield Moved(person=person, course=course, was=before_it, now=after_it)


def _planned(plan: Plan) -> dict[str, dict[str, Decision]]:
    """What becomes of those whom a plan names, by person, then course."""
    found: dict[str, dict[str, Decision]] = {}
    for outcome, rows in ((ENROL, plan.enrolments), (DEFERRED, plan.deferred)):
        for row in rows:
            found.setdefault(row.person, {})[row.course] = Decision(outcome, row.because)
    return found


Reasons = Mapping[str, str | None]
_NONE: Reasons = {}
_NOWHERE: Mapping[str, Decision] = {}


def _left_out(
    before: Plan, after: Plan, nights: Nights | None, named: AbstractSet[str]
) -> Iterator[tuple[str, Reasons, Reasons]]:
    """Whoever the plans name differently, or leave out for different reasons: with the reasons, by course."""
    if nights is None:
        yield from ((person, _NONE, _NONE) for person in sorted(named))
        return
    was, now = first_reasons(nights[0]), first_reasons(nights[1])
    known = nights[0].register.people.keys() & nights[1].register.people.keys()
    for person in sorted(known & named | _touched(before, after, known)):
        old, new = was(person), now(person)
        if person in named or old != new:  # nearly nobody
            yield person, old, new


def _touched(before: Plan, after: Plan, known: AbstractSet[str]) -> AbstractSet[str]:
    """The people of whom anything but credits can have another outcome, seen by what the two snapshots share."""
    old, new = before.source, after.source
    assert not isinstance(old, str)
    assert not isinstance(new, str)
    shared = ("account", "courses", "roles", "assignments", "records")
    if any(getattr(old, table) is not getattr(new, table) for table in shared):
        return known
    people = {row.id for row in _unshared(old.personnel, new.personnel)}
    opted = _unshared(old.opt_outs, new.opt_outs)
    booked = _unshared(old.enrolments, new.enrolments)
    people |= {row.person for row in opted} | {row.person for row in booked}
    return known & people


def _unshared(old: tuple[_T, ...], new: tuple[_T, ...]) -> Iterator[_T]:
    """The rows that two tables do not share; which are the same rows, and not only equal ones, is quickly seen."""
    if old is not new:
        before, after = set(map(id, old)), set(map(id, new))
        yield from (row for row in old if id(row) not in after)
        yield from (row for row in new if id(row) not in before)


def _not_enrolled(reason: str | None) -> Decision | None:
    return None if reason is None else Decision(NOT_ENROLLED, reason)
