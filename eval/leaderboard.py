"""Shows a `Result` in a terminal. Knows neither files nor how it was measured."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval import shown
from eval.result import Outcome, Result
from eval.shown import MISSING, cut, plain

_GAP = 2
_NAME = 0.35
"""Share of the width that names may take; longer ones are folded."""
_SHORTEST = 16


def print_leaderboard(result: Result, console: Console) -> None:
    """Configurations, best first, with their measures; notes, warnings and lost queries under it.

    Measures that do not fit the console's width follow in further tables.
    """
    title = (
        f"{plain(result.dataset)}: {len(result.queries):,} queries, "
        f"{result.documents:,} documents, {result.passages:,} passages"
    )
    console.print(Text(title, style="bold"))
    names = [_name(result, o) for o in result.outcomes]
    widest = max([cell_len("configuration"), *(cell_len(n.plain) for n in names)])
    widest = min(widest, max(_SHORTEST, int(console.width * _NAME)))
    first, *rest = _folded(result, console.width - widest)
    console.print(_table(result, names, widest, first, main=True))
    for columns in rest:
        console.print()
        console.print(_table(result, names, widest, columns, main=False))
    console.print()
    _say(console, shown.legend(result))
    for outcome in result.outcomes:
        for note in outcome.notes:
            _say(console, plain(f"{outcome.name}: {note}"), "note")
    for warning in result.warnings:
        _say(console, plain(warning), "warning")
    if result.lost:
        _say(
            console,
            "\nWhat our best configuration lost most, with the best relevant rank at each stage",
        )
        console.print(_lost(result, console.width))


def _folded(result: Result, width: int) -> list[list[str]]:
    """Measures in the order shown, as many to a table as fit ``width``."""
    leading, *others = shown.measures(result)
    parts = [[leading]]
    spans = [shown.estimate(o.summary.get(leading)) for o in result.outcomes]
    left = width - max(map(cell_len, [leading, *spans])) - len("p50 ms") - 3 * _GAP
    for measure in others:
        values = [shown.number(o.summary[measure].mean) for o in result.outcomes
                  if measure in o.summary]  # fmt: skip
        needed = max(map(cell_len, [plain(measure), *values])) + _GAP
        if needed > left:
            parts.append([])
            left = width - _GAP
        parts[-1].append(measure)
        left -= needed
    return parts


def _table(
    result: Result, names: list[Text], widest: int, columns: list[str], *, main: bool
) -> Table:
    table = _plain_table()
    table.add_column("configuration", overflow="fold", width=widest)
    for measure in columns:
        table.add_column(Text(plain(measure)), justify="right", no_wrap=True)
    if main:
        table.add_column("p50 ms", justify="right", no_wrap=True)
    for name, outcome in zip(names, result.outcomes, strict=True):
        cells = [_cell(outcome, m, whole=m == result.measure) for m in columns]
        time = shown.milliseconds(shown.percentile(outcome, "total", 50))
        table.add_row(name, *cells, *[time] * main)
    return table


def _cell(outcome: Outcome, measure: str, *, whole: bool) -> Text:
    found = outcome.summary.get(measure)
    if found is None:
        return Text(MISSING)
    if not whole:
        return Text(shown.number(found.mean))
    return Text.assemble((shown.number(found.mean), "bold"), " ", (shown.bounds(found), "dim"))


def _name(result: Result, outcome: Outcome) -> Text:
    mark = shown.mark(result, outcome)
    return Text(f"{plain(outcome.name)} {mark}" if mark else plain(outcome.name))


def _lost(result: Result, width: int) -> Table:
    stages = shown.ranked_stages(result)
    table = _plain_table()
    heads = [*map(plain, (result.measure, "lost by", *stages))]
    rows = [
        [shown.number(lost.value), plain(lost.stage)]
        + [shown.rank(lost.ranks.get(stage)) for stage in stages]
        for lost in result.lost
    ]
    taken = [max(map(cell_len, column)) + _GAP for column in zip(heads, *rows, strict=True)]
    table.add_column("query", no_wrap=True)
    for i, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if i == 1 else "right", no_wrap=True)
    for lost, row in zip(result.lost, rows, strict=True):
        query = result.queries.get(lost.query, lost.query)
        table.add_row(*map(Text, (cut(query, max(_SHORTEST, width - sum(taken))), *row)))
    return table


def _plain_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False,
                 header_style="bold")  # fmt: skip


def _say(console: Console, text: str, label: str = "") -> None:
    if text:
        styled = (f"{label} ", "yellow") if label else ""
        console.print(Text.assemble(styled, text))
