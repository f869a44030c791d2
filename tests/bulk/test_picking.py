"""Short cuts of numpy give what the long way gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from enrolpolicy.bulk.assembly import one_after_another
from enrolpolicy.bulk.picking import at, either, histogram, looked_up

NUMBERS = st.integers(-(2**31), 2**31 - 1)


class TestPicking:
    """Values at places, one or the other, runs of places, how often each is there."""

    @given(st.lists(NUMBERS, min_size=1), st.data())
    def test_at(self, values: list[int], data: st.DataObject) -> None:
        places = data.draw(st.lists(st.integers(0, len(values) - 1)))
        found = at(np.array(values, dtype=np.int32), np.array(places, dtype=np.intp))
        assert found.tolist() == [values[place] for place in places]

    @given(st.lists(st.tuples(st.booleans(), NUMBERS, NUMBERS)), NUMBERS)
    def test_either(self, rows: list[tuple[bool, int, int]], usual: int) -> None:
        flags = np.array([flag for flag, _, _ in rows], dtype=np.bool_)
        one, other = (np.array([row[place] for row in rows], dtype=np.int32) for place in (1, 2))
        assert either(flags, one, other).tolist() == [ours if flag else theirs for flag, ours, theirs in rows]
        assert either(flags, one, usual).tolist() == [ours if flag else usual for flag, ours, _ in rows]
        assert either(flags, usual, other).tolist() == [usual if flag else theirs for flag, _, theirs in rows]

    @given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
    def test_one_after_another(self, rows: list[tuple[int, int]]) -> None:
        start, count = (np.array([row[place] for row in rows], dtype=np.intp) for place in (0, 1))
        assert one_after_another(start, count).tolist() == [first + nth for first, size in rows for nth in range(size)]

    @given(st.integers(1, 40), st.data())
    def test_histogram(self, size: int, data: st.DataObject) -> None:
        values = data.draw(st.lists(st.integers(0, size - 1), max_size=40))
        skipped = data.draw(st.integers(0, len(values)))
        found = histogram(np.array(values, dtype=np.uint8)[skipped:], size)
        assert found.tolist() == [values[skipped:].count(value) for value in range(size)]

    @given(arrays.arrays(np.uint8, st.integers(1, 300)), st.integers(0, 70_000))
    def test_looked_up(self, table: np.ndarray[tuple[int], np.dtype[np.uint8]], size: int) -> None:
        places = (np.arange(size) * 7919 % len(table)).astype(np.uint16)
        assert (looked_up(table, places) == table[places]).all()
