"""The last steps of a ranking over a real collection, each as settings ask for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag.errors import ConfigError
from rag.index import Collection
from rag.search.arranger import Arranger
from rag.search.fuse import Scored
from rag.settings import Settings
from tests.support.corpus import document, encode, row

TODAY = datetime.now(UTC).date()


@pytest.fixture
def filled(collection: Collection) -> Collection:
    old = {"date": str(TODAY - timedelta(days=100))}
    new = {"date": str(TODAY)}
    collection.upsert(
        [
            row("guide/a", "green tea pot\n\ngreen tea cup", metadata=old),
            row("b", "green tea pot", metadata=new),
            row("ko", "홍차와 녹차", language="ko", metadata=old),
        ]
    )
    return collection


def order(collection: Collection) -> Scored:
    """The passages a1, a2, b and ko, best first."""
    found = [c for p in ("guide/a", "b", "ko") for c in collection.passages(document(p, "").id)]
    return [(c.id, 1.0 - i / 4) for i, c in enumerate(found)]


def names(collection: Collection, found: Scored) -> list[str]:
    known = dict(zip([i for i, _ in order(collection)], ["a1", "a2", "b", "ko"], strict=True))
    return [known[id_] for id_, _ in found]


def test_nothing_is_asked_for_by_default(filled: Collection) -> None:
    plain = Arranger(Settings())
    assert not plain.wanted
    assert plain(order(filled), filled, 10) == {}


def test_boosts_and_recency_are_one_stage(filled: Collection) -> None:
    arrange = Arranger(Settings(boosts=("language=ko: 8", "path=guide/*: 0"), recency_days=100))
    assert arrange.wanted
    found = arrange(order(filled), filled, 10)
    assert list(found) == ["boosted"]
    assert names(filled, found["boosted"])[:2] == ["ko", "b"]
    assert [score for _, score in found["boosted"]] == pytest.approx([1, 0.5, 0, 0])


def test_few_passages_of_a_document(filled: Collection) -> None:
    found = Arranger(Settings(per_document=1))(order(filled), filled, 10)
    assert {name: names(filled, o) for name, o in found.items()} == {
        "diversified": ["a1", "b", "ko"]
    }


@pytest.mark.parametrize("vectors", [True, False])
def test_a_copy_stands_behind_the_others(filled: Collection, *, vectors: bool) -> None:
    if vectors:
        encode(filled)
    found = Arranger(Settings(diversity=0.7))(order(filled), filled, 10)
    assert list(found) == ["diversified"]
    assert names(filled, found["diversified"])[0] == "a1"
    assert names(filled, found["diversified"])[-1] == "b"  # says what a1 says
    assert [s for _, s in found["diversified"]][-1] == pytest.approx(0.3 / 3 - 0.7, abs=1e-3)


def test_all_steps_follow_each_other(filled: Collection) -> None:
    settings = Settings(boosts=("path=b: 3",), per_document=1, diversity=0.9)
    found = Arranger(settings)(order(filled), filled, 10)
    assert list(found) == ["boosted", "diversified"]
    assert names(filled, found["diversified"]) == ["b", "ko", "a1"]


def test_a_boost_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="'language:ko' is no boost"):
        Arranger(Settings(boosts=("language:ko",)))
