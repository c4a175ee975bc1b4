"""Passages and questions that benchmarks run on. Knows no contender."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from eval.bench.harness import Bench
from eval.dataset import Dataset
from eval.formats import load
from eval.formats.corpus import file_of
from eval.formats.lines import Skipped, name_of, records
from rag.errors import SourceError


class Passage(NamedTuple):
    """A passage as a corpus has it; ``body`` is what contenders with one field index."""

    id: str
    title: str
    text: str

    @property
    def body(self) -> str:
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked: id to text, and to the passages that are right where that is known."""

    texts: dict[str, str]
    relevant: dict[str, dict[str, int]]


def passages(data: Path, limit: int | None = None) -> list[Passage]:
    """The first ``limit`` passages of a BEIR folder, its ``corpus.jsonl[.gz]``, or SQuAD JSON.

    Raises
    ------
    SourceError
        There are not so many, or none.
    """
    if data.suffix == ".json":
        found = [Passage(d.path, d.title, d.text) for d in load(data).documents[:limit]]
    else:
        skipped = Skipped(file_of(data))
        lines = (record for _, record in records(skipped.file, skipped))
        found = [
            Passage(str(r["_id"]), r.get("title") or "", r["text"]) for r in islice(lines, limit)
        ]
    if not found or (limit and len(found) < limit):
        raise SourceError(
            str(data),
            f"has {len(found):,} passages, not {limit or 1:,}",
            remedy="Ask for fewer (--sizes), or name a larger corpus; none is repeated to seem so",
        )
    return found


def fitting(bench: Bench) -> tuple[list[int], int]:
    """The sizes that the corpus can fill, and how many passages it has, up to the largest asked.

    Raises
    ------
    SourceError
        It can fill none of them.
    """
    data = bench.data
    if data.suffix == ".json":
        there = len(passages(data))
    else:
        file = file_of(data)
        there = sum(1 for _ in islice(records(file, Skipped(file)), max(bench.sizes) + 1))
    for size in bench.sizes:
        if size > there:
            bench.skip(f"{size:,} passages", f"{data.name} has {there:,}, none is repeated")
    fit = [size for size in bench.sizes if size <= there]
    if not fit:
        passages(data, min(bench.sizes))  # says so
    bench.corpus["name"] = name_of(data.parent if data.name.startswith("corpus.") else data)
    return fit, there


def questions(data: Path, file: Path | None, count: int, whole: bool) -> Questions:
    """At most ``count`` questions, chosen at random but always the same.

    Parameters
    ----------
    file
        Where they are; ``None`` for those that come with ``data``.
    whole
        Whether all passages of ``data`` are searched: only then do its judgements mean anything.

    Raises
    ------
    SourceError
        There are no questions.
    """
    found: Dataset = load(file or data).sample(count)
    judged = file is None and whole and not found.pages
    return Questions(
        {q.id: q.text for q in found.queries},
        {q.id: dict(q.relevant) for q in found.queries if q.relevant} if judged else {},
    )
