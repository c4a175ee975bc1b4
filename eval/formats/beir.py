r"""BEIR folders: ``queries.jsonl``, ``qrels/<split>.tsv`` and mostly ``corpus.jsonl``.

A query may carry fields of ours: ``answers``, ``answerable``, ``labels`` (or BEIR's ``metadata``),
and ``split``, which lists a query without judgements for that split, as unanswerable ones are.
Where ``queries_<split>.jsonl`` exists, its queries come before those of ``queries.jsonl``. Every
file but the qrels may be gzipped. Knows nothing of the documents (`eval.formats.corpus`).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.dataset import Dataset, Query
from eval.formats import qrels
from eval.formats.corpus import find, identity
from eval.formats.lines import Skipped, labelled, name_of, records
from rag.errors import SourceError
from rag.types import encodable

SHAPE = "A BEIR folder holds queries.jsonl and qrels/<split>.tsv, and corpus.jsonl if it can"
Listed = dict[str, tuple[Query, str]]
"""Id to query and the split that its own line names."""


def read(folder: Path, split: str) -> Dataset:
    """The queries of a split, without documents."""
    file = folder / "qrels" / f"{split}.tsv"
    if not file.is_file():
        there = ", ".join(_splits(folder))
        why = f"has no split '{split}', only {there}" if there else "has no qrels/*.tsv"
        raise SourceError(str(folder), why, remedy="Name another split" if there else SHAPE)
    judged, warnings = qrels.read(file)
    own, all_splits = find(folder, f"queries_{split}"), find(folder, "queries")
    if not own and not all_splits:
        raise SourceError(str(folder), "has no queries.jsonl", remedy=SHAPE)
    listed, own_warnings = _listed(own)
    if not listed or not judged.keys() <= listed.keys():
        rest, rest_warnings = _listed(all_splits)
        listed, own_warnings = rest | listed, own_warnings + rest_warnings
    unknown = [query for query in judged if query not in listed]
    if unknown:
        warnings += (
            f"{file}: {len(unknown)} of {len(judged)} judged queries have no text in "
            f"queries.jsonl, the first: {unknown[0]}",
        )
    queries = tuple(
        replace(query, relevant=judged.get(query.id, {}))
        for query, of in listed.values()
        if query.id in judged or of == split
    )
    if not queries:
        raise SourceError(
            str(file),
            "judges no query of queries.jsonl",
            remedy="Its first column must be the '_id' of a query",
        )
    return Dataset(name_of(folder), queries, warnings=own_warnings + warnings)


def save(dataset: Dataset, folder: Path, split: str = "test") -> None:
    """Write ``dataset`` as a split of a BEIR folder, with its documents if it has any.

    Each file is replaced whole, the qrels last. Where the folder holds another split already, the
    queries go to ``queries_<split>.jsonl``. Of documents, path, title and text are kept.

    Raises
    ------
    SourceError
        A file cannot be written, or an id cannot stand in a qrels file.
    """
    rows = [
        "\t".join((_column(folder, query.id), _column(folder, place), str(grade)))
        for query in dataset.queries
        for place, grade in query.relevant.items()
    ]
    own = folder / f"queries_{split}.jsonl"
    alone = not own.exists() and set(_splits(folder)) <= {split}
    if dataset.documents:
        documents = ({"_id": d.path, "title": d.title, "text": d.text} for d in dataset.documents)
        _write(folder / "corpus.jsonl", _jsonl(documents))
    _write(
        folder / "queries.jsonl" if alone else own,
        _jsonl(_record(query, split) for query in dataset.queries),
    )
    _write(folder / "qrels" / f"{split}.tsv", ["query-id\tcorpus-id\tscore", *rows])


def _splits(folder: Path) -> list[str]:
    return sorted(file.stem for file in (folder / "qrels").glob("*.tsv"))


def _listed(file: Path | None) -> tuple[Listed, tuple[str, ...]]:
    if file is None:
        return {}, ()
    skipped = Skipped(file)
    listed: Listed = {}
    for line, record in records(file, skipped):
        try:
            query = _query(record)
        except ValueError as e:
            skipped.add(line, str(e))
            continue
        if query.id in listed:
            skipped.add(line, f"repeats the '_id' {query.id}")
        else:
            listed[query.id] = query, str(record.get("split", ""))
    if not listed:
        raise skipped.error("queries", 'A line looks like {"_id": "q1", "text": "What is tea?"}')
    return listed, skipped.warnings()


def _query(record: dict[str, Any]) -> Query:
    key, text = identity(record), record.get("text")
    answers, labels = record.get("answers", []), record.get("labels", record.get("metadata")) or {}
    if not key:
        raise ValueError("has no '_id'")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("has no 'text'")
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        raise ValueError("has 'answers' that are no list of strings")
    if not isinstance(labels, dict):
        raise ValueError("has 'labels' that are no object")
    if not isinstance(answerable := record.get("answerable", True), bool):
        raise ValueError("has an 'answerable' that is neither true nor false")
    plain = {encodable(k): encodable(v) for k, v in labels.items() if isinstance(v, str)}
    return Query(
        key,
        encodable(text),
        answers=tuple(encodable(a) for a in answers),
        answerable=answerable,
        labels=labelled(text, plain),
    )


def _record(query: Query, split: str) -> dict[str, Any]:
    record: dict[str, Any] = {"_id": query.id, "text": query.text}
    if query.answers:
        record["answers"] = query.answers
    if not query.answerable:
        record["answerable"] = False
    if query.labels:
        record["labels"] = dict(query.labels)
    if not query.relevant:
        record["split"] = split
    return record


def _column(folder: Path, text: str) -> str:
    if not text or any(c in text for c in "\t\r\n"):
        raise SourceError(
            str(folder),
            f"the id {text!r} cannot stand in a qrels file",
            remedy="Ids and paths must not be empty or hold tabs or line ends",
        )
    return text


def _jsonl(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(record, ensure_ascii=False) for record in records)


def _write(file: Path, lines: Iterable[str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as f:
                for line in lines:
                    f.write(encodable(line).encode() + b"\n")
                f.flush()
                os.fsync(f.fileno())
            temporary.chmod(0o644)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as e:
        raise SourceError(
            str(file), f"cannot be written: {e.strerror or e}", remedy="Name another folder"
        ) from e
