"""What was taken to be so, and what is still to be told, once a matrix was read."""

from collections.abc import Iterator, Sequence, Set
from typing import final

from attrs import frozen

from enrolpolicy.matrix.cells import letters
from enrolpolicy.matrix.day import Evidence
from enrolpolicy.matrix.heads import Heads
from enrolpolicy.matrix.mapping import Mapping
from enrolpolicy.matrix.people import Row
from enrolpolicy.matrix.records import Training
from enrolpolicy.model import Course, Person, Snapshot


@final
@frozen(kw_only=True)
class Remark:
    """Something about the whole matrix: `code` says what kind, `message` in words, `about` whom or what, by id."""

    code: str
    message: str
    about: tuple[str, ...] = ()


def _remark(
    code: str, nouns: tuple[str, str], message: str, about: Sequence[str], names: Sequence[str] = ()
) -> Iterator[Remark]:
    """A remark where there is anything to remark; `{}` in its message stands for how many, and then for which."""
    if about:
        count = f"{len(about):,} {nouns[len(about) > 1]}"
        yield Remark(code=code, message=message.format(count, _listed(names or about)), about=tuple(about))


PEOPLE, COURSES = ("person", "people"), ("course", "courses")


def _listed(names: Sequence[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"`{name[:60]}`" for name in names[:most]) + rest


def assumptions(
    snapshot: Snapshot,
    heads: Heads,
    rows: Sequence[Row],
    trainings: Sequence[Training],
    mapping: Mapping,
    found: Evidence,
) -> Iterator[Remark]:
    """What was taken to be so although nobody said it."""
    if mapping.dates is None and found.order is not None:
        [(order, count)], [(_, first)] = found.counts, found.first
        leave = "date leaves" if count == 1 else "dates leave"
        message = (
            f"dates such as `03/04/2025` are read as `{order.value}`: {count:,} {leave} no other order, as {first}"
        )
        yield Remark(code="order-settled", message=message)
    reckoned = [f"{row.person} {row.course}" for row in trainings if row.reckoned]
    yield from _remark(
        "completion-reckoned",
        ("completion", "completions"),
        "{} reckoned from the expiry and the validity, as no completion is in the matrix",
        reckoned,
    )
    unsaid = [row.person.id for row in rows if row.person is not None and not row.employment_said]
    yield from _remark("employment-assumed", PEOPLE, "{} taken for employed, as nothing says otherwise", unsaid)
    if "id" not in heads.fields:
        yield from _remark(
            "ids-from-names",
            PEOPLE,
            "{} known by name alone, and whoever is renamed becomes somebody else; add a column of ids",
            [person.id for person in snapshot.personnel],
        )
    yield from _remark(
        "opted-out",
        ("opt-out", "opt-outs"),
        "{} made of cells that say that it is not asked of somebody whose role asks for it: {}",
        [f"{row.person} {row.course}" for row in snapshot.opt_outs],
    )
    aside = [heads.texts[index] for index in heads.aside]
    yield from _remark(
        "columns-set-aside", ("column", "columns"), "{} set aside, as they say nothing about training: {}", aside,
        [f"{letters(index)} {heads.texts[index]}" for index in heads.aside],
    )  # fmt: skip


def questions(snapshot: Snapshot, delivered: Set[str]) -> Iterator[Remark]:
    """What has to be told before the plan means anything; `delivered` are the courses whose delivery was said."""
    silent = [person for person in snapshot.personnel if person.email is None]
    yield from _people("no-email", "{} without an address to invite them at: {}", silent)
    unsaid = [course for course in snapshot.courses if course.id not in delivered]
    yield from _courses(
        "delivery-unknown",
        "{} taken for `other`, which is never enrolled, until the delivery is known: {}; say `delivery` in a mapping",
        unsaid,
    )
    endless = {record.course for record in snapshot.records if record.expires_on is None and not record.never_expires}
    yield from _courses(
        "validity-unknown",
        "{} with completions that never expire until the validity is known: {}; say `validity` in a mapping",
        [course for course in snapshot.courses if course.validity is None and course.id in endless],
    )
    yield from _asked(snapshot)
    off = [course for course in snapshot.courses if not course.auto_enrol]
    if len(off) == len(snapshot.courses):
        yield from _courses("auto-enrol-off", "auto-enrol is off for all {}: {}; say `auto_enrol` in a mapping", off)
    if not snapshot.records:
        yield Remark(code="no-records", message="no date became a training record; see what was not understood")


def _asked(snapshot: Snapshot) -> Iterator[Remark]:
    asked = {requirement.course for role in snapshot.roles for requirement in role.requirements}
    asked |= {row.course for row in snapshot.assignments}
    yield from _courses(
        "requirements-unknown",
        "{} asked of nobody, so that nobody is enrolled: {}; say `roles`, or `asked`, in a mapping",
        [course for course in snapshot.courses if course.id not in asked],
    )


def _people(code: str, message: str, people: Sequence[Person]) -> Iterator[Remark]:
    return _remark(code, PEOPLE, message, [person.id for person in people], [person.name for person in people])


def _courses(code: str, message: str, courses: Sequence[Course]) -> Iterator[Remark]:
    return _remark(code, COURSES, message, [course.id for course in courses], [course.name for course in courses])
