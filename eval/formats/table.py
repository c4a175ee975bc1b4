"""Tables of questions as people keep them: CSV and TSV, also as Excel saves them.

The header names the columns, in English or Korean: ``question`` (질문), and if there are any
``answer`` (답, 답변) and ``source`` (출처), several of each parted by ``|``, ``id``, ``language``,
``kind``. A source is a document's path or ``path@start-end``. With both columns, a question with
neither answer nor source has no answer in the documents. A question without an id has the id
``line`` and the number of its line. Does not read workbooks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from eval.dataset import Dataset, Query
from eval.formats.corpus import SPAN
from eval.formats.lines import Skipped, content, labelled, name_of
from indexer.readers.decode import decode
from rag.errors import SourceError

_NAMES = {"질문": "question", "답": "answer", "답변": "answer", "출처": "source"}
_REMEDY = "The first line names the columns: question, and if you have them answer and source"


def read(file: Path) -> Dataset:
    """The questions of a table, without documents.

    Raises
    ------
    SourceError
        It is no text, has no column of questions, or no usable row.
    """
    text, warnings = _text(file)
    skipped = Skipped(file)
    columns, delimiter = _header(file, text)
    queries: dict[str, Query] = {}
    for line, cells in _rows(text, delimiter, skipped):
        if len(cells) > len(columns):
            skipped.add(line, f"has {len(cells)} cells under {len(columns)} columns")
            continue
        row = dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))
        try:
            query = _query(row, f"line{line}")
        except ValueError as e:
            skipped.add(line, str(e))
            continue
        if query.id in queries:
            skipped.add(line, f"repeats the id {query.id}")
        else:
            queries[query.id] = query
    if not queries:
        raise skipped.error("questions", _REMEDY)
    return Dataset(name_of(file), tuple(queries.values()), warnings=warnings + skipped.warnings())


def _text(file: Path) -> tuple[str, tuple[str, ...]]:
    found = decode(content(file), str(file))
    return found.text, tuple(f"{file}: {note}" for note in found.notes)


def _header(file: Path, text: str) -> tuple[list[str], str]:
    """The columns' names, and the delimiter by which one of them is ``question``."""
    for delimiter in ",;\t":
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        try:
            cells = next(reader, [])
        except csv.Error:
            continue
        names = [_NAMES.get(cell.strip(), cell.strip().lower()) for cell in cells]
        if "question" in names:
            return names, delimiter
    first = text.partition("\n")[0][:80]
    raise SourceError(
        str(file),
        f"is neither JSON nor a table with a column 'question': {first}",
        1,
        remedy=_REMEDY,
    )


def _rows(text: str, delimiter: str, skipped: Skipped) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each row that is not blank, without the header."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    next(reader)
    while True:
        start = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as e:
            skipped.add(start, f"has a quotation mark out of place: {e}")
            continue
        if any(cells):
            yield start, cells


def _query(row: dict[str, str], line: str) -> Query:
    text = row["question"]
    if not text:
        raise ValueError("has no question")
    answers, sources = _several(row, "answer"), _several(row, "source")
    for source in sources:
        span = SPAN.search(source)
        if span and int(span[1]) >= int(span[2]):
            raise ValueError(f"has the source {source}, which ends before it starts")
    return Query(
        row.get("id") or line,
        text,
        dict.fromkeys(sources, 1),
        answers,
        answerable=bool(answers or sources or "answer" not in row or "source" not in row),
        labels=labelled(text, {n: row[n] for n in ("language", "kind") if row.get(n)}),
    )


def _several(row: dict[str, str], column: str) -> tuple[str, ...]:
    parts = (part.strip() for part in row.get(column, "").split("|"))
    return tuple(dict.fromkeys(part for part in parts if part))
