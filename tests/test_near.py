"""MinHash against Jaccard's coefficient itself, and what never counts as the same."""

from __future__ import annotations

import random
import sqlite3

import numpy as np
import pytest

from indexer.near import Near, Sketch
from rag.types import Document


def document(text: str, *groups: str) -> Document:
    return Document("u", "p", "", text, groups=groups)


def words(n: int, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("abcdefghij", k=6)) for _ in range(n)]


def jaccard(a: list[str], b: list[str]) -> float:
    one, other = ({tuple(x[i : i + 3]) for i in range(len(x) - 2)} for x in (a, b))
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("kept", [1.0, 0.95, 0.8, 0.5, 0.0])
def test_the_share_estimates_jaccards_coefficient(kept: float) -> None:
    errors = []
    for seed in range(30):
        a = words(400, seed)
        n = int(len(a) * kept)
        b = a[:n] + words(len(a) - n, seed + 1000)
        share = Sketch.of(document(" ".join(a))).share(Sketch.of(document(" ".join(b))))
        errors.append(share - jaccard(a, b))
    assert np.sqrt(np.mean(np.square(errors))) < 0.06
    assert abs(np.mean(errors)) < 0.03


def test_equal_texts_share_everything_however_short() -> None:
    assert Sketch.of(document("tea")).share(Sketch.of(document("tea"))) == 1


def test_case_and_marks_make_no_difference() -> None:
    a, b = words(50), words(50)
    one, other = " ".join(a), ",  ".join(w.upper() for w in b)
    assert Sketch.of(document(one)).share(Sketch.of(document(other))) == 0.99


def test_texts_whose_numbers_differ_are_never_the_same() -> None:
    text = " ".join(words(500))
    one, other = (Sketch.of(document(f"{text} {year}")) for year in ("2025년", "2026년"))
    assert one.share(other) == 0
    assert (one.minima == other.minima).mean() > 0.9


class TestNear:
    def near(self) -> Near:
        return Near(sqlite3.connect(":memory:"))

    def test_the_nearest_living_one_is_found_before_and_after_writing(self) -> None:
        base = words(300)
        near = self.near()
        texts = {"far": words(300, 5), "near": [*base[:295], *words(5, 9)], "gone": base}
        for uri, text in texts.items():
            near.add(uri, Sketch.of(document(" ".join(text))))
        asked = Sketch.of(document(" ".join(base)))
        for _ in range(2):
            found = near.find(asked, 0.8, {"far", "near"})
            assert found is not None
            assert found[0] == "near"
            assert found[1] == pytest.approx(jaccard(base, texts["near"]), abs=0.12)
            assert near.find(asked, 0.8, {"far", "near", "gone"}) == ("gone", 1.0)
            assert near.find(asked, 0.8, {"far"}) is None
            near.write([])

    def test_what_is_written_anew_counts_as_it_is_now(self) -> None:
        near = self.near()
        old, new = (Sketch.of(document(" ".join(words(100, n)))) for n in (1, 2))
        near.add("u", old)
        near.write([])
        near.add("u", new)
        assert near.find(old, 0.8, {"u"}) is None
        assert near.find(new, 0.8, {"u"}) == ("u", 1.0)
        near.write([])
        assert near.find(old, 0.8, {"u"}) is None
        near.write(["u"])
        assert near.find(new, 0.8, {"u"}) is None

    def test_documents_that_others_may_see_do_not_stand_in(self) -> None:
        near = self.near()
        near.add("u", Sketch.of(document("The same text.", "staff", "board")))
        assert near.find(Sketch.of(document("The same text.")), 0.9, {"u"}) is None
        same = Sketch.of(document("The same text.", "board", "staff"))
        assert near.find(same, 0.9, {"u"}) == ("u", 1.0)

    def test_korean_chinese_and_japanese(self) -> None:
        near = self.near()
        rng = random.Random(3)
        chinese = "".join(chr(rng.randrange(0x4E00, 0x5E00)) for _ in range(500))
        korean = " ".join("".join(chr(rng.randrange(0xAC00, 0xB000)) for _ in range(3))
                          for _ in range(300))  # fmt: skip
        for uri, text in (("zh", chinese), ("ko", korean)):
            near.add(uri, Sketch.of(document(text)))
        for uri, text in (("zh", chinese), ("ko", korean)):
            found = near.find(Sketch.of(document(text[:-4] + "다르다")), 0.9, {"zh", "ko"})
            assert found is not None
            assert found[0] == uri
