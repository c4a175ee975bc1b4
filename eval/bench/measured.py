"""What a benchmark wrote with ``--json``, and how its figures are put in Markdown.

Knows no single benchmark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import SourceError

Spread = Mapping[str, float]
"""``median``, ``min`` and ``max``."""
Figures = Mapping[str, Mapping[str, Spread]]
"""Contender to metric to its spread."""
QUALITY = re.compile(r"ndcg|recall|\bR@|success|\bAP\b|\bRR\b|cosine|agreement", re.IGNORECASE)
_RATE = re.compile(r"per_s|/s\b|qps|throughput", re.IGNORECASE)
COUNTS = ("questions", "queries", "passages", "documents")
"""Metrics that say how much was measured."""
_UNITS = {"http": "clients"}
"""What a benchmark's sizes are, where they are not passages."""
_CODE = re.compile(r"(`[^`\n]+`)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
_DATA = re.compile(r"(?:\.\.|(?<![\w.:/])(?:/[\w.\-]+)*)/shared/data/")
_ABSOLUTE = re.compile(r"(?<![\w.:/<])/(?:[\w.\-]+/)+([\w.\-]+)")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark's figures, over its largest corpus and over each.

    Attributes
    ----------
    ratios
        ``saem/other`` to metric to Saem's figure over the other's; ``ratio_spread`` has the least
        and greatest of a round, where there was more than one.
    skipped
        What was not measured, and why.
    sizes
        Number of passages (of clients, where it is about those) to the figures with so many.
    """

    name: str
    machine: Mapping[str, Any]
    corpus: Mapping[str, Any]
    contenders: Figures
    ratios: Mapping[str, Mapping[str, float]]
    ratio_spread: Mapping[str, Mapping[str, Spread]] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[int, Figures] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What its sizes count."""
        return _UNITS.get(self.name, "passages")

    @property
    def metrics(self) -> list[str]:
        """In the order in which they first appear."""
        return list(dict.fromkeys(m for figures in self.contenders.values() for m in figures))


def read(file: Path) -> Benchmark:
    """The benchmark that ``file`` holds.

    Raises
    ------
    SourceError
        It is none.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
        sizes = {int(size): part["contenders"] for size, part in found.get("sizes", {}).items()}
        for figures in (found["contenders"], *sizes.values()):
            for metrics in figures.values():
                for spread in metrics.values():
                    float(spread["median"]), float(spread["min"]), float(spread["max"])
        return Benchmark(
            name=str(found["benchmark"]),
            machine=dict(found["machine"]),
            corpus=dict(found["corpus"]),
            contenders=found["contenders"],
            ratios=dict(found["ratios"]),
            ratio_spread=dict(found.get("ratio_spread", {})),
            skipped=dict(found.get("skipped", {})),
            sizes=dict(sorted(sizes.items())),
        )
    except OSError as e:
        raise SourceError(str(file), f"cannot be read: {e.strerror or e}") from e
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise SourceError(
            str(file),
            f"holds no benchmark's figures ({type(e).__name__}: {e})",
            remedy="Write it anew with `python -m eval.bench.NAME --json FILE`, or remove it",
        ) from e


def label(metric: str) -> str:
    """A metric's name with its better direction: up for qualities and rates, down for costs."""
    if metric in COUNTS:
        return escaped(metric)
    better = "↑" if QUALITY.search(metric) or _RATE.search(metric) else "↓"
    return f"{escaped(metric)} {better}"


def number(value: float) -> str:
    """About three digits."""
    size = abs(value)
    if size >= 100 or value == 0:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.1 else f"{value:.3g}"


def spread(values: Spread) -> str:
    """The median, with the ends where they look different."""
    low, middle, high = (number(values[end]) for end in ("min", "median", "max"))
    return middle if low == high else f"{middle} ({low}–{high})"


def escaped(text: object) -> str:
    """As Markdown that shows the very text, on one line, without this machine's folders."""
    return _SPECIAL.sub(r"\\\1", portable(str(text)))


def prose(text: str) -> str:
    """As ``escaped``, but code in backticks stays code."""
    parts = _CODE.split(portable(text))
    return "".join(part if i % 2 else escaped(part) for i, part in enumerate(parts))


def portable(text: str) -> str:
    """On one line, ``DATA`` for the folder of data sets, and of other absolute paths the end."""
    return _ABSOLUTE.sub(r"\1", _DATA.sub("DATA/", re.sub(r"\s+", " ", text)))


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, its cells Markdown already; all columns but the first to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
