"""How well questions in one language find pages in another: on a manual that has both.

Headings of Korean pages are the questions. Half of the pages that exist in both languages lose
their Korean half, so that only the English one can answer ("cross"); the others keep both ("own").
Run as ``python -m eval.crosslingual --help``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval import spans
from eval.bed import Beds, rank
from eval.dataset import Dataset, Query
from eval.measures import per_query
from eval.significance import interval
from rag.errors import SourceError
from rag.settings import Settings
from rag.types import MODES, Document

_DEPTH = 100
_MEASURES = ("Success@3", "RR@10")


def load(asked: Path, other: Path, limit: int | None = None, seed: int = 0) -> Dataset:
    """Pages of both folders, less half of those of ``asked`` that ``other`` has too.

    Questions are judged by the path of the page, with its folder's name before it, and labelled
    ``cross`` or ``own``.

    Raises
    ------
    SourceError
        No page has its like in the other folder.
    """
    names = asked.name, other.name
    if names[0] == names[1]:
        names = asked.parent.name, other.parent.name
    here, there = spans.load(asked), spans.load(other)
    foreign = {d.path for d in there.documents}
    twins = sorted(d.path for d in here.documents if d.path in foreign)
    if not twins:
        raise SourceError(str(asked), f"has no page that {other} has too")
    rng = np.random.default_rng(seed)
    lost = {twins[i] for i in rng.permutation(len(twins))[: len(twins) // 2]}
    kept = [_below(names[0], d) for d in here.documents if d.path not in lost]
    queries = []
    for query in here.queries:
        path = query.id.rpartition("@")[0]
        if path in twins:
            kind, name = ("cross", names[1]) if path in lost else ("own", names[0])
            queries.append(
                Query(query.id, query.text, {f"{name}/{path}": 1}, labels={"kind": kind})
            )
    documents = (*kept, *(_below(names[1], d) for d in there.documents))
    return Dataset("crosslingual", tuple(queries), documents).sample(limit, seed)


def measure(dataset: Dataset, settings: Settings) -> dict[str, dict[str, list[float]]]:
    """Kind of question and measure to the questions' values, by pages."""
    beds = Beds(dataset)
    try:
        searcher = beds.searcher(settings, cut=True)
        rankings = {}
        for query in dataset.judged:
            order = rank(searcher, query.text, _DEPTH).order
            known = searcher.collection.fetch([id_ for id_, _ in order])
            pages = dict.fromkeys(known[id_].path for id_, _ in order)
            rankings[query.id] = [(path, -float(i)) for i, path in enumerate(pages)]
    finally:
        beds.close()
    values = per_query(dataset, rankings, _MEASURES)
    kinds: dict[str, dict[str, list[float]]] = {}
    for query in dataset.judged:
        for name in _MEASURES:
            of = kinds.setdefault(query.labels["kind"], {}).setdefault(name, [])
            of.append(values[name][query.id])
    return kinds


def _below(folder: str, document: Document) -> Document:
    path = f"{folder}/{document.path}"
    return replace(document, uri=path, path=path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line names and print a table."""
    parser = argparse.ArgumentParser(prog="python -m eval.crosslingual", description=__doc__)
    parser.add_argument("asked", type=Path, help="folder of pages whose headings are asked")
    parser.add_argument("other", type=Path, help="folder of the same pages in another language")
    parser.add_argument("--mode", nargs="+", choices=MODES, default=("bm25", "dense", "hybrid"))
    parser.add_argument("--limit", type=int, default=300, help="at most so many questions")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    dataset = load(asked.asked, asked.other, asked.limit, asked.seed)
    sys.stdout.write(f"{len(dataset.documents)} pages, {len(dataset.judged)} questions\n\n")
    sys.stdout.write("| mode | questions | " + " | ".join(_MEASURES) + " |\n|---|---|---|---|\n")
    for mode in asked.mode:
        for kind, found in sorted(measure(dataset, Settings.load(mode=mode)).items()):
            cells = []
            for name in _MEASURES:
                at = interval(found[name], asked.seed)
                cells.append(f"{at.mean:.3f} ({at.low:.3f} to {at.high:.3f})")
            sys.stdout.write(f"| {mode} | {kind}, {len(found[name])} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
