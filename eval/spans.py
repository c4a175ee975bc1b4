"""Data sets whose answers are spans of long documents, for ways to cut to be compared on.

Made of SQuAD's JSON, whose paragraphs are joined to articles again, or of a folder of pages, whose
headings are the questions. Knows no system.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eval.dataset import Dataset, Query
from eval.formats.lines import content, name_of
from indexer.readers import Empty, Unknown, read
from rag.errors import SourceError
from rag.types import Document

_GAP = "\n\n"
_LEAST, _MOST = 150, 4000
"""Characters below a heading that may be asked for."""
_FEWEST_WORDS = 2
_SPAN = re.compile(r"(.+)@(\d+)-(\d+)")


def load(
    path: Path, documents: int | None = None, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Documents and questions of ``path``, each judged by ``path@start-end`` of a document.

    Parameters
    ----------
    documents, limit
        At most so many documents, and questions about them, chosen at random.

    Raises
    ------
    SourceError
        There is nothing to ask in it.
    """
    found = list(_pages(path) if path.is_dir() else _articles(path))
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.permutation(len(found))[:documents].tolist())
    queries = [query for i in chosen for query in found[i][1]]
    if not queries:
        raise SourceError(str(path), "has no question with a known place")
    name = path.name if path.is_dir() else name_of(path)
    return Dataset(name, tuple(queries), tuple(found[i][0] for i in chosen)).sample(limit, seed)


def places(query: Query) -> list[tuple[str, int, int]]:
    """Path, start and end of each place that the query is judged by."""
    found = (_SPAN.fullmatch(place) for place in query.right)
    return [(m[1], int(m[2]), int(m[3])) for m in found if m]


def _articles(file: Path) -> Iterator[tuple[Document, list[Query]]]:
    """Each article as one document, a blank line between paragraphs."""
    try:
        root: Any = json.loads(content(file))
        for number, article in enumerate(root["data"]):
            path = f"{number}.txt"
            queries: dict[str, Query] = {}
            parts: list[str] = []
            length = 0
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    places = {_place(path, length, a): 1 for a in asked.get("answers", ())}
                    if places and str(asked["id"]) not in queries:
                        query = Query(str(asked["id"]), asked["question"], places)
                        queries[query.id] = query
                parts.append(paragraph["context"])
                length += len(paragraph["context"]) + len(_GAP)
            title = str(article["title"]).replace("_", " ")
            yield Document(f"{file}#{path}", path, title, _GAP.join(parts)), list(queries.values())
    except (ValueError, LookupError, TypeError, AttributeError) as e:
        why = f"is not of SQuAD's shape ({type(e).__name__}: {e})"
        raise SourceError(str(file), why, remedy="Give SQuAD's JSON, or a folder of pages") from e


def _place(path: str, offset: int, answer: dict[str, Any]) -> str:
    start = offset + int(answer["answer_start"])
    return f"{path}@{start}-{start + len(answer['text'])}"


def _pages(folder: Path) -> Iterator[tuple[Document, list[Query]]]:
    """Each page, and its headings of two words or more that no other page has, as questions.

    What is asked for is the text below the heading, up to the next one.
    """
    pages = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            try:
                pages.append(read(file.read_bytes(), uri=path, path=path).document)
            except (Empty, Unknown):
                continue
    titles = Counter(b.title for page in pages for b in page.blocks if b.kind == "heading")
    for page in pages:
        yield page, [q for q in _headings(page) if titles[q.text] == 1]


def _headings(page: Document) -> Iterator[Query]:
    headings = [b for b in page.blocks if b.kind == "heading"]
    ends = [*(b.start for b in headings[1:]), len(page.text)][: len(headings)]
    for block, stop in zip(headings, ends, strict=True):
        body = page.text[block.end : stop]
        start = block.end + len(body) - len(body.lstrip())
        end = block.end + len(body.rstrip())
        if _LEAST <= end - start <= _MOST and len(block.title.split()) >= _FEWEST_WORDS:
            yield Query(
                f"{page.path}@{block.start}", block.title, {f"{page.path}@{start}-{end}": 1}
            )
