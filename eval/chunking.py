"""Compares ways to cut documents by what the same number of tokens read holds of the answers.

Passages of different sizes have different ranks for the same effort, so measures by rank tell
nothing here: what counts is which characters of the answers' places stand in the first tokens
that are read. Run as ``python -m eval.chunking --help``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from eval import spans
from eval.bed import Beds, rank
from eval.dataset import Dataset, Query
from eval.result import PerQuery
from eval.significance import compare, interval
from indexer.chunk import Chunking, load_chunker
from indexer.tokens import Counter
from rag.settings import Settings
from rag.types import Chunk, Document

_DEPTH = 100
_BUDGETS = (500, 1500)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a way to cut did.

    Attributes
    ----------
    passages, tokens
        How many there are, and their mean size.
    recall
        Budget in tokens to each question's share of the answer's place that is read.
    """

    name: str
    passages: int
    tokens: float
    recall: Mapping[int, PerQuery]


class Reading:
    """Reads passages of ``documents`` in order of rank, as far as a budget of tokens goes."""

    def __init__(self, documents: Sequence[Document], counter: Counter) -> None:
        self._texts = {d.path: d.text for d in documents}
        self._counter = counter
        self._sizes: dict[tuple[str, int, int], int] = {}

    def read(self, ranked: Sequence[Chunk], budget: int) -> list[tuple[str, int, int]]:
        """Path, start and end of what is read; the last passage is cut off where tokens end.

        A passage within a larger one stands for that, once; titles, headings and leads count.
        """
        found: dict[tuple[str, int, int], None] = {}
        for chunk in ranked:
            start, end = chunk.outer or (chunk.start, chunk.end)
            if (span := (chunk.path, start, end)) in found:
                continue
            size = self._size(chunk, span)
            if size >= budget:
                return [*found, (chunk.path, start, start + (end - start) * budget // size)]
            found[span] = None
            budget -= size
        return list(found)

    def _size(self, chunk: Chunk, span: tuple[str, int, int]) -> int:
        if span not in self._sizes:
            path, start, end = span
            text = f"{chunk.above}\n{self._texts[path][start:end]}"
            (self._sizes[span],) = self._counter.count([text])
        return self._sizes[span]


def recall(query: Query, read: Sequence[tuple[str, int, int]]) -> float:
    """The share of the query's place that was read; of several places, the best one's."""
    best = 0.0
    for path, start, end in spans.places(query):
        shared = sum(max(min(b, end) - max(a, start), 0) for p, a, b in read if p == path)
        best = max(best, shared / (end - start))
    return best


def measure(
    dataset: Dataset, settings: Settings, budgets: Sequence[int] = _BUDGETS, name: str = ""
) -> Cut:
    """How ``settings`` do on ``dataset``, whose documents they cut."""
    beds = Beds(dataset)
    try:
        searcher = beds.searcher(settings, cut=True)
        collection = searcher.collection
        counter = load_chunker(settings.replace(chunking="structural")).counter
        reading = Reading(dataset.documents, counter)
        recalled: dict[int, dict[str, float]] = {budget: {} for budget in budgets}
        for query in dataset.judged:
            order = rank(searcher, query.text, _DEPTH).order
            known = collection.fetch([id_ for id_, _ in order])
            ranked = [known[id_] for id_, _ in order]
            for budget, values in recalled.items():
                values[query.id] = recall(query, reading.read(ranked, budget))
        passages = [p for d in collection.documents() for p in collection.passages(d.id)]
        sizes = counter.count([p.text for p in passages])
        return Cut(name or settings.chunking, len(passages), float(np.mean(sizes)), recalled)
    finally:
        beds.close()


def table(cuts: Sequence[Cut], seed: int = 0) -> str:
    """A Markdown table: recall with its 95 % interval, and beside the first the p-value."""
    first, *others = cuts
    budgets = list(first.recall)
    lines = [
        " | ".join(["| way", "passages", "tokens", *(f"recall@{b}" for b in budgets)]) + " |",
        "|---" * (3 + len(budgets)) + "|",
    ]
    beside = {
        budget: compare(
            f"recall@{budget}",
            {cut.name: cut.recall[budget] for cut in cuts},
            [(cut.name, first.name) for cut in others],
            seed,
        )
        for budget in budgets
    }
    for i, cut in enumerate(cuts):
        cells = [f"| {cut.name}", str(cut.passages), f"{cut.tokens:.0f}"]
        for budget in budgets:
            at = interval([*cut.recall[budget].values()], seed)
            p = f", p {beside[budget][i - 1].p:.3f}" if i else ""
            cells.append(f"{at.mean:.3f} ({at.low:.3f} to {at.high:.3f}{p})")
        lines.append(" | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line names and print a table."""
    parser = argparse.ArgumentParser(prog="python -m eval.chunking", description=__doc__)
    parser.add_argument("data", type=Path, help="SQuAD's JSON, or a folder of pages")
    ways = get_args(Chunking)
    parser.add_argument("--chunking", nargs="+", choices=ways, default=ways)
    parser.add_argument("--tokens", nargs="+", type=int, default=[300], help="sizes to cut to")
    parser.add_argument("--budgets", nargs="+", type=int, default=_BUDGETS, help="tokens read")
    parser.add_argument("--mode", choices=("bm25", "dense", "hybrid"), default="bm25")
    parser.add_argument("--documents", type=int, help="at most so many, chosen at random")
    parser.add_argument("--limit", type=int, help="at most so many questions")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    dataset = spans.load(asked.data, asked.documents, asked.limit, asked.seed)
    sys.stdout.write(
        f"{dataset.name}: {len(dataset.documents)} documents, {len(dataset.judged)} questions, "
        f"{asked.mode}\n\n"
    )
    cuts = []
    for tokens in asked.tokens:
        for way in asked.chunking:
            settings = Settings.load(mode=asked.mode, chunking=way, chunk_tokens=tokens)
            cuts.append(measure(dataset, settings, asked.budgets, f"{way} {tokens}"))
    sys.stdout.write(table(cuts, asked.seed) + "\n")


if __name__ == "__main__":
    main()
