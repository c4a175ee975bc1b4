"""Many texts at once: the terms and places of each text alone, and tables that stay small."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.analysis import Analyser, batch, is_morpheme, spans
from rag.analysis.batch import Batch, analyse_batch
from rag.analysis.stopwords import STOP_WORDS

FULL = Analyser()
positions = FULL.positions

# Words, names, marks after letters and after none, jamo in and out of place, sound marks, breaks.
PIECES = st.sampled_from(
    [
        *("the", "Running", "cats", "parseFile", "HTTPServer", "a_b", "__init__", "_", "42", "A"),
        *("é", "e\u0301", "\u0301", "\u0345", "Straße", "ﬁle", "ＡＢＣ", "Я", "°", "\u0915\u093f"),
        *("한국어", "책", "ᄀ", "ᅡ", "ᆨ", "ᄒ\u1161\u11ab", "ㄱ", "漢字", "カ\u3099", "\u309a", "ー"),
        *(
            "물었던",
            "예뻤다",
            "으로",
            "大韓民國",
            "1",
            "2.5",
            ",",
            "IL-6",
            "Häuser sind nicht groß ",
        ),
        *(
            "\U00020000",
            "\ud800",
            "\udfff",
            "\U0010ffff",
            "\x00",
            "\u200d",
            " ",
            "\n",
            ".",
            "-",
            "'",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=12)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Tests begin and end without remembered words."""
    batch._idle.cache_clear()
    yield
    batch._idle.cache_clear()


def placed(found: Batch) -> list[list[tuple[str, int]]]:
    """The terms of each text with their places."""
    out, start = [], 0
    for end in found.ends.tolist():
        ids, places = found.ids[start:end].tolist(), found.positions[start:end].tolist()
        out.append([(found.vocabulary[n], at) for n, at in zip(ids, places, strict=True)])
        start = end
    assert start == len(found.ids) == len(found.positions)
    return out


def alone(texts: Sequence[str]) -> list[list[tuple[str, int]]]:
    return [positions(text) for text in texts]


PLACES = [
    ("", []),
    ("The cats are running", [("cat", 1), ("run", 3)]),
    ("call parseFile now", [("call", 0), ("parsefil", 1), ("pars", 1), ("file", 1), ("now", 2)]),
    (
        "한국어 검색",
        [("~한국", 0), ("~어", 1), ("한국", 0), ("국어", 1), ("~검색", 2), ("검색", 2)],
    ),
    ("책 of Python으로", [("~책", 0), ("책", 0), ("python", 2), ("으로", 3)]),
    ("묻는다 the end", [("~묻", 0), ("묻는", 0), ("는다", 1), ("end", 3)]),
    ("日本말", [("~일본", 0), ("日本", 0), ("~말", 1), ("本말", 1)]),
    (
        "日本文字集말",
        [("日本", 0), ("本文", 1), ("文字", 2), ("字集", 3), ("~말", 4), ("集말", 4)],
    ),
    (
        "책과 漢字 v1.2",
        [
            ("~책", 0),
            ("책과", 0),
            ("~한자", 1),
            ("漢字", 1),
            ("v1.2", 2),
            ("v1", 2),
            ("v", 2),
            ("1", 2),
            ("2", 2),
        ],
    ),
    ("___ x", [("x", 1)]),
    ("the_a_Fox가 fox", [("the_a_fox", 0), ("fox", 0), ("가", 1), ("fox", 2)]),
]


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_places_of_one_text(text: str, expected: list[tuple[str, int]]) -> None:
    assert positions(text) == expected


def test_texts_of_a_batch_by_value() -> None:
    assert placed(analyse_batch([text for text, _ in PLACES])) == [want for _, want in PLACES]


def test_the_arrays_of_a_batch() -> None:
    found = analyse_batch(["run cats", "", "the cat runs 책"])
    assert found.vocabulary == ["run", "cat", "~책", "책"]
    assert found.ids.tolist() == [0, 1, 1, 0, 2, 3]
    assert found.positions.tolist() == [0, 1, 1, 2, 3, 3]
    assert found.ends.tolist() == [2, 2, 6]
    arrays = found.ids, found.positions, found.ends
    assert [str(array.dtype) for array in arrays] == ["uint32", "uint32", "int64"]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" \n", "the of"]])
def test_no_terms(texts: list[str]) -> None:
    found = analyse_batch(texts)
    assert found.vocabulary == []
    assert found.ids.size == found.positions.size == 0
    assert found.ends.tolist() == [0] * len(texts)


@given(st.lists(TEXTS, max_size=8))
@settings(max_examples=300)
def test_terms_and_places_are_those_of_each_text_alone(texts: list[str]) -> None:
    found = analyse_batch(texts)
    assert placed(found) == alone(texts)
    assert [[term for term, _ in text] for text in placed(found)] == list(map(FULL.terms, texts))
    assert len(set(found.vocabulary)) == len(found.vocabulary)
    assert set(found.ids.tolist()) == set(range(len(found.vocabulary)))
    for text in placed(found):
        for family in (True, False):
            places = [at for term, at in text if is_morpheme(term) == family]
            assert places == sorted(places)
        assert not text or text[-1][1] == max(at for _, at in text)


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["en", "de", "ko", "ja"])), max_size=8))
@settings(max_examples=200)
def test_each_text_is_analysed_in_its_own_language(texts: list[tuple[str, str]]) -> None:
    found = analyse_batch([text for text, _ in texts], [language for _, language in texts])
    assert placed(found) == [positions(*text) for text in texts]


@pytest.mark.parametrize("analyser", [Analyser("bigrams"), Analyser(words=("국어의", "물었"))])
def test_analysers_do_not_mix(analyser: Analyser) -> None:
    texts = ["한국어의 책을 물었던 大韓民國", "국어의 the end"]
    for one in (analyser, FULL, analyser):
        assert placed(one.batch(texts)) == [one.positions(text) for text in texts]


def test_every_kind_of_character_ends_or_continues_a_word_alike() -> None:
    code_points = [*range(0x3400), *range(0x3400, sys.maxunicode + 1, 61)]
    texts = [f"x{chr(c)}y 가{chr(c)}나 {chr(c)}{chr(c)}" for c in code_points]
    assert placed(analyse_batch(texts)) == alone(texts)


def test_jamo_and_sound_marks_join_only_where_they_can() -> None:
    edges = "\u10ff\u1100\u115f\u1160\u11a7\u11a8\u11ff\u1200\u3098\u3099\u309a\u309b가"
    texts = ["".join(characters) for characters in product(edges, repeat=4)]
    assert placed(analyse_batch(texts)) == alone(texts)


@pytest.mark.parametrize("other", ["wor", "words", "word", "wort", "ward", "Word"])
def test_one_hash_is_not_one_word(other: str) -> None:
    known, sought = (np.frombuffer(w.encode("utf-32-le"), np.uint32) for w in ("word", other))
    edges = np.array([0]), np.array([4])
    kinds = np.array([spans.WORD], np.uint8)
    _, (slots, hashes, starts, codes, what, count, _) = spans.number(
        known, *edges, kinds, spans.empty()
    )
    assert not slots[spans.find(slots, starts, codes, what, hashes[0], known, spans.STRETCH)]
    at = spans.find(slots, starts, codes, what, hashes[0], sought, spans.WORD)
    assert count == 1
    assert bool(slots[at]) == (other == "word")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "가나다" * 100_000,
        "e" + "\u0301" * 100_000,
        "aB_cD" * 10_000,
        "a\x00b\x00가\x00나",
        "a\ud800b 가\udfff나",
        "".join(sorted(STOP_WORDS["en"])) + " ".join(sorted(STOP_WORDS["en"])),
    ],
    ids=["long word", "long run", "marks", "parts", "NUL", "surrogates", "stop words"],
)
def test_odd_texts(text: str) -> None:
    assert placed(analyse_batch(["before", text, "after"])) == alone(["before", text, "after"])


def test_decomposed_text_is_the_composed_text() -> None:
    texts = ["한국어 검색", "naïve café", "ガラスのパン", "값없이 닭"]
    found = analyse_batch([unicodedata.normalize("NFD", text) for text in texts])
    assert placed(found) == alone(texts)


def many(begin: int, end: int) -> list[str]:
    """Texts of many different words and bigrams."""
    return [
        f"word{n} Name{n}Of x{n % 7}y {chr(0xAC00 + n)}{chr(0x4E00 + n)}" for n in range(begin, end)
    ]


def test_numbers_hold_while_the_tables_grow() -> None:
    """More words than the tables begin with, in one batch and over several."""
    assert placed(analyse_batch(many(0, 5000))) == alone(many(0, 5000))
    assert placed(analyse_batch(many(2500, 9000))) == alone(many(2500, 9000))
    assert placed(analyse_batch(many(0, 100))) == alone(many(0, 100))


def test_words_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    analyse_batch(many(0, 100))
    remembered = batch._idle(FULL)[0]
    size = remembered.size
    analyse_batch(many(0, 100))
    assert [*batch._idle(FULL)] == [remembered]
    assert remembered.size == size
    monkeypatch.setattr(batch, "_REMEMBERED", size)
    assert placed(analyse_batch(many(50, 200))) == alone(many(50, 200))
    assert not batch._idle(FULL), "more than the bound: the next batch begins anew"
    assert placed(analyse_batch(many(50, 100))) == alone(many(50, 100))


def test_threads_do_not_mix() -> None:
    jobs = [many(n, n + 1500) for n in range(0, 4000, 500)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(analyse_batch, jobs))
    assert [placed(f) for f in found] == [alone(texts) for texts in jobs]
    assert len(batch._idle(FULL)) <= 2


def test_what_is_no_text_is_refused_and_leaves_no_trace() -> None:
    with pytest.raises(TypeError):
        analyse_batch(["fine", 3])  # type: ignore[list-item]
    assert placed(analyse_batch(["fine"])) == alone(["fine"])
