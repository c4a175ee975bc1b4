"""Which segments to merge next. Knows sizes and order, not what segments hold.

A tier is a power of ``FAN_OUT`` living passages; a tier of so many segments is merged into one of
the next, so that a passage is rewritten about once a tier. Segments of postings stay in the order
of their passages and below ``limit``: only neighbours are merged, and as soon as they fill one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FAN_OUT = 8
"""Segments of a tier that make one of the next."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A live segment: ``living`` of its ``rows`` passages are not deleted."""

    number: int
    rows: int
    living: int

    @property
    def tier(self) -> int:
        size, tier = self.living, 0
        while size >= FAN_OUT:
            size //= FAN_OUT
            tier += 1
        return tier


def due(units: Sequence[Unit], limit: int | None = None, fan_out: int = FAN_OUT) -> list[Unit]:
    """What to merge next, nothing when all is well; with what needs only to be dropped.

    Parameters
    ----------
    units
        In the order of their passages.
    limit
        Most passages of a merged segment, ``None`` where neither size nor order matters.
    fan_out
        How many segments of a tier are too many.
    """
    emptied = [unit for unit in units if not unit.living]
    if group := _full([unit for unit in units if unit.living], limit, fan_out):
        return [unit for unit in units if unit in group or unit in emptied]
    return emptied or next(([unit] for unit in units if 2 * unit.living < unit.rows), [])


def everything(units: Sequence[Unit], limit: int | None = None) -> list[list[Unit]]:
    """Groups that leave as few segments as ``limit`` allows, and no deleted passage in them."""
    return [
        group
        for group in _fitting(units, limit)
        if len(group) > 1 or any(unit.living < unit.rows for unit in group)
    ]


def _full(units: Sequence[Unit], limit: int | None, fan_out: int) -> list[Unit]:
    """The smallest tier that has too many segments, with smaller ones between them."""
    for tier in sorted({unit.tier for unit in units}):
        for run in _runs(units, tier, limit):
            fills = limit is not None and sum(unit.living for unit in run) >= limit
            if fills or sum(unit.tier == tier for unit in run) >= fan_out:
                for group in _fitting(run, limit):
                    if len(group) > 1:
                        return group
    return []


def _runs(units: Sequence[Unit], tier: int, limit: int | None) -> Iterator[list[Unit]]:
    """Neighbours of at most ``tier`` that are not full; all such where there is no ``limit``."""
    run: list[Unit] = []
    for unit in units:
        full = limit is not None and 2 * unit.living > limit
        if unit.tier <= tier and not full:
            run.append(unit)
        elif limit is not None:
            yield run
            run = []
    yield run


def _fitting(run: Sequence[Unit], limit: int | None) -> Iterator[list[Unit]]:
    """``run`` cut into groups of at most ``limit`` living passages, as large as they can be."""
    group: list[Unit] = []
    for unit in run:
        if limit and group and sum(u.living for u in group) + unit.living > limit:
            yield group
            group = []
        group.append(unit)
    if group:
        yield group
