"""A chart is a picture of its figures: well-formed, to scale, and the same for the same figures."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolpolicy.htmlreport.charts import HEIGHT, WIDTH, Bar, Mark, Point, Scale, chart

VALUES = st.lists(st.integers(0, 10**7), min_size=1, max_size=14)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)


def drawn(values: list[int], words: str = "x", line: list[int] | None = None) -> ElementTree.Element:
    bars = [Bar(label=words, value=value, note=words) for value in values]
    points = [Point(at=at / max(1, len(line) - 1), value=value) for at, value in enumerate(line)] if line else []
    text = chart(id="c", title=words, description=words, bars=bars, line=points, mark=Mark(at=0.5, words=words))
    assert text == chart(id="c", title=words, description=words, bars=bars, line=points, mark=Mark(at=0.5, words=words))
    return ElementTree.fromstring(text)


def rects(root: ElementTree.Element) -> list[tuple[float, float, float]]:
    return [(float(r.attrib["x"]), float(r.attrib["y"]), float(r.attrib["height"])) for r in root.iter("rect")]


class TestCharts:
    """Bars are as high as their figures, inside the picture, in their order; words in it are never markup."""

    @given(VALUES, WORDS)
    def test_bars(self, values: list[int], words: str) -> None:
        found = rects(drawn(values, words))
        assert len(found) == len(values)
        assert [x for x, _, _ in found] == sorted({x for x, _, _ in found})
        highest = max(values)
        scale = max((height for _, _, height in found), default=0)
        for (x, y, height), value in zip(found, values, strict=True):
            assert 0 <= x <= WIDTH
            assert y >= 0
            assert y + height <= HEIGHT
            assert height == pytest.approx(scale * value / highest if highest else 0, abs=0.11)

    @given(st.lists(st.integers(-500, 10**6), min_size=2, max_size=30))
    def test_lines_stay_inside(self, line: list[int]) -> None:
        root = drawn([3], line=line)
        [path] = [one for one in root.iter("path") if one.attrib["class"] == "line"]
        numbers = [
            float(word) for word in path.attrib["d"].replace("M", " ").replace("H", " ").replace("V", " ").split()
        ]
        assert all(0 <= number <= WIDTH for number in numbers)

    @given(WORDS)
    def test_words_are_words(self, words: str) -> None:
        root = drawn([1, 0], words)
        assert [one.text or "" for one in root.iter("desc")] == [words]
        assert sorted({one.tag for one in root.iter()}) == ["desc", "g", "line", "rect", "svg", "text", "title"]

    def test_no_bars(self) -> None:
        assert rects(drawn([])) == []


class TestScales:
    """A scale holds every value and 0, with round lines, and never more than seven of them."""

    @given(st.lists(st.integers(-(10**9), 10**9), max_size=20))
    def test_holds_them(self, values: list[int]) -> None:
        scale = Scale.over(values)
        assert all(scale.low <= value <= scale.high for value in [0, *values])
        assert 0 in scale.ticks
        assert 2 <= len(scale.ticks) <= 7
        assert str(scale.step).rstrip("0") in {"1", "2", "5"}
        assert scale.y(scale.high) < scale.y(scale.low)
