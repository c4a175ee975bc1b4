"""The documents of a BEIR folder, and how judgements name them. Knows no queries' format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.dataset import Dataset
from eval.formats.lines import Skipped, records
from indexer.readers.decode import clean
from rag.errors import SourceError
from rag.types import Document, encodable

SPAN = re.compile(r"@(\d+)-(\d+)$")
"""How a place that is a part of a document ends."""


def find(folder: Path, stem: str) -> Path | None:
    """``<stem>.jsonl`` or ``<stem>.jsonl.gz`` of a folder."""
    files = (folder / f"{stem}.jsonl", folder / f"{stem}.jsonl.gz")
    return next((file for file in files if file.is_file()), None)


def attach(dataset: Dataset, file: Path) -> Dataset:
    """``dataset`` over the documents of ``file``, a ``corpus.jsonl``.

    The judgements name pages where none of them is a document's id and 99 % are an id up to its
    first ``#``.
    """
    documents, skipped = _documents(file, dataset.name)
    ids = {d.path for d in documents}
    places = list(dict.fromkeys(place for q in dataset.queries for place in q.relevant))
    pages = {path.partition("#")[0] for path in ids if "#" in path}
    on_pages = sum(place in pages for place in places)
    by_page = on_pages >= 0.99 * len(places) > 0 and ids.isdisjoint(places)
    known = pages if by_page else ids
    unknown = [p for p in places if p not in known and SPAN.sub("", p) not in known]
    warnings = (*dataset.warnings, *skipped.warnings())
    if unknown:
        warnings += (
            f"{file}: {len(unknown)} of {len(places)} judged places are not in it, "
            f"the first: {unknown[0]}",
        )
    return replace(dataset, documents=documents, pages=by_page, warnings=warnings)


def identity(record: dict[str, Any]) -> str:
    """The ``_id`` of a record, or nothing where it has none that a qrels file could name."""
    found = record.get("_id")
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return encodable(found) if isinstance(found, str) else ""


def _documents(file: Path, name: str) -> tuple[tuple[Document, ...], Skipped]:
    skipped = Skipped(file)
    found = {d.path: d for d in _each(file, name, skipped)}
    if not found:
        raise skipped.error(
            "documents", 'A line looks like {"_id": "d1", "title": "Tea", "text": "Brewed hot."}'
        )
    return tuple(found.values()), skipped


def _each(file: Path, name: str, skipped: Skipped) -> Iterator[Document]:
    seen: set[str] = set()
    for line, record in records(file, skipped):
        path = identity(record)
        title, text = record.get("title") or "", record.get("text") or ""
        if not path:
            skipped.add(line, "has no '_id'")
        elif not (isinstance(title, str) and isinstance(text, str)):
            skipped.add(line, "has a 'title' or 'text' that is no string")
        elif not (text.strip() or title.strip()):
            skipped.add(line, "has neither 'text' nor 'title'")
        elif path in seen:
            skipped.add(line, f"repeats the '_id' {path}")
        else:
            seen.add(path)
            if not text.strip():  # its title is all that can be found of it
                title, text = "", title
            yield Document(f"{name}/{path}", path, clean(title), clean(text))


def file_of(corpus: Path) -> Path:
    """The file that a ``corpus`` option names: itself, or the folder's.

    Raises
    ------
    SourceError
        There is none.
    """
    if not corpus.is_dir():
        return corpus
    file = find(corpus, "corpus")
    if file is None:
        raise SourceError(
            str(corpus),
            "holds no corpus.jsonl or corpus.jsonl.gz",
            remedy="Name the folder or the file that holds the documents",
        )
    return file
