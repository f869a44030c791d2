"""What the lines of several commands are put together from."""

from collections.abc import Iterator, Sequence

from enrolpolicy.text import WIDTH, Style, fitted, table

SHOWN = 12
"""How many rows of a kind are shown; how many more there are is said."""


def headline(words: str, style: Style) -> str:
    """The first line, no wider than the others."""
    return style.paint(fitted(words, WIDTH).rstrip(), "bold")


def first_rows(
    rows: Sequence[Sequence[str]], heads: Sequence[str], widths: Sequence[int], style: Style
) -> Iterator[str]:
    """A table of the first rows, and how many more there are."""
    if rows:
        yield from table(heads, widths, rows[:SHOWN], style)
    if len(rows) > SHOWN:
        yield style.paint(f"  … and {len(rows) - SHOWN:,} more; --format json has them all", "dim")


def many(count: int, one: str, more: str | None = None) -> str:
    """So many of something, in words."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
