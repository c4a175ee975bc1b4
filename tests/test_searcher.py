from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import BadQuery, ConfigError, IncompatibleIndex, LLMUnavailable
from rag.search import Searcher
from rag.types import Filter, Mode
from rag.workspace import Workspace
from tests.support import docs


def paths(saem: Workspace, query: str, mode: Mode = "hybrid", **options: object) -> list[str]:
    return [h.chunk.path for h in saem.searcher().search(query, mode=mode, **options).hits]


@pytest.mark.parametrize("mode", ["bm25", "tfidf", "dense", "hybrid"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("allow another origin to call my API", "en/cors.md"),
        ("홍차는 어떻게 우리나요?", "ko/tea.md"),
    ],
)
def test_every_mode_finds_the_page(saem: Workspace, mode: Mode, query: str, expected: str) -> None:
    assert paths(saem, query, mode)[0] == expected


def test_hits_carry_ranks_scores_of_legs_and_matched_spans(saem: Workspace) -> None:
    result = saem.searcher().search("black tea", top_k=3)
    assert result.mode == "hybrid"
    assert result.warnings == ()
    assert [h.rank for h in result.hits] == [1, 2, 3]
    assert [h.score for h in result.hits] == sorted((h.score for h in result.hits), reverse=True)
    best = result.hits[0]
    assert best.chunk.path == "en/tea.md"
    assert set(best.scores) == {"bm25", "dense"}
    assert {best.chunk.text[a:b].lower() for a, b in best.matches} >= {"black", "tea"}


def test_a_passage_is_its_document_between_its_offsets(saem: Workspace) -> None:
    for hit in saem.searcher().search("tea origin 열쇠 출처", top_k=50).hits:
        text = saem.collection().text(hit.chunk.document, hit.chunk.version)
        assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text


def test_the_weight_moves_the_fusion_between_its_legs(saem: Workspace) -> None:
    def order(weight: float) -> list[str]:
        settings = saem.settings.replace(dense_weight=weight)
        searcher = Searcher(saem.collection(), saem.encoder(), settings)
        return [
            h.chunk.id for h in searcher.search("origins allowed by a star", mode="hybrid").hits
        ]

    def leg(mode: Mode) -> list[str]:
        hits = saem.searcher().search("origins allowed by a star", mode=mode).hits
        return [h.chunk.id for h in hits]

    lexical = leg("bm25")
    assert order(0.0)[: len(lexical)] == lexical
    assert order(1.0)[0] == leg("dense")[0]


def test_filters_hold_in_both_legs(saem: Workspace) -> None:
    for mode in ("bm25", "dense", "hybrid"):
        found = paths(saem, "origin API 출처 tea 차", mode, filter=Filter({"language": ("ko",)}))
        assert found
        assert set(found) <= {"ko/cors.md", "ko/tea.md", "notes.txt"}
    assert set(paths(saem, "tea", filter=Filter(path="en/*"))) == {"en/cors.md", "en/tea.md"}


def test_without_an_encoder_hybrid_is_lexical_and_says_so(saem: Workspace) -> None:
    searcher = Searcher(saem.collection(), None, saem.settings, lacking="no weights here")
    result = searcher.search("black tea")
    assert result.mode == "bm25"
    assert result.hits[0].chunk.path == "en/tea.md"
    assert result.warnings == ("searched without vectors: no weights here",)
    with pytest.raises(ConfigError, match="no weights here"):
        searcher.search("black tea", mode="dense")


def test_passages_without_vectors_are_counted(saem: Workspace, folder: Path) -> None:
    (folder / "new.md").write_text("# Coffee\n\nEspresso is strong.")
    docs.index(saem, folder, vectors=False)
    result = saem.searcher().search("espresso")
    assert result.hits[0].chunk.path == "new.md"
    assert result.warnings == (f"1 of {saem.collection().count()} passages have no vector yet",)


def test_with_no_vectors_at_all_hybrid_is_lexical(tmp_path: Path, folder: Path) -> None:
    fresh = Workspace(docs.settings(tmp_path / "fresh"))
    docs.index(fresh, folder, vectors=False)
    result = fresh.searcher().search("black tea")
    assert (result.mode, result.hits[0].chunk.path) == ("bm25", "en/tea.md")
    assert "no vector yet" in result.warnings[0]


def test_an_encoder_that_fails_leaves_the_lexical_side(saem: Workspace) -> None:
    encoder = saem.encoder()
    assert encoder is not None

    class Down:
        name, fingerprint, dim = encoder.name, encoder.fingerprint, encoder.dim
        passages = encoder.passages

        def query(self, text: str) -> NDArray[np.float32]:
            raise LLMUnavailable("http://encoder.example", "refused", "encoder")

    searcher = Searcher(saem.collection(), Down(), saem.settings)
    result = searcher.search("black tea", top_k=1)
    assert (result.mode, [h.chunk.path for h in result.hits]) == ("bm25", ["en/tea.md"])
    assert "the encoder at http://encoder.example is not usable: refused" in result.warnings[0]
    with pytest.raises(LLMUnavailable):
        searcher.search("black tea", mode="dense")


def test_another_encoder_than_the_collections_is_refused(saem: Workspace) -> None:
    encoder = saem.encoder()
    assert encoder is not None

    class Other:
        name, fingerprint, dim = "other", "other/1", encoder.dim
        passages, query = encoder.passages, encoder.query

    with pytest.raises(IncompatibleIndex, match="encoder"):
        Searcher(saem.collection(), Other(), saem.settings)


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("  \n", {}, "empty"),
        ("x" * 100_000, {}, r"100,000 characters, the limit is 4,000"),
        ("tea", {"top_k": 0}, "top_k"),
        ("tea", {"top_k": 1001}, "top_k"),
        ("tea", {"mode": "magic"}, "mode must be one of bm25, tfidf, dense, hybrid, not 'magic'"),
    ],
)
def test_bad_queries(saem: Workspace, query: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(BadQuery, match=message):
        saem.searcher().search(query, **options)


def test_a_query_without_terms_finds_nothing_lexically(saem: Workspace) -> None:
    assert saem.searcher().search("?!…", mode="bm25").hits == ()


def test_a_passage_is_fresh_only_while_it_has_no_vector(saem: Workspace, folder: Path) -> None:
    text = "# Long\n\n" + "Sentence about zebras. " * 90 + "\n\n# End\n\nOld end of it.\n"
    (folder / "long.md").write_text(text)
    docs.index(saem, folder, vectors=False)
    (folder / "long.md").write_text(text.replace("Old", "New"))
    saem.index(folder)
    ids = [h.chunk.id for h in saem.searcher().search("zebras", mode="bm25").hits]
    assert ids
    assert saem.collection().without_vector(ids) == []
    assert max(h.score for h in saem.searcher().search("sentence about zebras").hits) <= 1.0
