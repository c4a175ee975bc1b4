from __future__ import annotations

import pytest

from rag.answer import cues


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Which court did not argue?", True),
        ("It hasn't begun", True),
        ("커피를 마시지 않는다", True),
        ("맛이 없다", True),
        ("안 된다", True),
        ("서울 안내", False),
        ("Nobel noted a knot", False),
        ("커피를 마신다", False),
    ],
)
def test_denials(text: str, denied: bool) -> None:
    assert cues.denies(text) is denied


def test_superlatives_are_told_from_words_that_end_alike() -> None:
    said = "The largest forest and the Most honest test, of 가장 큰 숲"
    assert cues.extremes(said) == {"largest", "most", "가장"}


def test_names_and_numbers_but_no_first_words() -> None:
    text = "When did Ada Byron see 12 ships? It rained in Oslo."
    assert [text[a:b] for a, b in cues.names(text)] == ["Ada", "Byron", "12", "Oslo"]


@pytest.mark.parametrize(
    ("asked", "said", "turned", "undone"),
    [
        ("Who was ranked below it?", "He was ranked above it", 1, 0),
        ("Who was ranked above it?", "He was ranked above it, not below", 0, 0),
        ("What is legal there?", "It is illegal there", 0, 1),
        ("What is disconnected?", "It is connected", 0, 1),
        ("인구가 감소한 도시는?", "도시의 인구가 증가했다", 1, 0),
        ("가장 높은 산은?", "그 산은 가장 낮은 산이다", 1, 0),
        ("가장 높은 산은?", "그 산은 가장 높은 산이다", 0, 0),
    ],
)
def test_opposites(asked: str, said: str, turned: int, undone: int) -> None:
    words = cues.words(asked), cues.words(said)
    assert (cues.turned(*words), cues.undone(*words)) == (turned, undone)
