"""Searches over passages in several languages, and in Korean, as people ask them."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.chunk import whole
from indexer.rows import make_rows
from rag.analysis import Analyser
from rag.index import Collection, Stat
from rag.search import Searcher, languages
from rag.search.explain import explain
from rag.settings import Settings
from rag.types import Document

PAGES = {
    "de": "Die Häuser am Fluss sind alt, und der Turm daneben wurde im Krieg zerstört.",
    "fr": "Les maisons du village sont vieilles, et la tour a été détruite pendant la guerre.",
    "en": "The houses by the river are old, and the tower was destroyed during the war.",
    "ru": "Дома у реки старые, а башня была разрушена во время войны.",
    "ko/book": "도서관에서 책을 빌렸다. 그 책은 검색엔진을 만드는 방법을 알려 준다.",
    "ko/law": "大韓民國의 헌법은 국민의 권리를 정한다. 법률은 그 아래에 있다.",
    "ko/question": "아이가 선생님께 길을 물었던 이야기이다. 물은 나오지 않는다.",
}


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    return made(tmp_path, Settings(encoder="none", mode="bm25", home=tmp_path))


def made(folder: Path, settings: Settings) -> Searcher:
    analyser = Analyser(settings.korean, words=settings.words)
    collection = Collection(folder / "c", create=True)
    collection.ensure("analyser", analyser.fingerprint)
    documents = [(Document(path, path, "", text), Stat()) for path, text in PAGES.items()]
    collection.upsert(make_rows(documents, whole, analyser))
    return Searcher(collection, None, settings)


def first(searcher: Searcher, query: str) -> str:
    return next((hit.chunk.path for hit in searcher.search(query).hits), "")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("Haus", "de"),
        ("alte Häuser", "de"),
        ("maison", "fr"),
        ("vieille maison détruite", "fr"),
        ("house", "en"),
        ("destroying towers", "en"),
        ("дом", "ru"),
        ("책", "ko/book"),
        ("책이 있나요", "ko/book"),
        ("검색 엔진 만들기", "ko/book"),
        ("대한민국 헌법", "ko/law"),
        ("憲法", "ko/law"),
        ("길을 묻다", "ko/question"),
        ("+책 방법", "ko/book"),
        ('"Haus am Fluss"', "de"),
        ("+Haus Turm", "de"),
    ],
)
def test_a_word_finds_its_other_forms(searcher: Searcher, query: str, path: str) -> None:
    assert first(searcher, query) == path


def test_a_word_of_one_syllable_can_be_excluded(searcher: Searcher) -> None:
    found = {hit.chunk.path for hit in searcher.search("방법 헌법 이야기 -책").hits}
    assert found == {"ko/law", "ko/question"}


def test_matches_show_the_form_in_the_text(searcher: Searcher) -> None:
    (hit,) = searcher.search("Haus").hits
    assert [hit.chunk.text[start:end] for start, end in hit.matches] == ["Häuser"]
    hit = searcher.search("길을 묻다").hits[0]
    assert "물" in [hit.chunk.text[start:end] for start, end in hit.matches]


def test_an_explanation_names_words_as_people_write_them(searcher: Searcher) -> None:
    explained = explain(searcher, "대한민국 헌법 이야기", "ko/question")
    assert "~" not in explained.why + "".join(stage.why for stage in explained.stages)
    for shares in (explained.terms, explained.first_terms):
        assert [" ".join(share.words) for share in shares].count("헌법") == 2  # word and bigram
        assert not any("~" in word for share in shares for word in share.words)


def test_a_morpheme_scores_by_its_weight(searcher: Searcher) -> None:
    """No passage has the bigram."""

    def best(weight: float) -> float:
        other = Searcher(
            searcher.collection, None, searcher.settings.replace(morpheme_weight=weight)
        )
        return next((hit.score for hit in other.search("물을").hits), 0.0)

    assert best(0.5) > 0
    assert best(1.0) == pytest.approx(2 * best(0.5))
    assert best(0.0) == 0


def test_user_words_are_found_in_running_text(tmp_path: Path) -> None:
    settings = Settings(encoder="none", mode="bm25", home=tmp_path, words=("색엔",))
    searcher = made(tmp_path, settings)
    assert "~색엔" in searcher.parse("검색엔진").terms
    assert first(searcher, "색엔") == "ko/book"


class TestStopWords:
    """Passages in one language have words that tell nothing in another."""

    def test_of_the_questions_own_language_are_not_asked(self, searcher: Searcher) -> None:
        for question in ("when could the houses", "Houses? What did they do?"):
            ranking = searcher.rank(question)
            assert ranking.terms == ["hous"]
            assert ranking.matched.words == ["hous"]
            assert ranking.corrected == {}

    def test_alone_are_asked_where_they_are_none_and_never_corrected(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        band = "Die Gruppe The Who spielte gestern in der Stadt, und das Konzert war sehr laut."
        monkeypatch.setitem(PAGES, "de/band", band)
        searcher = made(tmp_path, Settings(encoder="none", mode="bm25", home=tmp_path))
        assert first(searcher, "The Who") == "de/band"
        ranking = searcher.rank("did who when")
        assert ranking.matched.words == ["did", "who", "when"]
        assert ranking.corrected == {}


def test_a_rare_language_is_the_questions_own_or_none(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = searcher.collection
    assert languages.spoken(collection, "the houses") == ["de", "fr", "ru"]
    monkeypatch.setattr(languages, "_RARE", 0.0)
    assert languages.spoken(collection, "the houses by the river") == []
    assert languages.spoken(collection, "Wo sind die alten Häuser am Fluss?") == ["de"]
    assert first(searcher, "Wo sind die alten Häuser?") == "de"
