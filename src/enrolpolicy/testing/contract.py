"""What the three exams share: laws with ids, what they need, and a guard that none of them is quietly dropped."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Never, TypeVar, final, overload

import pytest
from attrs import frozen

H = TypeVar("H")
C = TypeVar("C")


@final
class Unsupported(Exception):
    """A control that this world cannot offer; the laws that would use it are told as not examined."""

    def __init__(self, control: str) -> None:
        super().__init__(f"this harness has no `{control}`")
        self.control = control


def without(control: str) -> Callable[..., Never]:
    """A control that is not offered: calling it raises `Unsupported`."""

    def unsupported(*_: object) -> Never:
        raise Unsupported(control)

    return unsupported


@final
@frozen
class Need(Generic[H]):
    """What a law asks of the port it examines: in words, and whether a harness has it."""

    words: str
    holds: Callable[[H], bool]


@final
@frozen(kw_only=True)
class Law:
    """A numbered law: its clause's id, its sentence, what it needs, and the method that examines it."""

    id: str
    sentence: str
    needs: tuple[str, ...]
    test: str


NOT_APPLICABLE = "not applicable"
NOT_EXAMINED = "not examined"


@overload
def law(id: str) -> Callable[[Callable[[C, H], None]], Callable[[C, H], None]]: ...
@overload
def law(id: str, *needs: Need[H]) -> Callable[[Callable[[C, H], None]], Callable[[C, H], None]]: ...
def law(id: str, *needs: Need[H]) -> Callable[[Callable[[C, H], None]], Callable[[C, H], None]]:
    """Make a method a law; its docstring is the sentence.

    Where the port lacks something the law needs, or the harness a control it uses, the law is skipped, and says so with
    its id. A law that is skipped for any other reason fails.
    """

    def lawful(examine: Callable[[C, H], None]) -> Callable[[C, H], None]:
        @functools.wraps(examine)
        def test(self: C, harness: H) -> None:
            lacking = [need.words for need in needs if not need.holds(harness)]
            if lacking:
                pytest.skip(f"{id} {NOT_APPLICABLE}: needs {', '.join(lacking)}")
            try:
                examine(self, harness)
            except Unsupported as missing:
                reason = f"{id} {NOT_EXAMINED}: {missing}"
            except pytest.skip.Exception as skipped:
                raise AssertionError(f"{id} was skipped, and no capability explains it: {skipped.msg}") from None
            else:
                return
            pytest.skip(reason)

        sentence = " ".join((examine.__doc__ or "").split())
        words = tuple(need.words for need in needs)
        test.law = Law(id=id, sentence=sentence, needs=words, test=examine.__name__)  # type: ignore[attr-defined] # functions take attributes
        return test

    return lawful


def law_of(method: object) -> Law | None:
    """The law a method examines; None: it is none."""
    found = getattr(method, "law", None)
    return found if isinstance(found, Law) else None


class Contract:
    """The root of the three exams; an adapter's exam is a subclass of one of them, with a fixture named `harness`."""

    subject: ClassVar[str] = ""
    """What is examined: `store`, `lms`, `mailer`."""
    standing: ClassVar[tuple[tuple[Law, Callable[..., None]], ...]] = ()
    """The laws, and the functions that examine them."""

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if "subject" in vars(cls):
            found = [(law_of(method), method) for part in cls.__mro__ for method in vars(part).values()]
            cls.standing = tuple((one, method) for one, method in found if one is not None)
        elif problems := tampered(cls):
            raise TypeError(f"`{cls.__name__}` is no exam any more: {'; '.join(problems)}")

    @pytest.mark.usefixtures("harness")
    def test_every_law_stands(self) -> None:
        """No law is missing, or replaced without `xfail(strict=True, reason=…)`."""
        assert tampered(type(self)) == []


@final
@frozen(kw_only=True)
class Result:
    """What came of one law: `outcome` is `passed`, `failed`, `not applicable` or `not examined`; `detail` says why."""

    law: Law
    outcome: str
    detail: str = ""


def examine(contract: type[Contract], harness: Callable[[], object]) -> tuple[Result, ...]:
    """Examine an adapter here and now, without pytest's runner; `harness` makes a new world for each law."""
    return tuple(_examined(one, test, contract, harness) for one, test in contract.standing)


def _examined(one: Law, test: Callable[..., None], contract: type[Contract], harness: Callable[[], object]) -> Result:
    try:
        test(contract(), harness())
    except pytest.skip.Exception as skipped:
        outcome = NOT_EXAMINED if NOT_EXAMINED in str(skipped.msg) else NOT_APPLICABLE
        return Result(law=one, outcome=outcome, detail=str(skipped.msg))
    except Exception as error:  # noqa: BLE001 - a broken adapter may raise anything
        return Result(law=one, outcome="failed", detail=f"{type(error).__name__}: {error}")
    return Result(law=one, outcome="passed")


def laws_of(contract: type[Contract]) -> tuple[Law, ...]:
    """The laws of an exam, in order."""
    return tuple(one for one, _ in contract.standing)


def tampered(exam: type[Contract]) -> list[str]:
    """The laws of an exam that were deleted, or replaced without a strict `xfail` that gives its reason."""
    problems = []
    for one, method in exam.standing:
        found = getattr(exam, one.test, None)
        if found is not method and not _expected(found):
            problems.append(
                f"law {one.id} (`{one.test}`) was replaced or removed; mark the method "
                "`@pytest.mark.xfail(strict=True, reason=…)` and call the law in it"
            )
    return problems


def _expected(method: object) -> bool:
    marks: list[pytest.Mark] = getattr(method, "pytestmark", [])
    return callable(method) and any(
        mark.name == "xfail" and mark.kwargs.get("strict") is True and mark.kwargs.get("reason") for mark in marks
    )
