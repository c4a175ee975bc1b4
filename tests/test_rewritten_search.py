"""Rewritten queries through a real search: what they may add, and what they must not break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import LLMTimeout
from rag.search import Searcher
from rag.search.ask import Ask
from rag.search.cache import ResultCache
from rag.search.explain import explain
from rag.workspace import Workspace
from tests.support import docs

FILES = {
    "green.md": "# Green\n\nGreen tea is brewed at 80 degrees.\n",
    "black.md": "# Black\n\nBlack tea is brewed with boiling water.\n",
    "coffee.md": "# Coffee\n\nCoffee wants boiling water and a paper filter.\n",
    "cups.md": "# Cups\n\nPorcelain keeps its warmth; glass does not.\n",
}


@pytest.fixture
def saem(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(docs.settings(tmp_path / "home", chunk_tokens=20, near_duplicates=0.0))
    docs.index(made, docs.write(tmp_path / "tea", FILES))
    yield made
    made.close()


def said(reply: str) -> Ask:
    return lambda system, user, tokens: reply


def searcher(saem: Workspace, reply: str, **values: object) -> Searcher:
    return Searcher(
        saem.collection(),
        saem.encoder(),
        saem.settings.replace(**values),
        ask=said(reply),
        results=ResultCache(10),
    )


def paths(found: Searcher, query: str, **how: object) -> list[str]:
    return [hit.chunk.path for hit in found.search(query, **how).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_what_the_question_excludes_is_excluded_from_paraphrases(
    saem: Workspace, mode: str
) -> None:
    found = searcher(saem, "Which drink wants boiling water?", rewrite=("multi",), mode=mode)
    assert "black.md" in paths(found, "brewed drink")
    assert "black.md" not in paths(found, "brewed drink -black")
    assert paths(found, "brewed drink +green") == ["green.md"]


@pytest.mark.parametrize("kind", ["multi", "hyde"])
def test_a_query_that_cannot_be_searched_for_is_left_out_and_said(
    saem: Workspace, kind: str
) -> None:
    found = searcher(saem, "-coffee", rewrite=(kind,))
    result = found.search("green tea")
    plain = searcher(saem, "").search("green tea")
    assert [h.chunk.id for h in result.hits] == [h.chunk.id for h in plain.hits]
    (warning,) = result.warnings
    assert warning.startswith(f"{kind}: not searched for: the question only says what not to find")


class Failing:
    """Encodes the question, and then no more."""

    def __init__(self, saem: Workspace) -> None:
        self._real = saem.encoder()
        self.name, self.fingerprint = self._real.name, self._real.fingerprint
        self.dim, self.passages = self._real.dim, self._real.passages
        self.asked = 0

    def query(self, text: str) -> NDArray[np.float32]:
        self.asked += 1
        if self.asked > 1:
            raise LLMTimeout("http://encoder", 2.0)
        return self._real.query(text)


@pytest.mark.parametrize("kind", ["multi", "hyde"])
def test_an_encoder_that_fails_midway_costs_the_rewritten_queries_alone(
    saem: Workspace, kind: str
) -> None:
    found = searcher(saem, "Tea is brewed with water.", rewrite=(kind,))
    found.encoder = Failing(saem)
    result = found.search("green tea")
    assert result.mode == "hybrid"
    assert result.hits[0].chunk.path == "green.md"
    assert [w.partition(":")[0] for w in result.warnings] == [kind]
    assert "http://encoder" in result.warnings[0]
    assert not found.search("green tea").cached


def test_how_many_are_asked_for_does_not_change_what_is_first(saem: Workspace) -> None:
    found = searcher(saem, "boiling water for coffee", rewrite=("multi",), mode="bm25")
    many = paths(found, "green tea or boiling water", top_k=10)
    assert paths(found, "green tea or boiling water", top_k=1) == many[:1]


def test_what_only_a_rewritten_query_found_is_explained(saem: Workspace) -> None:
    found = searcher(
        saem, "porcelain cups", rewrite=("multi",), mode="bm25", rerank="linear", rerank_depth=1
    )
    query = "boiling water for coffee"
    assert paths(found, query) == ["coffee.md", "cups.md", "black.md"]
    reranked = explain(found, query, "cups.md").stages[2]
    assert (reranked.name, reranked.rank) == ("reranked", 2)
    assert reranked.why == "only the first 1 are put in order again (rerank_depth)"


def test_what_grouping_left_out_is_told_so(saem: Workspace, tmp_path: Path) -> None:
    text = "# Tea\n\n" + "Tea is grown here and there. " * 4 + "\n\n## Leaves\n\nTea is dried.\n"
    docs.index(saem, docs.write(tmp_path / "more", {"tea.md": text}))
    found = searcher(saem, "", per_document=1, mode="bm25")
    chunks = saem.collection().passages(
        next(d.id for d in saem.collection().documents() if d.path == "tea.md")
    )
    shown = {h.chunk.id for h in found.search("tea").hits}
    assert len(shown & {c.id for c in chunks}) == 1
    hidden = next(c.id for c in chunks if c.id not in shown)
    told = explain(found, "tea", hidden)
    assert told.rank is None
    assert told.why == "it is like a better one, or of the same document"
