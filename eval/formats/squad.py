"""SQuAD's JSON (1.1, 2.0) and KorQuAD 1.0's: every paragraph becomes a document.

A paragraph's path is ``<article>-<paragraph>``, both counted from 0. Does not read KorQuAD 2.0,
whose contexts are HTML pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.dataset import Dataset, Query
from eval.formats.lines import Skipped, content, labelled, name_of
from indexer.readers.decode import clean, decode
from rag.errors import SourceError
from rag.types import Document

_SHAPE = (
    'It looks like {"data": [{"title": …, "paragraphs": [{"context": …, "qas": [{"id": …, '
    '"question": …, "answers": [{"text": …}]}]}]}]}'
)


def read(file: Path) -> Dataset:
    """Paragraphs and questions; equal paragraphs are one document.

    Raises
    ------
    SourceError
        It is no JSON, is of another shape, or holds no question.
    """
    name = name_of(file)
    skipped = Skipped(file)
    documents: dict[str, Document] = {}
    queries: dict[str, Query] = {}
    for path, title, context, questions in _paragraphs(_articles(file), skipped):
        new = Document(f"{name}/{path}", path, title, context)
        document = documents.setdefault(context, new)
        for n, question in enumerate(questions):
            try:
                query = _query(question, document.path)
            except ValueError as e:
                skipped.add(None, f"question {n} of paragraph {path} {e}")
                continue
            if query.id in queries:
                skipped.add(None, f"question {n} of paragraph {path} repeats the id {query.id}")
            else:
                queries[query.id] = query
    if not queries:
        raise skipped.error("questions", _SHAPE)
    return Dataset(
        name, tuple(queries.values()), tuple(documents.values()), warnings=skipped.warnings()
    )


def _articles(file: Path) -> list[Any]:
    try:
        root = json.loads(decode(content(file), str(file)).text)
    except json.JSONDecodeError as e:
        raise SourceError(str(file), f"is not valid JSON: {e.msg}", e.lineno, remedy=_SHAPE) from e
    except RecursionError as e:
        raise SourceError(str(file), "is nested too deeply", remedy=_SHAPE) from e
    articles = root.get("data") if isinstance(root, dict) else None
    if not isinstance(articles, list):
        raise SourceError(str(file), "is JSON but has no list 'data'", remedy=_SHAPE)
    return articles


def _paragraphs(
    articles: list[Any], skipped: Skipped
) -> Iterator[tuple[str, str, str, list[object]]]:
    """Path, title, context and questions of each usable paragraph."""
    for i, article in enumerate(articles):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            skipped.add(None, f"article {i} has no list 'paragraphs'")
            continue
        title = clean(str(article.get("title") or "")).replace("_", " ")
        for j, paragraph in enumerate(paragraphs):
            record = paragraph if isinstance(paragraph, dict) else {}
            context, questions = record.get("context"), record.get("qas")
            if isinstance(context, str) and context.strip() and isinstance(questions, list):
                yield f"{i}-{j}", title, clean(context), questions
            else:
                skipped.add(None, f"paragraph {i}-{j} has no text 'context' or no list 'qas'")


def _query(record: object, path: str) -> Query:
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")
    key, text = record.get("id"), record.get("question")
    if not isinstance(key, str | int) or not str(key):
        raise ValueError("has no 'id'")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("has no 'question'")
    text = clean(text).strip()
    if record.get("is_impossible") is True:
        return Query(clean(str(key)), text, answerable=False, labels=labelled(text, {}))
    answers = record.get("answers") or []
    try:
        texts = [clean(answer["text"]) for answer in answers]
    except (TypeError, KeyError, AttributeError):
        raise ValueError("has 'answers' that are no list of objects with 'text'") from None
    return Query(
        clean(str(key)),
        text,
        {path: 1},
        tuple(dict.fromkeys(answer for answer in texts if answer.strip())),
        labels=labelled(text, {}),
    )
