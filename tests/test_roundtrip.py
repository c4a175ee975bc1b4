"""Which made-up questions are worth asking: those found again, and not asked before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.draft import Draft, Kind
from eval.roundtrip import Asked, RoundTrip, jaccard, normalized, substance
from rag import analysis
from rag.index import Collection
from rag.search import Searcher
from rag.settings import Settings
from rag.types import Chunk
from tests.support.corpus import row

TEA = "Green tea is brewed at 80 degrees.\n\nBlack tea needs boiling water."
LAMPS = "\n\n".join(f"Lamp number {n} burns oil in harbour {n}." for n in range(30))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection(tmp_path_factory.mktemp("roundtrip") / "c", create=True)
    korean = row("ko.md", "녹차는 80도에서 우립니다.", language="ko")
    made.upsert([row("tea.md", TEA), row("lamps.md", LAMPS), korean])
    return made


def passages(collection: Collection, path: str) -> list[Chunk]:
    [known] = [d for d in collection.documents() if d.path == path]
    return collection.passages(known.id)


def fault(collection: Collection, text: str, *sources: Chunk, kind: Kind = "single") -> str:
    searcher = Searcher(collection, None, Settings(max_query_chars=200))
    return RoundTrip(searcher).fault(Draft(text, kind, "cloze", "en", sources))


def test_a_question_is_kept_if_its_source_is_found(collection: Collection) -> None:
    green, black = passages(collection, "tea.md")
    assert fault(collection, "How hot is green tea brewed?", green) == ""
    assert fault(collection, "Which vessel carries cargo?", green) == "not found again"
    assert fault(collection, "How are green and boiling tea made?", green, black) == ""
    assert fault(collection, "80 degrees", green, black) == "not found again"


def test_a_source_below_the_first_twenty_does_not_count(collection: Collection) -> None:
    lamps = passages(collection, "lamps.md")
    found = [fault(collection, "burns oil", lamp) for lamp in lamps]
    assert found.count("") == 20
    assert found.count("not found again") == 10


def test_part_of_the_source_stands_for_it(collection: Collection) -> None:
    green, black = passages(collection, "tea.md")
    both = Chunk(green.document, green.version, 9, green.start, black.end, TEA, "tea.md", "")
    assert fault(collection, "80 degrees", both) == ""
    elsewhere = Chunk("x", "v", 0, green.start, green.end, green.text, "other.md", "")
    assert fault(collection, "80 degrees", elsewhere) == "not found again"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is green tea brewed at?", "answered elsewhere"),
        ("What is green tea brewed at in a harbour?", ""),
        ("녹차는 무엇인가요?", "answered elsewhere"),
        ("녹차는 왜곡되나요?", ""),
        ("What is it?", "too short"),
    ],
)
def test_an_unanswerable_question_must_ask_for_something_that_no_passage_has(
    collection: Collection, question: str, expected: str
) -> None:
    assert fault(collection, question, kind="unanswerable") == expected


def test_a_question_that_search_would_refuse_is_dropped(collection: Collection) -> None:
    assert fault(collection, "green tea " * 30, passages(collection, "tea.md")[0]) == "too long"


def test_words_that_only_ask_are_no_substance() -> None:
    assert substance("What is there to know about wildcards in CORS?") == {"wildcard", "cor"}
    assert substance("각 ___에 들어갈 말은?") == {"에"}
    assert substance("몇 도에서 우리나요?") >= {"도에", "에서"}


def test_the_same_question_is_asked_once(collection: Collection) -> None:
    asked = Asked(collection)
    assert asked.fault("How hot is green tea?") == ""
    assert asked.fault("how hot is GREEN tea") == "asked before"
    assert asked.fault("How hot is the green tea?") == "nearly asked before"
    assert asked.fault("How hot is black tea?") == ""
    assert asked.fault("녹차는 몇 도인가요?") == ""
    assert asked.fault("녹차는  몇 도인가요") == "asked before"


words = st.lists(
    st.sampled_from(["green", "tea", "lamp", "oil", "harbour", "zinc", "80", "moss"]), max_size=8
)


@given(st.lists(words, max_size=12))
def test_near_duplicates_are_those_that_comparing_all_pairs_finds(
    collection: Collection, lists: list[list[str]]
) -> None:
    asked = Asked(collection)
    kept: list[tuple[str, frozenset[str]]] = []
    for text in map(" ".join, lists):
        terms = frozenset(analysis.terms(text))
        if any(normalized(text) == normalized(other) for other, _ in kept):
            expected = "asked before"
        elif any(jaccard(terms, other) >= 0.8 for _, other in kept):
            expected = "nearly asked before"
        else:
            expected = ""
            kept.append((text, terms))
        assert asked.fault(text) == expected
