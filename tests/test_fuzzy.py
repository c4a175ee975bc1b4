"""Near terms and prefixes, against a table of distances written the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.index.fuzzy import Block, Ends, prefixed, reach, similar

WORDS = st.text(alphabet="abcé𝔸ñ", max_size=7)


def packed(words: set[str]) -> tuple[list[str], Block, Ends]:
    """The words as a vocabulary holds them."""
    ordered = sorted(words, key=lambda w: w.encode("utf-8", "surrogatepass"))
    raw = [w.encode("utf-8", "surrogatepass") for w in ordered]
    block = np.frombuffer(b"".join(raw), np.uint8)
    return ordered, block, np.cumsum([len(w) for w in raw], dtype=np.int64)


def distance(a: str, b: str) -> int:
    """Optimal string alignment, the whole table."""
    d = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            d[i, j] = min(
                d[i - 1, j] + 1,
                d[i, j - 1] + 1,
                d[i - 1, j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(a), len(b)]


class TestSimilar:
    @given(st.sets(WORDS, max_size=30), WORDS.filter(bool), st.integers(0, 3), st.integers(1, 40))
    @example({"ca"}, "abc", 2, 5)  # 3 by optimal string alignment, 2 without its restriction
    @example({"ab", "abc", "abcé", "ba"}, "ab", 2, 2)
    def test_as_a_full_table_of_distances(
        self, words: set[str], term: str, most: int, limit: int
    ) -> None:
        ordered, block, ends = packed(words)
        near = [(i, d) for i, w in enumerate(ordered) if (d := distance(w, term)) <= most]
        same = [(i, d) for i, d in near if ordered[i][:1] == term[0]]
        for anywhere, expected in ((False, same), (True, near)):
            expected = sorted(expected, key=lambda x: (x[1], x[0]))[:limit]
            found = similar(block, ends, term, most, limit, anywhere=anywhere)
            assert found == expected

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("goverment", "government"),
            ("recieve", "receive"),
            ("naïvité", "naïveté"),
        ],
    )
    def test_a_slip_of_the_finger(self, typed: str, meant: str) -> None:
        ordered, block, ends = packed({"government", "receive", "naïveté", "garment", "한국"})
        assert similar(block, ends, typed, reach(typed), 5) == [(ordered.index(meant), 1)]

    def test_another_first_character_counts_anywhere(self) -> None:
        ordered, block, ends = packed({"tabloid", "bablets"})
        assert similar(block, ends, "tablets", 3, 5) == [(ordered.index("tabloid"), 3)]
        nearest = similar(block, ends, "tablets", 3, 5, anywhere=True)
        assert nearest == [(ordered.index("bablets"), 1), (ordered.index("tabloid"), 3)]

    def test_a_bigram_is_like_no_other(self) -> None:
        _, block, ends = packed({"한국", "한글"})
        assert similar(block, ends, "한극", 2, 5) == []

    def test_an_empty_vocabulary(self) -> None:
        _, block, ends = packed(set())
        assert similar(block, ends, "word", 2, 5) == []


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("", 0),
        ("ab", 0),
        ("abc", 1),
        ("abcde", 1),
        ("abcdef", 2),
        ("éèê", 1),
        ("2024", 0),
        ("utf8", 1),
        ("한국", 0),
        ("ㅎㅏㄴㄱ", 0),
        ("漢", 0),
    ],
)
def test_reach_grows_with_the_term(term: str, expected: int) -> None:
    assert reach(term) == expected


@given(st.sets(WORDS, max_size=30), WORDS)
@example({"é", "e", "f"}, "é")
def test_prefixed_are_all_that_start_with_it(words: set[str], prefix: str) -> None:
    ordered, block, ends = packed(words)
    found = [ordered[i] for i in prefixed(block, ends, prefix.encode())]
    assert found == [w for w in ordered if w.startswith(prefix)]
