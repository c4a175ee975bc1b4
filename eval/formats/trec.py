"""TREC collections: a folder with a ``topics*`` and a ``qrels*`` file.

Topics are lines of id, tab and text, or the classic ``<top>`` records, whose title is the query;
closing tags may be missing. Knows nothing of the documents (`eval.formats.corpus`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from eval.dataset import Dataset, Query
from eval.formats import qrels
from eval.formats.lines import Skipped, content, labelled, name_of
from indexer.readers.decode import decode
from rag.errors import SourceError

_TOP = re.compile(r"<top>", re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:number\s*:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:topic\s*:)?(.*?)(?=</?\w+>|\Z)", re.IGNORECASE | re.DOTALL)


def read(folder: Path, split: str) -> Dataset:
    """The judged topics, without documents.

    Of several files of a kind, the one with ``split`` in its name is read.

    Raises
    ------
    SourceError
        A file is missing, is one of several, or cannot be read; or no topic is judged.
    """
    topics, file = _one(folder, "topics", split), _one(folder, "qrels", split)
    judged, warnings = qrels.read(file)
    skipped = Skipped(topics)
    text = decode(content(topics), str(topics)).text
    each = _classic(text, skipped) if _TOP.search(text) else _tabbed(text, skipped)
    queries: dict[str, Query] = {}
    for line, key, title in each:
        if key in queries:
            skipped.add(line, f"repeats the topic {key}")
        else:
            queries[key] = Query(key, title, judged.get(key, {}), labels=labelled(title, {}))
    if not queries:
        raise skipped.error("topics", "A line is a topic's id, a tab and its text")
    found = tuple(query for query in queries.values() if query.id in judged)
    if not found:
        raise SourceError(
            str(file),
            f"judges no topic of {topics.name}: it knows {next(iter(judged), 'none')}, "
            f"the topics are {next(iter(queries))} and so on",
            remedy="The first column must be the topics' ids",
        )
    return Dataset(name_of(folder), found, warnings=skipped.warnings() + warnings)


def _one(folder: Path, kind: str, split: str) -> Path:
    files = sorted(file for file in folder.glob(f"{kind}*") if file.is_file())
    if len(files) > 1:
        files = [file for file in files if split in file.name] or files
    if len(files) != 1:
        names = ", ".join(file.name for file in files)
        raise SourceError(
            str(folder),
            f"holds several {kind} files: {names}" if files else f"holds no {kind} file",
            remedy=f"Leave one, or name a split that one of them has in its name ('{split}' now)"
            if files
            else f"Put the TREC {kind} into a file whose name begins with {kind}",
        )
    return files[0]


def _tabbed(text: str, skipped: Skipped) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        key, _, title = (part.strip() for part in line.partition("\t"))
        if key and title:
            yield number, key, title
        elif line.strip():
            skipped.add(number, "is not an id, a tab and a text")


def _classic(text: str, skipped: Skipped) -> Iterator[tuple[int, str, str]]:
    starts = [top.start() for top in _TOP.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line = text.count("\n", 0, start) + 1
        number, title = (p.search(text, start, end) for p in (_NUMBER, _TITLE))
        words = " ".join(title[1].split()) if title else ""
        if number and words:
            yield line, number[1], words
        else:
            skipped.add(line, "is a topic without <num> or without <title>")
