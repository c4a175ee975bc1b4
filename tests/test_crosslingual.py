"""Dense search over two languages, with an encoder whose vectors lean towards their language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index import Collection, Row, Terms, reader
from rag.search import crosslingual
from rag.types import Chunk, Document, Filter

TOPICS = 40
LEAN = {"ko": 41, "en": 42}
"""The dimension by which all passages of a language are alike; topics have one each."""


def vector(topic: int, language: str) -> NDArray[np.float32]:
    v = np.zeros(43, np.float32)
    v[topic], v[LEAN[language]] = 0.6, 0.8
    return v


def row(topic: int, language: str) -> Row:
    text = f"topic {topic} in {language}"
    document = Document(f"t:{text}", f"{language}/{topic}.md", "", text)
    chunk = Chunk(document.id, document.version, 0, 0, len(text), text, document.path, "")
    return Row(document, language, [chunk], Terms.of([text.split()]))


@pytest.fixture
def bilingual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    """Topics 0 to 29 in Korean, 20 to 39 in English."""
    monkeypatch.setattr(reader, "_FEW", 10)
    collection = Collection(tmp_path / "c", create=True)
    topics = [(t, "ko") for t in range(30)] + [(t, "en") for t in range(20, TOPICS)]
    collection.upsert([row(t, language) for t, language in topics])
    collection.ensure("encoder", "leaning")
    numbers = [n for n, _ in collection.unencoded(100)]
    collection.add_vectors(numbers, np.stack([vector(t, language) for t, language in topics]))
    yield collection
    collection.close()


def found(
    collection: Collection, topic: int, k: int = 3, within: Filter | None = None
) -> list[str]:
    best, _ = crosslingual.search(collection, vector(topic, "ko"), k, within)
    chunks = collection.fetch([i for i, _ in best])
    return [chunks[i].path for i, _ in best]


def test_plain_cosine_misses_what_only_the_other_language_has(bilingual: Collection) -> None:
    best = bilingual.dense(vector(35, "ko"), 30)
    assert all(c.path.startswith("ko/") for c in bilingual.fetch([i for i, _ in best]).values())


def test_what_only_the_other_language_has_is_found_first(bilingual: Collection) -> None:
    assert found(bilingual, 35)[0] == "en/35.md"


def test_the_own_language_is_still_found_first_where_it_answers(bilingual: Collection) -> None:
    assert found(bilingual, 5)[0] == "ko/5.md"
    assert set(found(bilingual, 25)[:2]) == {"ko/25.md", "en/25.md"}


def test_scores_are_cosines_less_the_languages_share(bilingual: Collection) -> None:
    query = vector(35, "ko")
    best, languages = crosslingual.search(bilingual, query, 1, None)
    means = {g[0]: float(m @ query) for g, m in bilingual.centroids().items()}
    assert means["ko"] == pytest.approx(0.64, abs=1e-3)
    assert means["en"] == pytest.approx(0.36 / 20, abs=1e-3)
    average = sum(means.values()) / 2
    assert best[0][1] == pytest.approx(0.36 - means["en"] + average, abs=1e-3)
    assert languages == {best[0][0]: ("en",)}


def test_filters_hold(bilingual: Collection) -> None:
    korean = Filter({"language": ("ko",)})
    assert all(p.startswith("ko/") for p in found(bilingual, 35, 10, korean))
    assert found(bilingual, 35, 10, Filter(path="en/3?.md"))[0] == "en/35.md"
    assert found(bilingual, 35, 10, Filter({"language": ("fr",)})) == []


def test_the_means_follow_the_collection(bilingual: Collection) -> None:
    before = bilingual.centroids()[("en",)]
    gone = [d.id for d in bilingual.documents(Filter(path="en/2*"))]
    bilingual.delete(gone)
    after = bilingual.centroids()[("en",)]
    assert before[25] == pytest.approx(0.6 / 20, abs=1e-3)
    assert after[25] == 0
    assert after[35] == pytest.approx(0.6 / 10, abs=1e-3)


def test_one_language_is_searched_by_plain_cosine(tmp_path: Path) -> None:
    collection = Collection(tmp_path / "one", create=True)
    collection.upsert([row(t, "ko") for t in range(5)])
    collection.ensure("encoder", "leaning")
    numbers = [n for n, _ in collection.unencoded(100)]
    collection.add_vectors(numbers, np.stack([vector(t, "ko") for t in range(5)]))
    query = vector(3, "ko")
    assert crosslingual.search(collection, query, 2, None) == (collection.dense(query, 2), {})
    collection.close()


def test_small_languages_share_the_mean_of_all(
    bilingual: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_FEW", 25)
    bilingual.upsert([row(0, "en")])
    assert bilingual.centroids()[("en",)][LEAN["ko"]] == pytest.approx(0.8 * 30 / 50, abs=1e-3)
