"""Rerankers: how they are applied within a time, and what settings name."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.encode.hashing import HashingEncoder
from rag.errors import ConfigError, DependencyMissing, LLMUnavailable, ModelMissing
from rag.search.fuse import Scored
from rag.search.rerankers import OutOfTime, apply, load_reranker
from rag.search.rerankers.base import check
from rag.search.rerankers.late import Late, maxsim
from rag.settings import Settings
from rag.types import Chunk
from tests.support.corpus import chunks, document

PASSAGES = {c.id: c for c in chunks(document("a", "red\n\ngreen tea\n\nblue\n\n녹차"))}
IDS = list(PASSAGES)
ORDER: Scored = [(id_, 4.0 - i) for i, id_ in enumerate(IDS)]


@dataclass
class Given:
    """A reranker that says what it is told to."""

    found: list[float] = field(default_factory=list)
    error: Exception | None = None
    wait: threading.Event | None = None
    name: str = "given"
    share: float = 1.0
    seen: list[tuple[str, list[str]]] = field(default_factory=list)

    def scores(self, query: str, passages: Sequence[Chunk], until: float) -> list[float]:
        self.seen.append((query, [c.id for c in passages]))
        if self.wait:
            self.wait.wait(60)
        if self.error:
            raise self.error
        return self.found


def until_idle() -> None:
    """Wait for all that was left to itself."""
    for thread in threading.enumerate():
        if thread.name == "rerank":
            thread.join(60)


class TestApplying:
    def test_the_first_are_sorted_and_the_rest_is_below(self) -> None:
        given = Given([-7.0, 5.0, 1.0])
        found, warning = apply(ORDER, PASSAGES, "tea?", given, 60, 3)
        assert warning == ""
        assert found == [(IDS[1], 5.0), (IDS[2], 1.0), (IDS[0], -7.0), (IDS[3], -7.0)]
        assert given.seen == [("tea?", IDS[:3])]

    def test_one_with_a_share_is_added_to_the_order_before(self) -> None:
        given = Given([0.0, 5.0, 10.0], share=0.25)
        found, _ = apply(ORDER, PASSAGES, "q", given, 60, 3)
        before, now = (1.0, 0.5, 0.0), (0.0, 0.5, 1.0)
        scores = [0.75 * b + 0.25 * n for b, n in zip(before, now, strict=True)]
        assert found == [*zip(IDS[:3], scores, strict=True), (IDS[3], 0.25)]

    def test_what_is_gone_is_left_out(self) -> None:
        left = {id_: PASSAGES[id_] for id_ in IDS[1:]}
        found, _ = apply(ORDER, left, "q", Given([1.0, 2.0]), 60, 3)
        assert [id_ for id_, _ in found] == [IDS[2], IDS[1], IDS[3]]

    def test_equal_scores_are_sorted_by_id(self) -> None:
        found, _ = apply(ORDER, PASSAGES, "q", Given([1.0] * 4), 60, 9)
        assert [id_ for id_, _ in found] == sorted(IDS)

    def test_nothing_found_asks_nobody(self) -> None:
        given = Given()
        assert apply([], {}, "q", given, 60, 9) == ([], "")
        assert given.seen == []

    def test_one_that_hangs_leaves_the_order_and_says_so(self) -> None:
        over = threading.Event()
        found, warning = apply(ORDER, PASSAGES, "q", Given([1.0] * 4, wait=over), 0.05, 4)
        over.set()
        until_idle()
        assert found == ORDER
        assert warning == (
            "reranking by given ran out of time (0.05 s); the order is the one before"
        )

    def test_many_that_hang_hold_up_nobody(self) -> None:
        over = threading.Event()
        hanging = Given([1.0] * 4, wait=over)
        found = [apply(ORDER, PASSAGES, "q", hanging, 0.01, 4) for _ in range(40)]
        over.set()
        assert [order for order, _ in found] == [ORDER] * 40
        assert all("ran out of time" in warning for _, warning in found)
        until_idle()
        assert len(hanging.seen) == 32  # the others were not even begun
        again, _ = apply(ORDER, PASSAGES, "q", Given([1.0] * 4), 60, 4)
        assert [id_ for id_, _ in again] == sorted(IDS)

    def test_one_that_looks_at_the_time_says_so(self) -> None:
        assert "ran out" in apply(ORDER, PASSAGES, "q", Given(error=OutOfTime()), 60, 4)[1]
        check(time.monotonic() + 60)
        with pytest.raises(OutOfTime):
            check(time.monotonic() - 1)

    def test_one_that_fails_leaves_the_order_and_says_why(self) -> None:
        broken = Given(error=LLMUnavailable("http://there/v1", "refused"))
        found, warning = apply(ORDER, PASSAGES, "q", broken, 60, 4)
        assert found == ORDER
        assert warning.startswith("not reranked by given: the language model at http://there/v1")

    def test_a_score_that_is_no_number_is_none(self) -> None:
        found, warning = apply(ORDER, PASSAGES, "q", Given([1.0, float("nan"), 2.0, 3.0]), 60, 4)
        assert found == ORDER
        assert "reranker given: gave a score that is no number" in warning

    def test_a_mistake_of_ours_is_raised(self) -> None:
        with pytest.raises(ZeroDivisionError):
            apply(ORDER, PASSAGES, "q", Given(error=ZeroDivisionError()), 60, 4)


class Letters:
    """Token vectors: one axis a letter."""

    fingerprint = name = "letters"
    dim = 26

    def tokens(self, texts: Sequence[str], *, question: bool = False) -> list[NDArray[np.float32]]:
        eye = np.eye(26, dtype=np.float32)
        return [eye[[ord(c) - ord("a") for c in t.lower() if "a" <= c <= "z"]] for t in texts]


class TestLate:
    def test_maxsim_is_the_mean_of_each_question_token_s_best(self) -> None:
        asked = np.array([[1, 0], [0, 1]], np.float32)
        passage = np.array([[0.6, 0.8], [1, 0], [-1, 0]], np.float32)
        assert maxsim(asked, passage) == pytest.approx((1 + 0.8) / 2)

    def test_passages_are_scored_in_their_order(self) -> None:
        passages = chunks(document("b", "tea\n\nxyz\n\neat\n\npot\n\ntap\n\nred"))
        found = Late(Letters()).scores("tea", passages, time.monotonic() + 60)
        assert found == pytest.approx([1, 0, 1, 1 / 3, 2 / 3, 1 / 3])

    def test_it_looks_at_the_time(self) -> None:
        with pytest.raises(OutOfTime):
            Late(Letters()).scores("tea", list(PASSAGES.values()), time.monotonic() - 1)


class TestSettings:
    def load(self, **values: object) -> object:
        return load_reranker(Settings(**values), HashingEncoder(), None)

    @pytest.mark.parametrize("rerank", ["none", "linear"])
    def test_none(self, rerank: str) -> None:
        assert self.load(rerank=rerank) is None

    def test_late_takes_the_encoder_s_tokens(self) -> None:
        found = load_reranker(Settings(rerank="late"), Letters(), None)
        assert found is not None
        assert found.name == "late"

    def test_late_without_token_vectors(self) -> None:
        with pytest.raises(ConfigError, match="and the encoder 'hashing' has none") as e:
            self.load(rerank="late")
        assert "rerank_model" in e.value.remedy
        with pytest.raises(ConfigError, match="and there is no encoder"):
            load_reranker(Settings(rerank="late"), None, None)

    def test_late_by_a_model_of_its_own(self) -> None:
        with pytest.raises(ModelMissing, match="nobody/nothing"):
            self.load(rerank="late", rerank_model="nobody/nothing")

    def test_listwise(self) -> None:
        found = load_reranker(Settings(rerank="listwise"), None, lambda *_: "")
        assert found is not None
        assert found.name == "listwise"
        with pytest.raises(ConfigError, match="needs a language model"):
            self.load(rerank="listwise")

    def test_a_cross_encoder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cross-encoder needs a model") as none:
            self.load(rerank="cross-encoder")
        assert "Set rerank_model" in none.value.remedy
        with pytest.raises(ModelMissing, match="nobody/nothing") as missing:
            self.load(rerank="cross-encoder", rerank_model="nobody/nothing")
        assert "`rerank_model`" in missing.value.remedy
        with pytest.raises(ModelMissing, match=r"holds no modules\.json or config\.json"):
            self.load(rerank="cross-encoder", rerank_model=str(tmp_path))

    def test_without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rag.search.rerankers.load.find_spec", lambda _name: None)
        with pytest.raises(DependencyMissing, match=r"saem\[torch\]"):
            self.load(rerank="cross-encoder", rerank_model="any/model")
