"""What can go wrong, as exceptions.

    EnrolPolicyError
    ├── InvalidValue      one field of one value cannot be what it was given (also a ValueError)
    ├── InvalidSnapshot   a snapshot or document was refused, with every problem and its path (also a ValueError)
    └── UnknownId         a question names a person, course or enrolment the snapshot has not (also a LookupError)

Only misuse is an exception. That somebody is *not* enrolled, that a plan may not be applied, or that a cancellation is
refused, are answers, and come back as values. Each can be pickled, and arrives as it was in another process.
"""

from typing import final

from attrs import frozen


@final
@frozen(kw_only=True)
class Problem:
    """One thing wrong in a document: `path` says where (JSONPath), `code` what kind, `message` what to do about it."""

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class EnrolPolicyError(Exception):
    """The root: everything this library raises on purpose."""


@final
class InvalidValue(EnrolPolicyError, ValueError):
    """A field was given something it cannot hold; `field` names it, `problem` says what it takes instead."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"`{field}` {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type["InvalidValue"], tuple[str, str]]:
        return InvalidValue, (self.field, self.problem)


@final
class InvalidSnapshot(EnrolPolicyError, ValueError):
    """A snapshot, or a document, was refused.

    `problems` holds the first thousand, ordered as they stand in the document; `more` counts those beyond.
    """

    def __init__(self, problems: tuple[Problem, ...], more: int = 0) -> None:
        rest = f"\n… and {more} more" if more else ""
        super().__init__("\n".join(map(str, problems)) + rest)
        self.problems = problems
        self.more = more

    def __reduce__(self) -> "tuple[type[InvalidSnapshot], tuple[tuple[Problem, ...], int]]":
        return InvalidSnapshot, (self.problems, self.more)


@final
class UnknownId(EnrolPolicyError, LookupError):
    """A question about somebody or something the snapshot does not hold."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"there is no {kind} `{id[:80]}` in the snapshot; check the id's spelling")
        self.kind = kind
        self.id = id

    def __reduce__(self) -> "tuple[type[UnknownId], tuple[str, str]]":
        return UnknownId, (self.kind, self.id)
