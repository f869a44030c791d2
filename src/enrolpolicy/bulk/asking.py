"""What is asked of each person of a block, by role and by assignment, as bits of their cells (rule 2)."""

import numpy as np
from numpy.typing import NDArray

from enrolpolicy.bulk.assembly import Rows, one_after_another
from enrolpolicy.bulk.blocks import Block
from enrolpolicy.bulk.codes import ASKED_BIT, asks
from enrolpolicy.bulk.columns import Choices, Ints
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
    place, lines = _lines(block, terms, held.ints("role"))
    lately = held.ints("assigned_on") >= terms.since[block.account[held.line]]
    line_of = place * 2 + lately
    begins = np.ones(len(held.line), dtype=np.bool_)
    np.not_equal(held.line[1:], held.line[:-1], out=begins[1:])
    nothing = np.full(block.lines, len(lines) - 1)
    nothing[held.line[begins]] = line_of[begins]
    cells = lines.take(nothing, axis=0)
    further = np.flatnonzero(~begins)
    while len(further):
        # Of each person's further roles the last, then the one before it …
        last = np.ones(len(further), dtype=np.bool_)
        np.not_equal(held.line[further[1:]], held.line[further[:-1]], out=last[:-1])
        here = held.line[further[last]]
        cells[here] |= lines.take(line_of[further[last]], axis=0)
        further = further[~last]
    return cells.reshape(-1)


def _lines(block: Block, terms: Terms, held: Ints) -> tuple[Rows, NDArray[np.uint8]]:
    """Which of the roles that are held each is; two lines for each, of holders of old and of late, and an empty one."""
    requirements, first = block.estate.requirements, int(held.min())
    there = np.zeros(int(held.max()) - first + 1, dtype=np.bool_)
    there[held - first] = True
    roles = (np.flatnonzero(there) + first).astype(np.int32)
    start, end = (np.searchsorted(requirements.ints("role"), edge) for edge in (roles, roles + np.int32(1)))
    rows = one_after_another(start, end - start)
    local = requirements.ints("course")[rows] - terms.starts["courses"][requirements.ints("account")[rows]]
    lines = np.zeros((2 * len(roles) + 1, block.width), dtype=np.uint8)
    line, bits = np.repeat(np.arange(len(roles)) * 2, end - start), asks(requirements.choices("level")[rows])
    for bit in np.unique(bits):  # one after another, so that a role may ask twice
        some = np.flatnonzero(bits == bit)
        lines[line[some], local[some]] |= bit
    lines[1::2] = np.where(lines[:-1:2], lines[:-1:2] | np.uint8(ASKED_BIT), 0)
    return (np.cumsum(there) - 1)[held - first], lines


def opted_out(block: Block) -> Rows:
    """The cells of those who opted out."""
    return block.cell(block.part("opt_outs"))
