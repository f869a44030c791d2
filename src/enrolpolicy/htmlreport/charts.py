"""Charts as SVG: geometry in, markup out, the same for the same figures.

Colours are classes, so that the page's style sheet settles them for light, dark and paper. Every figure a chart shows
stands in a table beside it, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import final

from attrs import frozen

WIDTH, HEIGHT = 620, 264
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 40, 30
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@final
@frozen(kw_only=True)
class Bar:
    """One bar: the label under it, how high it is, and what is told about it when it is pointed at."""

    label: str
    value: int
    note: str


@final
@frozen(kw_only=True)
class Point:
    """A figure from a place on until the next point; the last ends the line. `at` is the share of the width, 0 to 1."""

    at: float
    value: int


@final
@frozen(kw_only=True)
class Mark:
    """A place worth pointing out, and the words for it."""

    at: float
    words: str


def chart(
    *, id: str, title: str, description: str, bars: Sequence[Bar], line: Sequence[Point] = (), mark: Mark | None = None
) -> str:
    """Bars, and where given a line of steps over them, on one scale that begins at 0 (or below, where figures do)."""
    values = [bar.value for bar in bars] + [point.value for point in line]
    scale = Scale.over(values)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"',
        f' aria-labelledby="{escape(id)}-t {escape(id)}-d">',
        f'<title id="{escape(id)}-t">{escape(title)}</title><desc id="{escape(id)}-d">{escape(description)}</desc>',
        *_grid(scale),
        *_bars(bars, scale),
        *_line(line, scale),
        *_mark(mark),
        "</svg>",
    ]
    return "".join(parts)


@final
@frozen(kw_only=True)
class Scale:
    """Figures to heights: from `low` to `high`, with a line at every `step`."""

    low: int
    high: int
    step: int

    @classmethod
    def over(cls, values: Iterable[int]) -> "Scale":
        """A scale that holds every value and 0, with round steps, three to seven of them."""
        figures = [0, *values]
        low, high = min(figures), max(figures)
        step = _round_step(max(1, high - low))
        low, high = low // step * step, max(step, -(-high // step) * step)
        return cls(low=low, high=high, step=step)

    def y(self, value: float) -> float:
        """Where a value is, counted from the top of the picture."""
        return TOP + PLOT_HEIGHT * (self.high - value) / (self.high - self.low)

    @property
    def ticks(self) -> range:
        """The values with a line."""
        return range(self.low, self.high + 1, self.step)


def _round_step(span: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … of which at most five fit into the span.

    >>> [_round_step(span) for span in (1, 5, 6, 23, 100, 5001)]
    [1, 1, 2, 5, 20, 2000]
    """
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * 5 >= span:
                return factor * power
        power *= 10


def _grid(scale: Scale) -> Iterator[str]:
    for tick in scale.ticks:
        y = scale.y(tick)
        kind = "axis" if tick == 0 else "grid"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_n(y)}" y2="{_n(y)}"/>'
        yield f'<text class="tick end" x="{LEFT - 8}" y="{_n(y + 4)}">{tick:,}</text>'


def _bars(bars: Sequence[Bar], scale: Scale) -> Iterator[str]:
    if not bars:
        return
    slot = PLOT_WIDTH / len(bars)
    width = min(38.0, slot * 0.62)
    for index, bar in enumerate(bars):
        middle = LEFT + slot * (index + 0.5)
        top = scale.y(max(bar.value, 0))
        height = abs(scale.y(bar.value) - scale.y(0))
        yield f"<g><title>{escape(bar.note)}</title>"
        yield (
            f'<rect class="bar" x="{_n(middle - width / 2)}" y="{_n(top)}" '
            f'width="{_n(width)}" height="{_n(height)}" rx="2"/>'
        )
        if bar.value:
            yield f'<text class="value mid" x="{_n(middle)}" y="{_n(top - 5)}">{bar.value:,}</text>'
        yield f'<text class="tick mid" x="{_n(middle)}" y="{HEIGHT - BOTTOM + 18}">{escape(bar.label)}</text></g>'


def _line(points: Sequence[Point], scale: Scale) -> Iterator[str]:
    if not points:
        return
    path = f"M{_n(_x(points[0].at))} {_n(scale.y(points[0].value))}"
    for point in points[1:]:
        path += f"H{_n(_x(point.at))}V{_n(scale.y(point.value))}"
    yield f'<path class="area" d="{path}V{_n(scale.y(0))}H{_n(_x(points[0].at))}Z"/><path class="line" d="{path}"/>'


def _mark(mark: Mark | None) -> Iterator[str]:
    if mark is not None:
        x = _x(mark.at)
        side = "end" if mark.at > 0.6 else "start"
        shift = -6 if side == "end" else 6
        yield f'<line class="mark" x1="{_n(x)}" x2="{_n(x)}" y1="{TOP - 32}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text class="marked {side}" x="{_n(x + shift)}" y="{TOP - 24}">{escape(mark.words)}</text>'


def _x(at: float) -> float:
    return LEFT + PLOT_WIDTH * min(1.0, max(0.0, at))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
