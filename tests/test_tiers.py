"""What is merged, when, and how often."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.tiers import FAN_OUT, Unit, due, everything

LIMIT = 1000


def units(*sizes: int | tuple[int, int]) -> list[Unit]:
    """Segments of so many passages, or of ``(passages, living)``, numbered from 0."""
    pairs = [size if isinstance(size, tuple) else (size, size) for size in sizes]
    return [Unit(i, rows, living) for i, (rows, living) in enumerate(pairs)]


def numbers(group: Sequence[Unit]) -> list[int]:
    return [unit.number for unit in group]


class TestDue:
    def test_nothing_is_due_below_the_fan_out(self) -> None:
        assert due([], LIMIT) == []
        assert due(units(*[1] * (FAN_OUT - 1)), LIMIT) == []
        assert due(units(64, *[8] * 7, *[1] * 7), LIMIT) == []

    def test_a_full_tier_is_merged_the_smallest_first(self) -> None:
        assert numbers(due(units(*[1] * FAN_OUT), LIMIT)) == list(range(FAN_OUT))
        assert numbers(due(units(*[8] * 8, *[1] * 8), LIMIT)) == list(range(8, 16))

    def test_small_ones_between_those_of_a_full_tier_go_along(self) -> None:
        assert numbers(due(units(9, 1, *[9] * 7), LIMIT)) == list(range(9))

    def test_postings_merge_with_neighbours_only(self) -> None:
        apart = units(*[1] * 7, 100, *[1] * 7)
        assert due(apart, LIMIT) == []
        assert numbers(due(apart)) == [*range(7), *range(8, 15)], "vectors need no order"

    def test_no_merged_segment_is_larger_than_the_limit(self) -> None:
        assert numbers(due(units(*[200] * 8), LIMIT)) == [0, 1, 2, 3, 4]
        assert numbers(due(units(*[200] * 8))) == list(range(8))

    def test_those_that_fill_a_segment_need_not_be_many(self) -> None:
        assert numbers(due(units(450, 450, 99), LIMIT)) == []
        assert numbers(due(units(1, 450, 450, 100), LIMIT)) == [0, 1, 2]
        assert due(units(450, 450, 100)) == []

    def test_what_is_full_is_not_written_again(self) -> None:
        assert due(units(*[600] * 8, 1), LIMIT) == []
        assert numbers(due(units(*[600] * 8, 1))) == list(range(9))

    def test_more_than_half_dead_is_rewritten_and_emptied_is_dropped_first(self) -> None:
        assert due(units((100, 50), 1), LIMIT) == []
        assert numbers(due(units(1, (100, 49)), LIMIT)) == [1]
        assert numbers(due(units((100, 49), (3, 0), 5, (1, 0)), LIMIT)) == [1, 3]
        mixed = units((9, 0), *[1] * 4, (9, 0), *[1] * 4, 100, (2, 0))
        assert numbers(due(mixed, LIMIT)) == [*range(10), 11], "with a merge, in one go"

    def test_a_load_waits_for_more(self) -> None:
        assert due(units(*[1] * 63), LIMIT, fan_out=64) == []
        assert len(due(units(*[1] * 64), LIMIT, fan_out=64)) == 64


class TestEverything:
    def test_as_few_as_fit_and_nothing_dead(self) -> None:
        found = everything(units(300, 300, 300, 300, 900, (900, 899), 1, 1), LIMIT)
        assert [numbers(group) for group in found] == [[0, 1, 2], [5, 6, 7]]
        assert [numbers(g) for g in everything(units(300, 900, 1))] == [[0, 1, 2]]
        assert everything(units(300)) == everything([]) == []
        assert numbers(everything(units((300, 299)))[0]) == [0]


@given(st.lists(st.integers(1, 300), max_size=150), st.sampled_from([LIMIT, None]))
def test_merging_ends_keeps_order_and_leaves_few(batches: list[int], limit: int | None) -> None:
    """Each batch is committed and all that is due is merged, as a merger would."""
    live: list[Unit] = []
    written = number = 0
    for size in batches:
        live.append(Unit(number, size, size))
        number += 1
        while group := due(live, limit):
            places = [live.index(unit) for unit in group]
            if limit:
                assert places == list(range(places[0], places[0] + len(places)))
            total = sum(unit.living for unit in group)
            assert total <= (limit or total)
            assert len(group) > 1
            merged = Unit(number, total, total)
            number += 1
            live = [u for u in live if u not in group]
            live.insert(places[0], merged)
            written += total
    assert sum(unit.living for unit in live) == sum(batches)
    tiers = 1 + max((unit.tier for unit in live), default=0)
    assert written <= tiers * sum(batches), "a passage is written about once a tier"
    small = [unit for unit in live if not limit or 2 * unit.living <= limit]
    if not limit:
        assert len(small) <= (FAN_OUT - 1) * tiers


@pytest.mark.parametrize("size", [250, 1000, 4000])
@pytest.mark.parametrize(("fan_out", "most"), [(8, 4.0), (64, 2.1)])
def test_a_load_rewrites_what_it_brings_that_often(fan_out: int, most: float, size: int) -> None:
    live: list[Unit] = []
    written = 0
    for number in range(200_000 // size):
        live.append(Unit(number, size, size))
        while group := due(live, 65_536, fan_out):
            total = sum(unit.living for unit in group)
            at = live.index(group[0])
            live[at : at + len(group)] = [Unit(1000 + number, total, total)]
            written += total
    assert written <= most * 200_000
