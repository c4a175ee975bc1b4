"""The stages after fusion, through a real search: reranked, boosted, diversified; neighbours."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.errors import ConfigError
from rag.search import Searcher
from rag.search.ranking import Ranking
from rag.types import Chunk
from rag.workspace import Workspace
from tests.support import docs

QUERY = "how is tea brewed?"
FILES = {
    "tea.md": "# Tea\n\nGreen tea is brewed at 80 degrees, for two minutes.\n\n"
    "## Black\n\nBlack tea is brewed with boiling water, for four minutes.\n\n"
    "## Cups\n\nTea is poured into warm cups, and drunk at once.\n",
    "copy.txt": "Green tea is brewed at 80 degrees, for two minutes or so.\n",
    "ko/tea.md": "# 차\n\n녹차는 80도에서, 홍차는 끓는 물로 우립니다. How tea is brewed.\n",
    "water.md": "# Water\n\nWater boils at 100 degrees, and coffee is brewed with it.\n",
}


@pytest.fixture
def saem(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(docs.settings(tmp_path / "home", chunk_tokens=20, near_duplicates=0.0))
    docs.index(made, docs.write(tmp_path / "tea", FILES))
    yield made
    made.close()


class Longest:
    """Likes long passages; waits for ``begin``."""

    name = "longest"
    share = 1.0

    def __init__(self) -> None:
        self.begin = threading.Event()
        self.begin.set()

    def scores(self, query: str, passages: Sequence[Chunk], until: float) -> list[float]:
        self.begin.wait(60)
        return [float(len(chunk.text)) for chunk in passages]


def searcher(saem: Workspace, reranker: Longest | None = None, **values: object) -> Searcher:
    settings = saem.settings.replace(**values)
    return Searcher(saem.collection(), saem.encoder(), settings, reranker=reranker)


def test_a_model_puts_the_best_in_order_once_more(saem: Workspace) -> None:
    found = searcher(saem, Longest(), rerank="cross-encoder", rerank_seconds=60.0)
    result = found.search(QUERY, top_k=50)
    lengths = [len(hit.chunk.text) for hit in result.hits]
    assert len(lengths) == 6
    assert lengths == sorted(lengths, reverse=True)
    assert result.warnings == ()
    assert list(found.rank(QUERY).stages) == ["bm25", "dense", "fused", "reranked"]


@pytest.mark.parametrize("mode", ["bm25", "dense", "hybrid"])
def test_one_out_of_time_leaves_the_order_and_says_so(saem: Workspace, mode: str) -> None:
    slow = Longest()
    slow.begin.clear()
    found = searcher(saem, slow, rerank="late", rerank_seconds=0.05).rank(QUERY, mode=mode)
    slow.begin.set()
    plain = searcher(saem).rank(QUERY, mode=mode)
    assert found.order[:10] == plain.order[:10]
    assert (
        len({tuple(found.stages[s][:10]) for s in ("fused", "reranked") if s in found.stages}) == 1
    )
    assert found.warnings == (
        "reranking by longest ran out of time (0.05 s); the order is the one before",
    )


def paths(saem: Workspace, found: Ranking) -> list[str]:
    chunks = saem.collection().fetch([id_ for id_, _ in found.order])
    return [chunks[id_].path for id_, _ in found.order]


def test_boosts_and_grouping(saem: Workspace) -> None:
    found = searcher(saem, boosts=("path=ko/**: 9",), per_document=1).rank(QUERY, top_k=50)
    assert list(found.stages) == ["bm25", "dense", "fused", "boosted", "diversified"]
    ranked = paths(saem, found)
    assert ranked[0] == "ko/tea.md"
    assert sorted(ranked) == sorted(FILES)


def test_diversity_puts_a_copy_back_and_loses_nothing(saem: Workspace) -> None:
    plain = searcher(saem).rank(QUERY, top_k=50)
    found = searcher(saem, diversity=0.7).rank(QUERY, top_k=50)
    assert list(found.stages)[-1] == "diversified"
    assert found.order[0][0] == plain.order[0][0]
    assert paths(saem, found).index("copy.txt") > paths(saem, plain).index("copy.txt")
    assert sorted(id_ for id_, _ in found.order) == sorted(id_ for id_, _ in plain.order)


def test_neighbours_are_read_with_a_hit(saem: Workspace) -> None:
    wide = searcher(saem, neighbours=1).search(QUERY, top_k=50)
    plain = searcher(saem).search(QUERY, top_k=50)
    assert [h.chunk.id for h in wide.hits] == [h.chunk.id for h in plain.hits]
    spans = [(h.chunk.start, h.chunk.end) for h in plain.hits if h.chunk.path == "tea.md"]
    assert len(spans) == 3
    whole = (min(start for start, _ in spans), max(end for _, end in spans))
    assert {h.chunk.outer for h in wide.hits if h.chunk.path == "tea.md"} == {whole}
    assert {h.chunk.outer for h in wide.hits if h.chunk.path != "tea.md"} == {None}


def test_a_boost_that_is_none_is_refused_at_once(saem: Workspace) -> None:
    with pytest.raises(ConfigError, match="is no boost"):
        searcher(saem, boosts=("ko",))
