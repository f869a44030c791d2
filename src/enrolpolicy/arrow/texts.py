"""Texts in Arrow: made one of two forms, looked at as bytes where that is enough, and looked up by runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen
from pyarrow import types

from enrolpolicy.bulk.columns import Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from enrolpolicy.arrow.layout import Array, Dictionary

    Rows = NDArray[np.intp]

_N = TypeVar("_N", bound=np.generic)


def as_text(values: Array) -> Array:
    """Texts as `string`, or as a dictionary of it without a null among its entries."""
    if types.is_dictionary(values.type):
        encoded = cast("Dictionary", values)
        if encoded.dictionary.null_count:  # a null there, and a null in the rows, would be two ways to say the same
            return cast("Array", pc.dictionary_encode(as_text(encoded.dictionary_decode())))
        if types.is_string(encoded.dictionary.type):
            return values
        return pa.DictionaryArray.from_arrays(encoded.indices, pc.cast(encoded.dictionary, pa.string()))
    return values if types.is_string(values.type) else cast("Array", pc.cast(values, pa.string()))


def distinct(values: Array) -> Array:
    """The texts of which those in rows are made: the dictionary, or the rows themselves."""
    return cast("Dictionary", values).dictionary if types.is_dictionary(values.type) else values


def bytes_of(texts: Array) -> NDArray[np.uint8]:
    """The bytes of plain texts, one after another."""
    _, offsets, content = texts.buffers()
    if content is None or offsets is None or len(texts) == 0:
        return np.empty(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int32)
    return np.frombuffer(content, dtype=np.uint8)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def lengths_of(texts: Array) -> Ints:
    """How many bytes each of plain texts has."""
    offsets = texts.buffers()[1]
    if offsets is None or len(texts) == 0:
        return np.empty(0, dtype=np.int32)
    return np.diff(np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1])


def printable(texts: Array) -> bool:
    """Whether plain texts are made of printable ASCII alone: then they are UTF-8, and hold no control character."""
    content = bytes_of(texts)
    # Below the blank, the difference wraps around, and is large as well.
    return len(content) == 0 or int((content - np.uint8(0x20)).max()) <= 0x7E - 0x20


def not_utf8(texts: Array) -> int | None:
    """The first of plain texts that is not UTF-8, which files do not vouch for."""
    if printable(texts):
        return None
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raw = texts.view(pa.binary())
        return next(row for row, value in enumerate(raw.to_pylist()) if not _is_utf8(value))
    return None


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


# Each distinct text once


def codes(values: Array) -> tuple[Rows, Array]:
    """For each row the place of its text among some texts; -1: null. Texts that follow each other are looked at once."""
    if types.is_dictionary(values.type):
        encoded = cast("Dictionary", values)
        places = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        if len(encoded.dictionary) <= len(values):
            return places, encoded.dictionary
        starts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]])) if len(places) else places
        firsts = places[starts]
        spread = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(places)))
        return np.where(places < 0, -1, spread), encoded.dictionary.take(pa.array(np.maximum(firsts, 0)))
    return _runs(values)


def _runs(values: Array) -> tuple[Rows, Array]:
    """The same for texts that stand in the rows themselves."""
    if len(values) == 0:
        return np.empty(0, dtype=np.intp), values
    runs = cast("Any", pc.run_end_encode(values))
    ends = runs.run_ends.to_numpy()
    spread = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    if values.null_count:
        spread = np.where(values.is_valid().to_numpy(zero_copy_only=False), spread, -1)
    return spread, runs.values


def each(values: Array, work_out: Callable[[Sequence[str | None]], NDArray[_N]]) -> NDArray[_N]:
    """What is worked out for the text of each row, worked out once for each distinct one."""
    encoded = values if types.is_dictionary(values.type) else cast("Array", pc.dictionary_encode(values))
    places, texts = codes(encoded)
    worked_out = work_out([*cast("list[str | None]", texts.to_pylist()), None])
    return worked_out[places]  # where there is none, the place is -1, which is the last


# Texts that stay where they are until they are asked for


@final
@frozen(eq=False)
class ArrowTexts:
    """Texts of Arrow, each made text when it is asked for."""

    values: pa.ChunkedArray[Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int, /) -> str:
        return cast("str", self.values[int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self.values.chunks:
            yield from cast("list[str]", chunk.to_pylist())
