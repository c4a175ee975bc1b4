"""The mean vectors of languages, after every change, are those of what lives."""

from __future__ import annotations

import numpy as np
import pytest

from rag.index import Collection, reader
from tests.support.collections import doc_id
from tests.support.corpus import encode, row, vector


def mean(*texts: str) -> list[float]:
    total = np.mean([vector(text) for text in texts], axis=0)
    return pytest.approx(total.tolist(), abs=1e-5)  # type: ignore[no-any-return]


def found(collection: Collection) -> dict[tuple[str, ...], list[float]]:
    return {key: value.tolist() for key, value in collection.centroids().items()}


@pytest.fixture(autouse=True)
def _two_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_FEW", 2)


def test_as_passages_come_and_go(collection: Collection) -> None:
    assert found(collection) == {}
    collection.upsert([row("a", "one\n\ntwo"), row("b", "하나\n\n둘", language="ko")])
    assert found(collection) == {}
    encode(collection)
    assert found(collection) == {("en",): mean("one", "two"), ("ko",): mean("하나", "둘")}
    collection.upsert([row("c", "three"), row("d", "eins", language="de")])
    assert found(collection)["en",] == mean("one", "two")
    encode(collection)
    everything = mean("one", "two", "three", "하나", "둘", "eins")
    assert found(collection) == {
        ("en",): mean("one", "two", "three"),
        ("ko",): mean("하나", "둘"),
        ("de",): everything,
    }
    collection.upsert([row("a", "two")])
    collection.delete([doc_id("d")])
    assert found(collection) == {("en",): mean("two", "three"), ("ko",): mean("하나", "둘")}
    collection.tidy()
    assert found(collection) == {("en",): mean("two", "three"), ("ko",): mean("하나", "둘")}
    collection.delete([doc_id("b"), doc_id("c")])
    assert found(collection) == {("en",): mean("two")}


def test_a_language_whose_passages_wait_for_vectors_is_one_of_the_few(
    collection: Collection,
) -> None:
    collection.upsert([row("a", "one\n\ntwo")])
    encode(collection)
    collection.upsert([row("b", "하나\n\n둘", language="ko")])
    assert found(collection) == {("en",): mean("one", "two"), ("ko",): mean("one", "two")}


def test_each_encoder_has_its_own(collection: Collection) -> None:
    collection.upsert([row("a", "one\n\ntwo")])
    encode(collection)
    collection.start_shadow("other")
    encode(collection, encoder="other")
    other = collection.centroids(encoder="other")["en",]
    expected = (vector("one", "other") + vector("two", "other")) / 2
    np.testing.assert_allclose(other, expected, atol=1e-5)
    assert found(collection) == {("en",): mean("one", "two")}
