"""What a collection knows of passages by their ids, besides their texts."""

from __future__ import annotations

import numpy as np
import pytest

from rag.errors import IncompatibleIndex
from rag.index import Collection
from rag.index.passages import About
from tests.support.corpus import document, encode, row, vector


def ids(collection: Collection, path: str) -> list[str]:
    return [c.id for c in collection.passages(document(path, "").id)]


@pytest.fixture
def filled(collection: Collection) -> Collection:
    tea = row("ko/tea", "녹차\n\n홍차", language="ko", title="차", metadata={"date": "2024-05-01"})
    collection.upsert([tea, row("en/tea", "green\n\nblack\n\nwhite")])
    return collection


def test_about_is_the_passage_s_document(filled: Collection) -> None:
    korean, english = ids(filled, "ko/tea"), ids(filled, "en/tea")
    of = document("ko/tea", "").id
    tea = About(of, "ko/tea", "차", "ko", {"date": "2024-05-01"})
    plain = About(document("en/tea", "").id, "en/tea", "", "en", {})
    found = filled.about([english[2], *korean, "nonsense", "0" * 32])
    assert found == {english[2]: plain, korean[0]: tea, korean[1]: tea}


def test_spans_around(filled: Collection) -> None:
    first, middle, last = ids(filled, "en/tea")
    assert filled.around([first, middle, last, "0" * 32], 1) == {
        first: (0, 12),
        middle: (0, 19),
        last: (7, 19),
    }
    assert filled.around([middle], 0) == {middle: (7, 12)}


def test_vectors_are_those_stored_over_all_segments(filled: Collection) -> None:
    encode(filled)
    filled.upsert([row("later", "oolong")])
    encode(filled)
    filled.upsert([row("last", "without vector")])
    wanted = [*ids(filled, "later"), *ids(filled, "en/tea"), *ids(filled, "last"), "0" * 32]
    found = filled.vectors(wanted)
    texts = {id_: chunk.context for id_, chunk in filled.fetch(wanted).items()}
    assert {texts[id_] for id_ in found} == {"oolong", "green", "black", "white"}
    for id_, one in found.items():
        assert one.dtype == np.float32
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-6)
        assert one == pytest.approx(vector(texts[id_]), abs=1e-3)


def test_vectors_of_another_encoder_are_refused(filled: Collection) -> None:
    assert filled.vectors(ids(filled, "en/tea")) == {}
    encode(filled)
    with pytest.raises(IncompatibleIndex):
        filled.vectors(ids(filled, "en/tea"), encoder="another")


def test_what_died_a_moment_ago_is_known_to_searches_under_way(filled: Collection) -> None:
    encode(filled)
    passage = ids(filled, "ko/tea")[0]
    filled.sparse(["녹차"], 3)
    filled.delete([document("ko/tea", "").id])
    assert filled.about([passage])[passage].path == "ko/tea"
    assert filled.around([passage], 1)[passage] == (0, 6)
    assert passage in filled.vectors([passage])


def test_cosines_are_those_of_the_vectors(filled: Collection) -> None:
    encode(filled)
    filled.upsert([row("later", "oolong")])
    encode(filled)
    filled.upsert([row("last", "without vector")])
    wanted = [*ids(filled, "later"), *ids(filled, "en/tea"), *ids(filled, "last"), "0" * 32]
    asked = vector("what?")
    expected = {id_: float(one @ asked) for id_, one in filled.vectors(wanted).items()}
    found = filled.cosines(asked, wanted)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_is_asked_for_again_is_looked_up_again_after_a_commit(filled: Collection) -> None:
    tea, later = ids(filled, "en/tea"), row("later", "oolong")
    wanted = [*tea, later.chunks[0].id]
    assert list(filled.fetch(wanted)) == tea
    assert list(filled.fetch(wanted)) == tea
    filled.upsert([later])
    assert list(filled.fetch(wanted)) == wanted


def test_passages_that_say_the_same_are_equally_near(filled: Collection) -> None:
    for part in range(3):
        filled.upsert([row(f"{part}/{i}", "the same") for i in range(10 + part)])
        encode(filled)
    same = [
        id_ for part in range(3) for i in range(10 + part) for id_ in ids(filled, f"{part}/{i}")
    ]
    for text in ("what?", "when?", "where?", "why?"):
        assert len(set(filled.cosines(vector(text), same).values())) == 1
