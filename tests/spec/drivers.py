"""Runs made in both ways: with ports that answer, and with the same ports awaited."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from attrs import evolve

from enrolpolicy import (
    AsyncPorts,
    Invitation,
    Plan,
    PlanRefused,
    Ports,
    Report,
    Snapshot,
    Terms,
    aact,
    aapply,
    act,
    apply,
    arun_night,
    run_night,
)
from enrolpolicy.adapters.memory import STRONG, MemoryLms, MemoryMailer, MemoryStore
from enrolpolicy.plans import Action
from enrolpolicy.ports import LmsCapabilities
from enrolpolicy.testing.builders import course, person, register
from enrolpolicy.testing.worlds import Clock

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)


def compose(invitation: Invitation) -> bytes:
    return f"To: {invitation.recipient}\r\n\r\n{invitation.course_name}\r\n".encode()


TERMS = Terms(compose=compose)
REGISTER = register(person("ana"), person("bo"), courses=(course("fire"), course("ice")), credits=10)


class Host(NamedTuple):
    """A store, an LMS and a mailer in memory, and one clock."""

    store: MemoryStore
    lms: MemoryLms
    mailer: MemoryMailer
    clock: Clock

    @property
    def ports(self) -> Ports:
        return Ports(store=self.store, lms=self.lms, mailer=self.mailer)


def host(snapshot: Snapshot = REGISTER, capabilities: LmsCapabilities = STRONG) -> Host:
    clock = Clock(AT)
    return Host(
        MemoryStore(snapshot, clock=clock),
        MemoryLms(capabilities, clock=clock),
        MemoryMailer(clock=clock),
        clock,
    )


class _Awaited:
    """Any port, with methods that are awaited."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        async def method(*arguments: Any) -> Any:
            await asyncio.sleep(0)
            return found(*arguments)

        return method


def awaited(ports: Ports) -> AsyncPorts:
    return AsyncPorts(store=_Awaited(ports.store), lms=_Awaited(ports.lms), mailer=_Awaited(ports.mailer))


class Odd:
    """A port that answers one method with something else; what was asked happens, or not."""

    def __init__(self, port: Any, method: str, answer: Callable[[], Any], *, happens: bool) -> None:
        self._port, self._method, self._answer, self._happens = port, method, answer, happens

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._method:
            return found

        def method(*arguments: Any) -> Any:
            if self._happens:
                found(*arguments)
            return self._answer()

        return method


class Driver(NamedTuple):
    """One of the two ways to make runs."""

    run_night: Callable[..., Report]
    apply: Callable[..., Report | PlanRefused]
    act: Callable[..., Report]


def _night(account: str, *, ports: Ports, terms: Terms = TERMS, at: datetime = AT, **rest: Any) -> Report:
    return run_night(account, ports=ports, terms=terms, at=at, **rest)


def _apply(plan: Plan, *, ports: Ports, terms: Terms = TERMS, at: datetime = AT, **rest: Any) -> Report | PlanRefused:
    return apply(plan, ports=ports, terms=terms, at=at, **rest)


def _act(account: str, actions: list[Action], *, ports: Ports, terms: Terms = TERMS, at: datetime = AT) -> Report:
    return act(account, actions, ports=ports, terms=terms, at=at)


def _anight(account: str, *, ports: Ports, terms: Terms = TERMS, at: datetime = AT, **rest: Any) -> Report:
    return asyncio.run(arun_night(account, ports=awaited(ports), terms=terms, at=at, **rest))


def _aapply(plan: Plan, *, ports: Ports, terms: Terms = TERMS, at: datetime = AT, **rest: Any) -> Report | PlanRefused:
    return asyncio.run(aapply(plan, ports=awaited(ports), terms=terms, at=at, **rest))


def _aact(account: str, actions: list[Action], *, ports: Ports, terms: Terms = TERMS, at: datetime = AT) -> Report:
    return asyncio.run(aact(account, actions, ports=awaited(ports), terms=terms, at=at))


SYNC = Driver(_night, _apply, _act)
ASYNC = Driver(_anight, _aapply, _aact)


def carried_out(said: Report | PlanRefused) -> Report:
    assert isinstance(said, Report), said
    return said


def with_credits(snapshot: Snapshot, credits: int | None) -> Snapshot:
    return evolve(snapshot, account=evolve(snapshot.account, credits=credits))
