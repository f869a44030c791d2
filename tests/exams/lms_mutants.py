"""LMSs that are broken in one way each, by the smallest change to the one in memory; and the laws that notice."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from typing import Any

from attrs import evolve
from broken import DAY, HOUR, Gap, Mutant, Unsteady, on, raises

from enrolpolicy.adapters.memory import STRONG
from enrolpolicy.ports import (
    Booking,
    Cancelled,
    Charge,
    Done,
    LaunchUrl,
    Lms,
    LmsCapabilities,
    Order,
    Progress,
    Receipt,
    Refused,
    Trouble,
    Unknown,
)
from enrolpolicy.testing import LmsHarness
from enrolpolicy.testing.worlds import LmsWorld


class BentLms:
    """An LMS some of whose methods are others; each gets the real one, and then its arguments."""

    def __init__(self, lms: Lms, methods: dict[str, Any], capabilities: dict[str, Any]) -> None:
        self._lms, self._methods, self._declared = lms, methods, capabilities
        self.repr = "BentLms()"

    def __repr__(self) -> str:
        return self.repr

    @property
    def capabilities(self) -> LmsCapabilities:
        return evolve(self._lms.capabilities, **self._declared)

    def _call(self, name: str, *arguments: Any) -> Any:
        real = getattr(self._lms, name)
        return self._methods[name](real, *arguments) if name in self._methods else real(*arguments)

    def check(self, courses: Sequence[str]) -> Done[tuple[Trouble, ...]] | Refused | Unknown:
        return self._call("check", courses)  # type: ignore[no-any-return]

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        return self._call("enrol", order)  # type: ignore[no-any-return]

    def find(self, key: str) -> Done[Booking | None] | Refused | Unknown:
        return self._call("find", key)  # type: ignore[no-any-return]

    def cancel_if_not_started(self, ref: str) -> Done[Cancelled] | Refused | Unknown:
        return self._call("cancel_if_not_started", ref)  # type: ignore[no-any-return]

    def launch_url(self, ref: str, return_to: str) -> Done[LaunchUrl] | Refused | Unknown:
        return self._call("launch_url", ref, return_to)  # type: ignore[no-any-return]


Bend = Callable[[Lms], dict[str, Any]]


def lms_mutant(
    wrong: str,
    broken: str,
    bend: Bend = lambda _: {},
    real: LmsCapabilities = STRONG,
    **declared: Any,
) -> Mutant:
    """An LMS with some capabilities, bent, that declares others."""

    def made() -> LmsHarness:
        return LmsWorld(real).harness(lambda lms: BentLms(lms, bend(lms), declared))

    return Mutant(wrong, frozenset(broken.split()), made)


def _remembering(change: Callable[[Any, Order, list[Order]], Any]) -> Bend:
    """Enrolling whose Done is changed with what was ordered before."""

    def bend(_: Lms) -> dict[str, Any]:
        before: list[Order] = []

        def enrol(real: Any, order: Order) -> Any:
            said = real(order)
            changed = change(said, order, before) if isinstance(said, Done) else said
            before.append(order)
            return changed

        return {"enrol": enrol}

    return bend


def _thrice(_: Lms) -> dict[str, Any]:
    counts: dict[str, int] = {}

    def enrol(real: Any, order: Order) -> Any:
        counts[order.key] = counts.get(order.key, 0) + 1
        return real(evolve(order, key=order.key + "+" * (counts[order.key] // 3)))

    return {"enrol": enrol}


def _own_keys(*, gap: bool, looks: bool) -> Bend:
    """Keys kept here, for an LMS that has none: looked at, and only then asked."""

    def bend(lms: Lms) -> dict[str, Any]:
        seen: dict[str, tuple[Order, Any]] = {}

        def enrol(real: Any, order: Order) -> Any:
            if order.key in seen:
                known, said = seen[order.key]
                return said if known == order else Refused("key-conflict")
            if gap:
                between.wait()
            said = real(order)
            if isinstance(said, Unknown) and looks:
                found = lms.find(order.key)
                if isinstance(found, Done) and found.value:
                    seen[order.key] = order, Done(Receipt(ref=found.value.ref))
            if isinstance(said, Done):
                seen[order.key] = order, said
            return said

        lock, between = Lock(), Gap()

        def in_turn(real: Any, order: Order) -> Any:
            with lock:
                return enrol(real, order)

        return {"enrol": enrol if gap else in_turn}

    return bend


def _lost_is_done(_: Lms) -> dict[str, Any]:
    lost: set[str] = set()

    def enrol(real: Any, order: Order) -> Any:
        if order.key in lost:
            return Done(Receipt(ref="lost"))
        said = real(order)
        if isinstance(said, Unknown):
            lost.add(order.key)
        return said

    return {"enrol": enrol}


def _refuses_the_started(lms: Lms) -> dict[str, Any]:
    def enrol(real: Any, order: Order) -> Any:
        found = lms.find(order.key)
        started = isinstance(found, Done) and found.value and found.value.progress is not Progress.NOT_STARTED
        cancelled = isinstance(found, Done) and found.value and found.value.progress is Progress.CANCELLED
        return Refused("in-progress") if started and not cancelled else real(order)

    # Looked at first, so that a mishap meant for enrolling does not befall the look-up.
    def after(real: Any, order: Order) -> Any:
        said = real(order)
        return enrol(lambda _: said, order) if isinstance(said, Done) else said

    return {"enrol": after}


def _remembers_refusals(_: Lms) -> dict[str, Any]:
    refusals: dict[str, Refused] = {}

    def enrol(real: Any, order: Order) -> Any:
        if order.key in refusals:
            return refusals[order.key]
        said = real(order)
        if isinstance(said, Refused):
            said = refusals[order.key] = evolve(said, final=True)
        return said

    return {"enrol": enrol}


def _waiting_list(_: Lms) -> dict[str, Any]:
    def enrol(real: Any, order: Order) -> Any:
        said = real(order)
        if isinstance(said, Refused) and said.reason == "no-seat":
            real(evolve(order, key=f"{order.key}-waiting", person="waiting-list"))
        return said

    return {"enrol": enrol}


def _finds_anybody(lms: Lms) -> dict[str, Any]:
    keys: list[str] = []

    def enrol(real: Any, order: Order) -> Any:
        keys.append(order.key)
        return real(order)

    def find(real: Any, key: str) -> Any:
        said = real(key)
        return real(keys[0]) if said == Done(None) and keys else said

    return {"enrol": enrol, "find": find}


def _finds_its_own(_: Lms) -> dict[str, Any]:
    confirmed: set[str] = set()

    def enrol(real: Any, order: Order) -> Any:
        said = real(order)
        if isinstance(said, Done):
            confirmed.add(order.key)
        return said

    return {"enrol": enrol, "find": lambda real, key: real(key) if key in confirmed else Done(None)}


def _booking(**changes: Any) -> Callable[[Any], Any]:
    return lambda said: said if said.value is None else Done(evolve(said.value, **changes))


def _finding(what: Progress, progress: Progress) -> Bend:
    def find(real: Any, key: str) -> Any:
        said = real(key)
        found = isinstance(said, Done) and said.value is not None and said.value.progress is what
        return Done(evolve(said.value, progress=progress)) if found else said

    return lambda _: {"find": find}


def _cancels_all(lms: Lms) -> dict[str, Any]:
    refs: list[str] = []

    def enrol(real: Any, order: Order) -> Any:
        said = real(order)
        if isinstance(said, Done):
            refs.append(said.value.ref)
        return said

    def cancel(real: Any, ref: str) -> Any:
        said = real(ref)
        if said == Done(Cancelled.CANCELLED):
            for other in refs:
                real(other)
        return said

    return {"enrol": enrol, "cancel_if_not_started": cancel}


def _answering(before: Cancelled, after: Cancelled) -> Bend:
    return lambda _: {"cancel_if_not_started": on(Done, lambda _: Done(after), value=before)}


def _gives_up(_: Lms) -> dict[str, Any]:
    lost: set[str] = set()

    def cancel(real: Any, ref: str) -> Any:
        said = Unknown("given-up") if ref in lost else real(ref)
        if isinstance(said, Unknown):
            lost.add(ref)
        return said

    return {"cancel_if_not_started": cancel}


def _old_completion(_: Lms) -> dict[str, Any]:
    first: dict[tuple[str, str], str] = {}
    orders: dict[str, Order] = {}

    def enrol(real: Any, order: Order) -> Any:
        orders[order.key] = order
        first.setdefault((order.person, order.course), order.key)
        return real(order)

    def find(real: Any, key: str) -> Any:
        order = orders.get(key)
        return real(first[order.person, order.course] if order else key)

    return {"enrol": enrol, "find": find}


def _cached_launch(_: Lms) -> dict[str, Any]:
    cache: dict[str, Any] = {}

    def launch(real: Any, ref: str, return_to: str) -> Any:
        if ref not in cache:
            cache[ref] = real(ref, return_to)
        return cache[ref]

    return {"launch_url": launch}


def _launches_all(lms: Lms) -> dict[str, Any]:
    lasting: list[Any] = []

    def launch(real: Any, ref: str, return_to: str) -> Any:
        said = real(ref, return_to)
        lasting.append(said)
        return Done(LaunchUrl(url="https://lms.example/", expires_at=NEVER)) if isinstance(said, Refused) else said

    return {"launch_url": launch}


def _probing(lms: Lms) -> dict[str, Any]:
    def check(real: Any, courses: Sequence[str]) -> Any:
        said = real(courses)
        if isinstance(said, Done):
            lms.enrol(Order(key="probe", account="acme", person="probe", course=courses[0], cycle="", attempt=0))
        return said

    return {"check": check}


class UnsteadyLms(BentLms):
    """One whose declarations change from call to call."""

    times = Unsteady()

    @property
    def capabilities(self) -> LmsCapabilities:
        return evolve(self._lms.capabilities, longest_call=self.times.next())


class TalkativeLms(BentLms):
    """One whose repr shows what it was last asked."""

    def enrol(self, order: Order) -> Done[Receipt] | Refused | Unknown:
        self.repr = f"TalkativeLms(last={order})"
        return super().enrol(order)


def _lms_of(kind: type[BentLms]) -> Callable[[], LmsHarness]:
    return lambda: LmsWorld().harness(lambda lms: kind(lms, {}, {}))


def _slow(real: Any, *arguments: Any) -> Any:
    said = real(*arguments)
    if isinstance(said, Unknown) and arguments[0].key == "k1":
        time.sleep(0.27)
    return said


NEVER = LmsWorld().clock() + timedelta(days=365)
KEYLESS = evolve(STRONG, keys_kept=None)
FOR_A_DAY = evolve(STRONG, keys_kept=DAY)
UNSURE = evolve(STRONG, refusals_final=False)
BY_PAIR = evolve(STRONG, keys_kept=None, one_open=True)

LMS_MUTANTS = (
    lms_mutant("checking raises", "L0", lambda _: {"check": on(Unknown, raises(TimeoutError()))}),
    Mutant("its repr shows what it was asked", frozenset({"L0b"}), _lms_of(TalkativeLms)),
    lms_mutant(
        "the reason is a sentence about the person",
        "L0b L0d",
        lambda _: {
            "enrol": lambda real, order: on(Refused, lambda it: evolve(it, reason=f"{order.person}: {it.reason}"))(
                real, order
            )
        },
    ),
    lms_mutant(
        "ids lose their blanks", "L0c", lambda _: {"enrol": lambda real, it: real(evolve(it, person=it.person.strip()))}
    ),
    lms_mutant(
        "reasons in capitals", "L0d", lambda _: {"enrol": on(Refused, lambda it: evolve(it, reason=it.reason.upper()))}
    ),
    lms_mutant("the third request is a new one", "L1 L1b L2b", _thrice),
    lms_mutant(
        "a known key is enough",
        "L1b",
        lambda _: {"enrol": on(Refused, lambda _: Done(Receipt(ref="booking-1")), reason="key-conflict")},
    ),
    lms_mutant("looks, and only then enrols", "L1c", _own_keys(gap=True, looks=True), KEYLESS, keys_kept=timedelta.max),
    lms_mutant(
        "keys are those that were answered", "L1d", _own_keys(gap=False, looks=False), KEYLESS, keys_kept=timedelta.max
    ),
    lms_mutant("what was lost counts as done", "L1e L3d", _lost_is_done),
    lms_mutant("keys are kept for half the time", "L1f", real=evolve(STRONG, keys_kept=DAY / 2), keys_kept=DAY),
    lms_mutant("does not look for open ones", "L1g L1h", one_open=True),
    lms_mutant(
        "takes somebody else's for its own",
        "L1h",
        lambda _: {"enrol": on(Done, lambda it: Done(evolve(it.value, foreign=False)))},
        BY_PAIR,
    ),
    lms_mutant(
        "takes a person's other course for somebody else's",
        "L1i",
        _remembering(
            lambda said, order, before: Done(
                evolve(
                    said.value, foreign=any(it.person == order.person and it.course != order.course for it in before)
                )
            )
        ),
    ),
    lms_mutant(
        "a repeated answer is marked",
        "L2 L2b L6",
        _remembering(lambda said, order, before: Done(evolve(said.value, foreign=order in before))),
    ),
    lms_mutant("a started one is refused", "L2b", _refuses_the_started),
    lms_mutant(
        "says final, and is not",
        "L3 L3d",
        lambda _: {"enrol": on(Refused, lambda it: evolve(it, final=True))},
        UNSURE,
        refusals_final=True,
    ),
    lms_mutant("refusals are final at this end alone", "L3d", _remembers_refusals, UNSURE, refusals_final=True),
    lms_mutant(
        "claims to be final", "L3b", lambda _: {"enrol": on(Refused, lambda it: evolve(it, final=True))}, UNSURE
    ),
    lms_mutant("who is refused comes on a list", "L3c L3d", _waiting_list),
    lms_mutant("finds another name", "L4", lambda _: {"find": on(Done, _booking(ref="another"))}),
    lms_mutant("finds somebody", "L4b", _finds_anybody),
    lms_mutant(
        "nothing there is a refusal", "L4b", lambda _: {"find": on(Done, lambda _: Refused("not-found"), value=None)}
    ),
    lms_mutant("started is not seen", "L4c", _finding(Progress.IN_PROGRESS, Progress.NOT_STARTED)),
    lms_mutant("finds only what it was told of", "L4d", _finds_its_own),
    lms_mutant("cancelled is found as open", "L4e", _finding(Progress.CANCELLED, Progress.NOT_STARTED)),
    lms_mutant("claims a bound that is none", "L4f", latest_arrival=HOUR),
    lms_mutant("silence is absence", "L0 L4g", lambda _: {"find": on(Unknown, lambda _: Done(None))}),
    lms_mutant("cancels all it has made", "L5", _cancels_all),
    lms_mutant("cancels again", "L5b L5f", _answering(Cancelled.ALREADY, Cancelled.CANCELLED)),
    lms_mutant("what was lost is given up", "L5f", _gives_up),
    lms_mutant("says cancelled of what was started", "L5c", _answering(Cancelled.IN_PROGRESS, Cancelled.CANCELLED)),
    lms_mutant("says cancelled of what was completed", "L5d", _answering(Cancelled.COMPLETED, Cancelled.ALREADY)),
    lms_mutant(
        "cancels without looking", "L5c L5d", real=evolve(STRONG, cancels_unstarted=False), cancels_unstarted=True
    ),
    lms_mutant("says cancelled of what is not there", "L5e", _answering(Cancelled.NOT_FOUND, Cancelled.CANCELLED)),
    lms_mutant("cancelling deletes", "L6", real=evolve(STRONG, cancel_frees_key=True), cancel_frees_key=False),
    lms_mutant("says that cancelling deletes", "L6b", cancel_frees_key=True),
    Mutant("declares something else each time", frozenset({"L7"}), _lms_of(UnsteadyLms)),
    lms_mutant(
        "waits for longer than it says", "L7b", lambda _: {"enrol": _slow}, longest_call=timedelta(milliseconds=10)
    ),
    lms_mutant("charges at once", "L7c", charges=Charge.ON_START),
    lms_mutant(
        "writes, and does not say so", "L7d", real=evolve(STRONG, sends_invitation=True), sends_invitation=False
    ),
    lms_mutant("an old completion is a new one", "L8", _old_completion),
    lms_mutant(
        "launches without encryption",
        "L9",
        lambda _: {
            "launch_url": on(Done, lambda it: Done(evolve(it.value, url=it.value.url.replace("https", "http"))))
        },
    ),
    lms_mutant("launch addresses are kept", "L9b", _cached_launch),
    lms_mutant("launches whatever it is given", "L9c", _launches_all),
    lms_mutant("checks by enrolling", "L10 L10b", _probing),
    lms_mutant("checks nothing", "L10b", lambda _: {"check": on(Done, lambda _: Done(()))}),
    lms_mutant(
        "wrong credentials look like an unknown learner",
        "L10c",
        lambda _: {"enrol": on(Refused, lambda _: Refused("unknown-learner"), everything=True)},
    ),
    lms_mutant(
        "wrong credentials look like nothing there",
        "L10c",
        lambda _: {"find": on(Refused, lambda _: Done(None), everything=True)},
    ),
)
