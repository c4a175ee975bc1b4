"""Lexical search engines at the same job: passages in, ids of the ten best for a question out.

Each analyses English as it does by default and indexes title and text as one field; those that can
keep the text do. An engine's library is imported when it is made, so that each is measured in a
process of its own. Lucene is in `eval.bench.lucene`.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

from eval.bench.corpora import Passage
from indexer.chunk import Chunker, load_chunker
from indexer.pool import ordered
from indexer.rows import growing, make_rows
from rag.analysis import Analyser
from rag.index import Collection, Row, Stat
from rag.search import Searcher
from rag.settings import Settings
from rag.types import Document

K = 10
BATCH = 2000
"""Passages that one of Saem's processes analyses at a time."""
_WORD = re.compile(r"\w+")


class Engine(Protocol):
    """A system's index in a folder; ``on_disk`` is false where it can only be made anew."""

    on_disk: ClassVar[bool]

    def __init__(self, folder: Path) -> None: ...

    def build(self, passages: Sequence[Passage]) -> None:
        """From text to an index that can be searched, in its files where it has such."""

    def open(self) -> None:
        """Make an index on disk ready to be searched."""

    def search(self, question: str) -> list[str]:
        """Ids of the best passages."""


class Changeable(Engine, Protocol):
    """One that takes changes; each is seen by the next ``search``."""

    def add(self, passage: Passage) -> None: ...

    def remove(self, passage: Passage) -> None: ...


class Saem:
    """The analysis of the question and ``Collection.sparse``."""

    on_disk: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "collection"

    def build(self, passages: Sequence[Passage]) -> None:
        collection = Collection(self.folder, create=True)
        collection.ensure("analyser", Analyser().fingerprint)
        batches = (passages[i : i + BATCH] for i in range(0, len(passages), BATCH))
        with collection.loading():
            for rows in growing(ordered(_rows, batches, (os.cpu_count() or 2) - 1)):
                collection.upsert(rows)
        collection.tidy()
        collection.close()

    def open(self) -> None:
        self.collection = Collection(self.folder)
        self.searcher = Searcher(self.collection, None, Settings(encoder="none"))

    def search(self, question: str) -> list[str]:
        asked = self.collection.match(self.searcher.parse(question), tolerant=False)
        return [id_ for id_, _ in self.collection.sparse(asked, K)]

    def paths(self, question: str) -> list[str]:
        """Ids of the corpus in place of Saem's own."""
        return [hit.chunk.path for hit in self.searcher.search(question, K, "bm25").hits]

    def add(self, passage: Passage) -> None:
        self.collection.upsert(_rows([passage]))

    def remove(self, passage: Passage) -> None:
        self.collection.delete([_document(passage).id])


class SaemSearcher(Saem):
    """``Searcher.search``: with the passages themselves and what of them matched."""

    search = Saem.paths


class Tantivy:
    on_disk: ClassVar[bool] = True
    threads: ClassVar[int] = 1

    def __init__(self, folder: Path) -> None:
        import tantivy

        folder.mkdir(parents=True, exist_ok=True)
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_text_field("body", stored=True, tokenizer_name="en_stem", index_option="freq")
        self.document = tantivy.Document
        self.index = tantivy.Index(schema.build(), path=str(folder))
        self.writer: Any = None

    def build(self, passages: Sequence[Passage]) -> None:
        writer = self.index.writer(num_threads=self.threads)
        for p in passages:
            writer.add_document(self.document(id=p.id, body=p.body))
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> None:
        self.index.reload()
        self.searcher = self.index.searcher()

    def search(self, question: str) -> list[str]:
        query = self.index.parse_query(" ".join(_WORD.findall(question)), ["body"])
        hits = self.searcher.search(query, K, count=False).hits
        return [self.searcher.doc(address)["id"][0] for _, address in hits]

    def add(self, passage: Passage) -> None:
        self._commit(lambda w: w.add_document(self.document(id=passage.id, body=passage.body)))

    def remove(self, passage: Passage) -> None:
        self._commit(lambda w: w.delete_documents("id", passage.id))

    def _commit(self, change: Any) -> None:  # noqa: ANN401
        self.writer = self.writer or self.index.writer(num_threads=1)
        change(self.writer)
        self.writer.commit()
        self.open()


class TantivyThreads(Tantivy):
    """Built by all cores."""

    threads = os.cpu_count() or 1


class Bm25s:
    """Compiled by numba where that is installed. Changes make the index anew from kept terms."""

    on_disk: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        import bm25s
        import Stemmer

        self.library = bm25s
        self.stemmer = Stemmer.Stemmer("english")
        self.folder = folder
        self.ids: list[str] = []

    def build(self, passages: Sequence[Passage]) -> None:
        self.ids = [p.id for p in passages]
        self.terms = self._terms([p.body for p in passages])
        self._index()
        self.index.save(
            self.folder, corpus=[{"text": p.body} for p in passages], show_progress=False
        )
        (self.folder / "ids.json").write_text(json.dumps(self.ids), "utf-8")

    def open(self) -> None:
        self.index = self.library.BM25.load(self.folder, show_progress=False)
        self.ids = json.loads((self.folder / "ids.json").read_text("utf-8"))

    def search(self, question: str) -> list[str]:
        terms = self._terms([question])
        found, _ = self.index.retrieve(
            terms, corpus=self.ids, k=min(K, len(self.ids)), n_threads=1, show_progress=False
        )
        return [str(id_) for id_ in found[0]]

    def add(self, passage: Passage) -> None:
        self.ids.append(passage.id)
        self.terms += self._terms([passage.body])
        self._index()

    def remove(self, passage: Passage) -> None:
        at = self.ids.index(passage.id)
        del self.ids[at], self.terms[at]
        self._index()

    def _index(self) -> None:
        self.index = self.library.BM25(backend="auto")
        self.index.index(self.terms, show_progress=False)

    def _terms(self, texts: list[str]) -> Any:  # noqa: ANN401
        return self.library.tokenize(
            texts, stopwords="en", stemmer=self.stemmer, return_ids=False, show_progress=False
        )


class RankBm25:
    """``BM25Okapi`` over words in lower case, in memory alone: it leaves the words to its user."""

    on_disk: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        from rank_bm25 import BM25Okapi

        self.make = BM25Okapi

    def build(self, passages: Sequence[Passage]) -> None:
        self.ids = [p.id for p in passages]
        self.words = [_WORD.findall(p.body.lower()) for p in passages]
        self.index = self.make(self.words)

    def open(self) -> None:
        """It is open."""

    def search(self, question: str) -> list[str]:
        found = self.index.get_top_n(_WORD.findall(question.lower()), self.ids, K)
        return list(found)

    def add(self, passage: Passage) -> None:
        self.ids.append(passage.id)
        self.words.append(_WORD.findall(passage.body.lower()))
        self.index = self.make(self.words)

    def remove(self, passage: Passage) -> None:
        at = self.ids.index(passage.id)
        del self.ids[at], self.words[at]
        self.index = self.make(self.words)


class Fts5:
    """SQLite's full-text search with Porter's stemmer; words of a question joined by OR."""

    on_disk: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(folder / "fts5.sqlite", check_same_thread=False)

    def build(self, passages: Sequence[Passage]) -> None:
        with self.database as db:
            db.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")
            db.execute("CREATE VIRTUAL TABLE passages USING fts5"
                       "(id UNINDEXED, body, tokenize = 'porter unicode61')")  # fmt: skip
            self._insert(passages, 1)

    def open(self) -> None:
        """It is open."""

    def search(self, question: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in _WORD.findall(question))
        sql = "SELECT id FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?"
        return [id_ for (id_,) in self.database.execute(sql, (words, K))]

    def add(self, passage: Passage) -> None:
        with self.database as db:
            (last,) = db.execute("SELECT max(rowid) FROM passages").fetchone()
            self._insert([passage], last + 1)

    def remove(self, passage: Passage) -> None:
        with self.database as db:
            sql = "DELETE FROM ids WHERE id = ? RETURNING number"
            (number,) = db.execute(sql, (passage.id,)).fetchone()
            db.execute("DELETE FROM passages WHERE rowid = ?", (number,))

    def _insert(self, passages: Sequence[Passage], first: int) -> None:
        db = self.database
        db.executemany("INSERT INTO ids VALUES (?, ?)",
                       ((p.id, n) for n, p in enumerate(passages, first)))  # fmt: skip
        db.executemany("INSERT INTO passages (rowid, id, body) VALUES (?, ?, ?)",
                       ((n, p.id, p.body) for n, p in enumerate(passages, first)))  # fmt: skip


def _document(passage: Passage) -> Document:
    return Document(passage.id, passage.id, passage.title, passage.text)


def _rows(passages: Sequence[Passage]) -> list[Row]:
    return make_rows([(_document(p), Stat()) for p in passages], _chunker(), Analyser())


@cache
def _chunker() -> Chunker:
    return load_chunker(Settings())
