"""The calls of a run, and what it knows so far: the part of a runner that is not about enrolments.

A port's answer is held against what it may be: whatever is no answer is `Unknown`, like an exception. A port that
refuses everything, or does not answer several times in a row, is not called again in this run.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Protocol, TypeVar, final

from attrs import frozen

from enrolpolicy.guarantees import InDoubt
from enrolpolicy.ports import Booking, Done, Refused, Unknown, Work
from enrolpolicy.reports import Fate, Outcome
from enrolpolicy.runner.job import Job

T = TypeVar("T")
K = TypeVar("K", bound="Named")
R = TypeVar("R")


@final
@frozen
class Call:
    """A call to be made: on which port (`store`, `lms`, `mailer`), which method, with what."""

    port: str
    method: str
    arguments: tuple[object, ...]


@final
@frozen
class Told:
    """Something to tell whoever watches; its answer is None."""

    outcome: Outcome


Steps = Generator[Call | Told, object, T]


class Named(Protocol):
    """Something about one person and one enrolment: a row, a letter, an action, an answer to one of them."""

    @property
    def person(self) -> str:
        """Whom it is about."""
        ...


@final
class Run:
    """One run: what came of it so far, and whether it goes on.

    `stopped` and `mail_stopped` say why it does not, or why no more letters are sent; `unusable` names courses the LMS
    cannot book, with its reason.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.outcomes: list[Outcome] = []
        self.stopped: str | None = None
        self.mail_stopped: str | None = None
        self.unusable: dict[str, str] = {}
        self._silence = {"store": 0, "lms": 0, "mailer": 0}

    def tell(self, outcomes: Sequence[Outcome]) -> Steps[None]:
        """Keep outcomes for the report, and tell whoever watches."""
        for outcome in outcomes:
            self.outcomes.append(outcome)
            yield Told(outcome)

    def batches(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Items in groups that share a transaction, while the run goes on."""
        # Where what is in doubt is left to a person, no more is begun than can be told apart.
        size = 1 if self.job.guarantee.in_doubt is InDoubt.HOLD else self.job.batch
        for start in range(0, len(items), size):
            if self.stopped:
                return
            yield items[start : start + size]

    # Calls

    def call(self, port: str, method: str, kind: Any, *arguments: object) -> Steps[Any]:
        """A call, and its answer: Refused, Unknown, or Done with a value of a kind."""
        said: Any = yield Call(port, method, arguments)
        if isinstance(said, Refused | Unknown) or (isinstance(said, Done) and isinstance(said.value, kind)):
            return said
        return Unknown(f"the {port} answered `{method}` with something that is no answer")

    def lms(self, method: str, kind: type[T], *arguments: object) -> Steps[Done[T] | Refused | Unknown]:
        """A call to the LMS."""
        said: Done[T] | Refused | Unknown = yield from self.call("lms", method, kind, *arguments)
        self._heard("lms", said, silent=self._silent(said))
        return said

    def find(self, key: str) -> Steps[Done[Booking | None] | Refused | Unknown]:
        """What the LMS has under a key."""
        said: Done[Booking | None] | Refused | Unknown = yield from self.call("lms", "find", Booking | None, key)
        self._heard("lms", said, silent=self._silent(said))
        return said

    def send(self, *arguments: object) -> Steps[Done[None] | Refused | Unknown]:
        """A call to the mailer."""
        said: Done[None] | Refused | Unknown = yield from self.call("mailer", "send", type(None), *arguments)
        # A letter that is not taken now says nothing about the next: it is another server's that does not take it.
        self._heard("mailer", said, silent=isinstance(said, Unknown))
        return said

    def read(self, method: str, kind: type[T], *arguments: object) -> Steps[T | None]:
        """Something read from the store; None: it could not be, and the run stops."""
        said: Done[T] | Refused | Unknown = yield from self.call("store", method, kind, self.job.account, *arguments)
        if isinstance(said, Done):
            return said.value
        self.stopped = f"the store did not give its {method}: {reason(said)}"
        return None

    def transact(self, people: Sequence[str], work: Work[T]) -> Steps[Done[T] | Refused | Unknown]:
        """One transaction of the store."""
        said: Done[T] | Refused | Unknown
        said = yield from self.call("store", "transact", object, self.job.account, people, work)
        self._heard("store", said, silent=isinstance(said, Unknown))
        return said

    def each(
        self, items: Sequence[K], work: Callable[[Job, Sequence[K]], Work[tuple[R, ...]]], act: str
    ) -> Steps[list[R | Outcome]]:
        """One transaction for all items; where the store refuses that, one for each, so that none stops the others.

        An item whose transaction did not happen, or of which nobody knows, is left alone as if the run had ended there.
        """
        if not items:
            return []
        people = tuple(dict.fromkeys(item.person for item in items))
        said = yield from self.transact(people, work(self.job, items))
        if isinstance(said, Done):
            return list(said.value)
        if isinstance(said, Unknown) or len(items) == 1 or self.stopped:
            return [in_doubt(act, item, reason(said)) for item in items]
        found: list[R | Outcome] = []
        for item in items:
            found += yield from self.each([item], work, act)
        return found

    def later(self, said: object) -> bool:
        """Whether an LMS whose refusals are final has not refused, but wants to be asked again later."""
        return isinstance(said, Refused) and not said.final and self.job.lms.refusals_final

    def _silent(self, said: object) -> bool:
        return isinstance(said, Unknown) or self.later(said)

    def _heard(self, port: str, said: object, *, silent: bool) -> None:
        """Whether a port is still called after what it said; without a mailer the run goes on, and its letters wait."""
        self._silence[port] = self._silence[port] + 1 if silent else 0
        if isinstance(said, Refused) and said.everything:
            why = f"the {port} refuses everything: {said.reason}"
        elif self._silence[port] >= self.job.patience:
            why = f"the {port} did not answer {self._silence[port]} times in a row"
        else:
            return
        if port == "mailer":
            self.mail_stopped = self.mail_stopped or why
        else:
            self.stopped = self.stopped or why


def reason(said: Refused | Unknown) -> str:
    """Why something did not happen, or may not have."""
    return said.reason if isinstance(said, Refused) else said.detail


def in_doubt(act: str, item: Any, detail: str) -> Outcome:
    """That nobody knows what became of an item."""
    key = item.enrolment if hasattr(item, "enrolment") else item.key
    course = getattr(item, "course", "")
    return Outcome(act=act, key=key, person=item.person, course=course, fate=Fate.IN_DOUBT, detail=detail)
