"""How a `Result`'s numbers and names are written, wherever they are shown. Knows no medium."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np
from rich.cells import cell_len

from eval.result import Comparison, Interval, Outcome, Result
from rag.types import encodable

LEVEL = 0.05
"""Differences with a p-value below this are called significant."""
MARK = "*"
MISSING = "–"
_SPACES = dict.fromkeys([*range(9, 14), 0x85, 0x2028, 0x2029], " ")
_OBEYED = [*range(9), *range(14, 32), *range(127, 133), *range(134, 160)]
_TURNS = [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_PLAIN = _SPACES | dict.fromkeys(_OBEYED + _TURNS, "\N{REPLACEMENT CHARACTER}")


def plain(text: str) -> str:
    """``text`` on one line, without what a terminal obeys or turns the reading direction."""
    return encodable(text).translate(_PLAIN)


def cut(text: str, cells: int) -> str:
    """`plain` ``text`` in at most ``cells`` columns of a terminal, a Korean syllable taking two."""
    text = plain(text)
    if cell_len(text) <= cells:
        return text
    kept = ""
    for character in text:
        if cell_len(kept + character) >= cells:
            break
        kept += character
    return kept + "…"


def number(value: float | None) -> str:
    return MISSING if value is None else f"{value:z.3f}"


def bounds(interval: Interval) -> str:
    """``[.679, .764]``."""
    low, high = (f"{x:z.3f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:.3f}"
                 for x in (interval.low, interval.high))  # fmt: skip
    return f"[{low}, {high}]"


def estimate(interval: Interval | None) -> str:
    """``0.722 [.679, .764]``."""
    return MISSING if interval is None else f"{number(interval.mean)} {bounds(interval)}"


def difference(interval: Interval) -> str:
    """``+0.031 [+0.010, +0.052]``."""
    return f"{interval.mean:+z.3f} [{interval.low:+z.3f}, {interval.high:+z.3f}]"


def p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.4f}"


def milliseconds(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def rank(found: int | None) -> str:
    return MISSING if found is None else f"{found:,}"


def percentile(outcome: Outcome, stage: str, percent: float) -> float | None:
    """That of the queries' milliseconds in ``stage``; ``None`` where it was not measured."""
    times = list(outcome.milliseconds.get(stage, {}).values())
    return float(np.percentile(times, percent)) if times else None


def measures(result: Result) -> list[str]:
    """Every measure of any configuration, the leading one first."""
    return _union([{result.measure: 0}, *(o.summary for o in result.outcomes)])


def stages(result: Result) -> list[str]:
    """Every stage that was timed, ``total`` first."""
    found = _union(o.milliseconds for o in result.outcomes)
    return sorted(found, key=lambda stage: stage != "total")


def ranked_stages(result: Result) -> list[str]:
    """Every stage that a lost query has a rank in."""
    return _union(lost.ranks for lost in result.lost)


def versus_first(result: Result, outcome: Outcome) -> Comparison | None:
    """The leading measure's comparison of ``outcome`` with the best one, either way round."""
    pair = {result.outcomes[0].name, outcome.name}
    for c in result.comparisons:
        if c.measure == result.measure and {c.name, c.baseline} == pair:
            return c
    return None


def mark(result: Result, outcome: Outcome) -> str:
    """`MARK` where ``outcome`` differs significantly from the best one."""
    found = versus_first(result, outcome)
    return MARK if found and found.p < LEVEL else ""


def legend(result: Result) -> str:
    """What `mark` means; empty where nothing was compared with the best one."""
    others = result.outcomes[1:]
    if not any(versus_first(result, o) for o in others):
        return ""
    test = f"(paired permutation test, Holm-corrected, p < {LEVEL:g})"
    if any(mark(result, o) for o in others):
        return f"{MARK} differs significantly from the first row in {result.measure} {test}"
    return f"No difference in {result.measure} to the first row is significant {test}"


def _union(parts: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(parts)))
