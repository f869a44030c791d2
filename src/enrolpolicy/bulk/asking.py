"""What is asked of each person of a block, by role and by assignment, as bits of their cells (rule 2)."""

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows, between
from enrolpolicy.bulk.blocks import Block
from enrolpolicy.bulk.codes import ASKED_BIT, asks
from enrolpolicy.bulk.columns import Choices
from enrolpolicy.bulk.terms import Terms


def asked(block: Block, terms: Terms) -> Choices:
    """For each cell, the levels at which the training is asked for, and whether that was done lately enough."""
    cells = _by_role(block, terms)
    part = block.part("assignments")
    if len(part.line):
        lately = part.ints("assigned_on") >= terms.since[block.account[part.line]]
        bits = asks(part.choices("level")) | np.where(lately, ASKED_BIT, 0).astype(np.uint8)
        np.bitwise_or.at(cells, block.cell(part), bits)
    return cells


def _by_role(block: Block, terms: Terms) -> Choices:
    """The same by role alone.

    What a role asks for is a line of cells, which those who hold it have in common; somebody's first role gives them
    its line, each further one adds to it.
    """
    held = block.part("held_roles")
    if not len(held.line):
        return np.zeros(block.cells, dtype=np.uint8)
    first, lines = _lines(block, terms)
    lately = held.ints("assigned_on") >= terms.since[block.account[held.line]]
    line_of = (held.ints("role") - first) * 2 + lately
    first_row = np.flatnonzero(np.append(True, held.line[1:] != held.line[:-1]))
    place = np.arange(len(held.line)) - np.repeat(first_row, np.diff(first_row, append=len(held.line)))
    nothing = np.full(block.lines, len(lines) - 1)
    nothing[held.line[place == 0]] = line_of[place == 0]
    cells = lines.take(nothing, axis=0)
    for nth in range(1, int(place.max()) + 1):
        further = place == nth
        cells[held.line[further]] |= lines[line_of[further]]
    return cells.reshape(-1)


def _lines(block: Block, terms: Terms) -> tuple[int, NDArray[np.uint8]]:
    """The first role of the block's accounts; two lines for each role, of holders of old and of late; an empty one."""
    starts, requirements = terms.starts["roles"], block.estate.requirements
    low, high = int(block.account.min()), int(block.account.max())
    first, last = int(starts[low]), int(starts[high + 1])
    role = requirements.ints("role")
    rows = between(role, first, last)
    course = requirements.ints("course")[rows]
    local = course - terms.starts["courses"][requirements.ints("account")[rows]]
    lines = np.zeros((2 * (last - first) + 1, block.width), dtype=np.uint8)
    bits = asks(requirements.choices("level")[rows])
    for bit in np.unique(bits):  # one after another, so that a role may ask twice
        some = bits == bit
        lines[2 * (role[rows][some] - first), local[some]] |= bit
    lines[1::2] = np.where(lines[:-1:2], lines[:-1:2] | np.uint8(ASKED_BIT), 0)
    return first, lines


def opted_out(block: Block) -> Rows:
    """The cells of those who opted out."""
    return block.cell(block.part("opt_outs"))
