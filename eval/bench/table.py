"""Figures of a benchmark in the terminal. Knows not how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

Spread = dict[str, float]
"""``median``, ``min`` and ``max``."""


def show(
    title: str,
    results: Mapping[str, Mapping[str, Sequence[float]]],
    compared: Mapping[str, Mapping[str, Spread]],
) -> None:
    """One line a contender: medians, and what Saem's is of it with the spread."""
    table = Table(title=title)
    table.add_column("")
    metrics = list(dict.fromkeys(metric for values in results.values() for metric in values))
    for metric in metrics:
        table.add_column(metric, justify="right")
    for name, values in results.items():
        mine = compared.get(f"saem/{name}", {})
        table.add_row(name, *(_cell(values.get(m), mine.get(m)) for m in metrics))
    console = Console()
    if not console.is_terminal:
        console = Console(width=24 + 22 * len(metrics))
    console.print(table)
    if compared:
        console.print("[dim]Medians; below them Saem's over it (least to greatest of a round).")


def _cell(values: Sequence[float] | None, ratio: Spread | None) -> str:
    if not values:
        return ""
    cell = f"{median(values):,.4g}"
    if ratio:
        cell += f"\n[dim]{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})"
    return cell
