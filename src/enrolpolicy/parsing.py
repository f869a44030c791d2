"""Text to a JSON object: what can be wrong before anybody looks at what it says."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, final

from attrs import frozen

from enrolpolicy.constraints import shown
from enrolpolicy.errors import InvalidSnapshot, Problem
from enrolpolicy.plans import FORMAT_VERSION

Json = dict[str, Any]

MOST_PROBLEMS = 1000
"""More are counted, not named."""


def parsed(text: str | bytes) -> tuple[Json, list[Problem]]:
    """The document, and the keys it repeats; raises where it is no JSON object at all."""
    document, problems = _value(text)
    if not isinstance(document, dict):
        raise _refused("not-an-object", f"must be an object with `format_version` and `account`, not {shown(document)}")
    return document, problems


def parsed_rows(text: str | bytes) -> tuple[list[Json], list[Problem]]:
    """The objects of a list, and the keys they repeat; raises where it is no list of JSON objects at all."""
    rows, problems = _value(text)
    if not isinstance(rows, list):
        raise _refused("not-a-list", f"must be a list of objects, not {shown(rows)}")
    strangers = [(index, row) for index, row in enumerate(rows) if not isinstance(row, dict)]
    problems += [
        Problem(path=f"$[{index}]", code="not-an-object", message=f"must be an object, not {shown(row)}")
        for index, row in strangers
    ]
    return [row if isinstance(row, dict) else {} for row in rows], problems


def _value(text: str | bytes) -> tuple[Any, list[Problem]]:
    """Any JSON value, and the keys it repeats; raises where it is no JSON, at every number that is none."""
    repeated: list[tuple[Json, list[str]]] = []
    strange: list[_NoNumber] = []

    def pairs(items: list[tuple[str, Any]]) -> Json:
        found = dict(items)
        if len(found) != len(items):
            times = Counter(key for key, _ in items)
            repeated.append((found, sorted(key for key, count in times.items() if count > 1)))
        return found

    def constant(word: str) -> _NoNumber:
        strange.append(_NoNumber(f"`{word}` is not a number JSON has; write null, or the number that is meant"))
        return strange[-1]

    def whole(digits: str) -> int | _NoNumber:
        try:
            return int(digits)
        except ValueError:  # more than Python converts, thousands
            strange.append(_NoNumber(f"is a number of {len(digits)} digits; check what wrote the document"))
            return strange[-1]

    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        try:
            document = json.loads(decoded, object_pairs_hook=pairs, parse_constant=constant)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number has too many digits; which one, only the slow way tells
            repeated, strange = [], []
            document = json.loads(decoded, object_pairs_hook=pairs, parse_constant=constant, parse_int=whole)
    except UnicodeDecodeError as error:
        raise _refused("not-utf-8", f"byte {error.start} is not UTF-8; save the document as UTF-8") from None
    except json.JSONDecodeError as error:
        what = f"{error.msg[0].lower()}{error.msg[1:]}".removesuffix(" at")
        message = f"not JSON: {what} at line {error.lineno}, column {error.colno}"
        raise _refused("not-json", f"{message}; check the document's end and its commas") from None
    except RecursionError:
        raise _refused("too-deep", "nested too deeply to be a snapshot or a plan; check what wrote it") from None
    problems = list(_marked(document, repeated)) if repeated or strange else []
    if strange:
        raise InvalidSnapshot(tuple(problems[:MOST_PROBLEMS]), max(0, len(problems) - MOST_PROBLEMS))
    return document, problems


@final
@frozen(eq=False)
class _NoNumber:
    """What stands in a document where a number was that is none, and what is wrong with it."""

    problem: str


def _refused(code: str, message: str) -> InvalidSnapshot:
    return InvalidSnapshot((Problem(path="$", code=code, message=message),))


def _marked(document: Any, repeated: Iterable[tuple[Json, list[str]]]) -> Iterator[Problem]:
    """The keys that are repeated and the numbers that are none, at their paths."""
    keys_of = {id(found): keys for found, keys in repeated}
    left: list[tuple[Any, str]] = [(document, "$")]  # no recursion: what could just be read is as deep as calls can be
    while left:
        value, here = left.pop()
        inside: Iterable[tuple[Any, str]] = ()
        if isinstance(value, _NoNumber):
            yield Problem(path=here, code="not-a-number", message=value.problem)
        elif isinstance(value, dict):
            for key in keys_of.get(id(value), ()):
                message = "the key stands here more than once; keep the one that is meant"
                yield Problem(path=step(here, key), code="repeated-key", message=message)
            inside = ((inner, step(here, key)) for key, inner in value.items() if isinstance(inner, _HOLDING))
        else:
            inside = ((inner, f"{here}[{index}]") for index, inner in enumerate(value) if isinstance(inner, _HOLDING))
        left += reversed(list(inside))


_HOLDING = (dict, list, _NoNumber)


def version_known(document: Json, problems: list[Problem]) -> bool:
    """Check `format_version`; whether the document must hold no key but ours (a newer minor version may)."""
    version = document.get("format_version")
    if "format_version" not in document:
        problems.append(
            Problem(path="$.format_version", code="missing", message=f'is missing; write "{FORMAT_VERSION}"')
        )
        return True
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        message = f'must be text like "{FORMAT_VERSION}", not {shown(version)}'
        problems.append(Problem(path="$.format_version", code="invalid", message=message))
        return True
    major, minor = version.split(".")
    ours, known = FORMAT_VERSION.split(".")
    if major != ours:
        message = f'this release does not read version {shown(version)}; write "{FORMAT_VERSION}", or use one that does'
        problems.append(Problem(path="$.format_version", code="unknown-version", message=message))
    return len(minor) <= len(known) and int(minor) <= int(known)


_VERSION = re.compile(r"(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})")


def step(path: str, key: str) -> str:
    """The path of a key inside the object at a path."""
    return f"{path}.{key}" if key.isidentifier() and len(key) <= 80 else f"{path}[{json.dumps(key[:80])}]"
