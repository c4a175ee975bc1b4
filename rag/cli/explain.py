"""``rag explain``: why a document stands where it does for a question."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.table import Table
from rich.text import Text

from rag.cli import options, view

if TYPE_CHECKING:
    from rag.index.shares import Share
    from rag.search.explanation import Explanation, Stage
    from rag.types import Mode


def explain(
    query: str,
    document: Annotated[
        str, typer.Option("--doc", "-d", help="Id or path of a document, or id of a passage.")
    ],
    top_k: options.TopK = None,
    mode: options.ModeName = None,
    filters: options.Filters = None,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Show where QUERY ranks a document, stage by stage, and why it is not higher."""
    from rag.search import parse_filter
    from rag.search.explain import explain as ask

    searcher = options.workspace(home, collection, config=config).searcher()
    chosen = cast("Mode | None", mode)
    found = ask(searcher, query, document, top_k, chosen, parse_filter(filters))
    if as_json:
        view.print_json(asdict(found))
    else:
        _print(found)


def _print(found: Explanation) -> None:
    for warning in found.warnings:
        view.warn(warning)
    for way, queries in found.rewritten.items():
        view.say(f"{way}: {' | '.join(queries)}")
    rank = f"rank {found.rank}" if found.rank else "not ranked"
    view.say(f"{found.path}, passage {found.position + 1}: {rank}, {found.top_k} are shown")
    view.say(f"Why not higher: {found.why}.\n")
    _print_stages(found.stages)
    if found.terms:
        view.say("")
        _print_terms(found.terms, found.first_terms)


def _print_stages(stages: tuple[Stage, ...]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for head in ("stage", "rank", "score", "directly above", "why not higher"):
        table.add_column(head, justify="right" if head in ("rank", "score") else "left")
    for s in stages if len(stages) == 1 else stages[:-1]:
        above = f"{s.above.path}, passage {s.above.position + 1}" if s.above else ""
        score = "" if s.score is None else f"{s.score:.3f}"
        table.add_row(*map(_cell, (s.name, str(s.rank or "-"), score, above, s.why)))
    view.console().print(table)


def _print_terms(mine: tuple[Share, ...], first: tuple[Share, ...]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    heads = ("term", "passages", "weight", "in text", "in headings", "adds", "to the first hit")
    for head in heads[: None if first else -1]:
        table.add_column(head, justify="left" if head == "term" else "right")
    for i, s in enumerate(mine):
        numbers = (f"{s.df:,}", f"{s.weight:.3f}", str(s.body), str(s.head), f"{s.value:.3f}")
        beside = (f"{first[i].value:.3f}",) if first else ()
        table.add_row(_cell(" ".join(s.words)), *numbers, *beside)
    view.console().print(table)


def _cell(text: str) -> Text:
    """``text`` as it is, without what a terminal would obey."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
