"""Data sets from files: BEIR, SQuAD, TREC, tables of questions, the service's query log.

What a source is follows from its content. Knows no system and no measure.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eval.dataset import Dataset
from eval.formats import beir, querylog, squad, table, trec
from eval.formats.beir import save
from eval.formats.corpus import attach, file_of, find
from eval.formats.lines import opened
from rag.errors import SourceError

__all__ = ["load", "save"]

_HEAD = 1 << 20
_KNOWN = (
    "Known are a BEIR folder (queries.jsonl, qrels/), a TREC folder (topics*, qrels*), "
    "SQuAD's JSON, a CSV with a column 'question', and the service's query log"
)


def load(
    source: Path,
    *,
    split: str = "test",
    corpus: Path | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    source
        A folder in the form of BEIR or TREC, or a file: SQuAD's JSON, a table, a query log.
    split
        Which of a folder's judgements.
    corpus
        A BEIR folder or ``corpus.jsonl`` with the documents, in place of the source's own.
    limit
        At most so many queries, chosen at random by ``seed``.

    Raises
    ------
    SourceError
        It cannot be read, is of no known form, or nothing in it is usable.
    """
    dataset = _folder(source, split) if source.is_dir() else _file(source)
    if corpus is not None and dataset.documents:
        raise SourceError(
            str(source), "brings its own documents", remedy=f"Leave the corpus {corpus} out"
        )
    file = file_of(corpus) if corpus is not None else find(source, "corpus")
    if file is not None:
        dataset = attach(dataset, file)
    return dataset.sample(limit, seed)


def _folder(source: Path, split: str) -> Dataset:
    if (source / "qrels").is_dir() or find(source, "queries"):
        return beir.read(source, split)
    if any(source.glob("topics*")):
        return trec.read(source, split)
    why = "holds documents but no questions" if find(source, "corpus") else "is no known data set"
    raise SourceError(str(source), why, remedy=_KNOWN)


def _file(source: Path) -> Dataset:
    with opened(source) as f:
        head = f.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head:
        raise SourceError(str(source), "is empty", remedy=_KNOWN)
    if not head.startswith((b"{", b"[")):
        return table.read(source)
    record = _record(head)
    if "_id" in record:
        raise SourceError(str(source), "is one file of a BEIR folder", remedy="Name the folder")
    logged = record.get("type") in ("query", "vote")
    return querylog.read(source) if logged else squad.read(source)


def _record(head: bytes) -> dict[str, Any]:
    """The first line that is a JSON object by itself; SQuAD's may have none."""
    for line in head.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            return record
    return {}
