"""The query language in searches: what binds holds in every mode, what scores is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import analysis
from rag.analysis import Analyser
from rag.errors import BadQuery
from rag.index import Collection
from rag.search import Searcher
from rag.types import Filter, Mode
from rag.workspace import Workspace
from tests.support import docs
from tests.support.corpus import DIM, encode, row, vector

FILES = {
    "en/green.md": "Green tea is brewed at 80 degrees in a small cup.",
    "en/black.md": "Black tea needs boiling water and a large cup.",
    "en/milk.md": "Milk tea, as teahouses serve it: black tea with milk, no cup but a bowl.",
    "en/glue.md": "A cup of glue. The tea went cold.",
    "ko/green.md": "녹차는 80도에서 우립니다. 작은 잔을 씁니다.",
    "ko/black.md": "홍차는 끓는 물로 우립니다. 녹차보다 진합니다.",
    "ko/both.md": "녹차 tea 한 잔과 black coffee.",
    "gone.md": "Black tea in a cup, 녹차 한 잔; of a page that is deleted.",
}
ANALYSER = Analyser()
MODES: list[Mode] = ["bm25", "tfidf", "dense", "hybrid"]
Meets = Callable[[list[str]], bool]


@pytest.fixture
def library(tmp_path: Path) -> Workspace:
    """Its pages in three segments, one page dead."""
    saem = Workspace(docs.settings(tmp_path / "home"))
    names = list(FILES)
    for part in (names[:3], names[3:6], names[6:]):
        docs.write(tmp_path / "pages", {name: FILES[name] for name in part})
        docs.index(saem, tmp_path / "pages")
    (gone,) = saem.collection().documents(Filter(path="gone.md"))
    saem.collection().delete([gone.id])
    return saem


def paths(saem: Workspace, query: str, mode: Mode, **options: object) -> set[str]:
    hits = saem.searcher().search(query, 50, mode, **options).hits
    assert len({h.chunk.id for h in hits}) == len(hits)
    return {h.chunk.path for h in hits}


def meeting(meets: Meets) -> set[str]:
    living = {name: text for name, text in FILES.items() if name != "gone.md"}
    return {name for name, text in living.items() if meets(analysis.terms(text))}


def neighbours(terms: list[str], *phrase: str) -> bool:
    return any(terms[i : i + len(phrase)] == list(phrase) for i in range(len(terms)))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("query", "meets"),
    [
        ("tea 녹차 +cup", lambda t: "cup" in t),
        ("cup 우립니다 -tea", lambda t: "tea" not in t),
        ('water milk +"black tea"', lambda t: neighbours(t, "black", "tea")),
        ('tea cup -"black tea"', lambda t: not neighbours(t, "black", "tea")),
        ("tea +teah*", lambda t: any(x.startswith("teah") for x in t)),
        ("cup black 녹차 -te*", lambda t: not any(x.startswith("te") for x in t)),
        ("잔 물 +녹차", lambda t: "녹차" in t),
        ("tea 잔 물 -녹차보다", lambda t: not neighbours(t, "녹차", "차보", "보다")),
        ("tea +cup -milk -glue", lambda t: "cup" in t and not {"milk", "glue"} & {*t}),
        ("tea +nowhere", lambda t: False),
    ],
)
def test_what_binds_holds_in_every_mode(
    library: Workspace, mode: Mode, query: str, meets: Meets
) -> None:
    found = paths(library, query, mode)
    expected = meeting(meets)
    if mode in ("dense", "hybrid"):
        assert found == expected
    else:
        asked = set(ANALYSER.terms(re.sub(r'-("[^"]*"|\S+)', "", query)))
        having = {n for n, text in FILES.items() if asked.intersection(ANALYSER.terms(text))}
        assert found == (expected if "teah*" in query else having & expected)


@pytest.mark.parametrize("mode", MODES)
def test_filters_hold_beside(library: Workspace, mode: Mode) -> None:
    found = paths(library, "tea cup 녹차 +tea", mode, filter=Filter(path="ko/*"))
    assert found == {"ko/both.md"}
    assert paths(library, "tea +cup", mode, filter=Filter({"language": ("ko",)})) == set()


@pytest.mark.parametrize("mode", MODES)
def test_what_is_written_meanwhile_is_bound_too(
    library: Workspace, tmp_path: Path, mode: Mode
) -> None:
    assert paths(library, "tea +oolong", mode) == set()
    docs.write(tmp_path / "pages", {"new.md": "Oolong tea."})
    docs.index(library, tmp_path / "pages")
    assert paths(library, "tea +oolong", mode) == {"new.md"}


@pytest.mark.parametrize(
    "query",
    [
        'what is "tea" good for?',
        "C++ and C# - or tea?",
        "docker run -d tea",
        'a 5" cup, e-mail -- tea',
        "녹차와 '홍차'의 차이는?",
        "tea below -40 degrees",
    ],
)
def test_punctuation_changes_no_plain_question(library: Workspace, query: str) -> None:
    ranking = library.searcher().rank(query, 10, "bm25")
    bare = library.searcher().rank(re.sub(r"[^\w\s]", " ", query), 10, "bm25")
    assert ranking.order == bare.order
    assert not ranking.matched.bindings


class Listening:
    """The workspace's encoder, and what it was given."""

    def __init__(self, saem: Workspace) -> None:
        encoder = saem.encoder()
        assert encoder is not None
        self.name, self.fingerprint, self.dim = encoder.name, encoder.fingerprint, encoder.dim
        self.passages, self._query = encoder.passages, encoder.query
        self.heard: list[str] = []

    def query(self, text: str) -> NDArray[np.float32]:
        self.heard.append(text)
        return self._query(text)


def test_an_encoder_hears_no_signs_and_nothing_excluded(library: Workspace) -> None:
    encoder = Listening(library)
    searcher = Searcher(library.collection(), encoder, library.settings)
    searcher.search('+cup of "green tea" te* -milk -"black tea"')
    searcher.search('is it "tea" -d?')
    assert encoder.heard == ['cup of "green tea" te  ', 'is it "tea" -d?']


def test_excluding_alone_is_no_question(library: Workspace) -> None:
    with pytest.raises(BadQuery, match="only says what not to find"):
        library.searcher().search("-milk")


class TestShown:
    def matched(self, saem: Workspace, query: str, path: str) -> set[str]:
        hits = saem.searcher().search(query, 50).hits
        (hit,) = [h for h in hits if h.chunk.path == path]
        return {hit.chunk.text[a:b] for a, b in hit.matches}

    def test_terms_of_clauses_are_marked_in_hits(self, library: Workspace) -> None:
        assert self.matched(library, '+cup "green tea"', "en/green.md") == {"Green", "tea", "cup"}
        assert self.matched(library, "teah* -green", "en/milk.md") == {"teahouses"}

    def test_a_slip_of_the_finger_is_found_told_and_marked(self, library: Workspace) -> None:
        ranking = library.searcher().rank("teahuoses", mode="bm25")
        assert ranking.corrected == {"teahuos": ("teahous",)}
        assert ranking.terms == ["teahous"]
        assert self.matched(library, "teahuoses", "en/milk.md") == {"teahouses"}

    def test_what_a_filter_hides_lends_no_terms(self, collection: Collection) -> None:
        """Neither its spelling is told, nor does it crowd out what begins alike and is shown."""
        secret = " ".join(f"co{i}x" for i in range(60)) + " projectzeus"
        hidden = [row(f"secret{i}", secret, groups=("board",)) for i in range(3)]
        collection.upsert([*hidden, row("open", "coffee and cobalt")])
        searcher = Searcher(collection)
        everyone, staff = (Filter(groups=groups) for groups in (("board",), ("staff",)))
        ranking = searcher.rank("projctzeus", mode="bm25", filter=everyone)
        assert list(ranking.corrected.values()) == [("projectzeus",)]
        ranking = searcher.rank("projctzeus", mode="bm25", filter=staff)
        assert (ranking.corrected, ranking.warnings, ranking.order) == ({}, (), [])
        for query in ("co*", "+co*"):
            (hit,) = searcher.search(query, mode="bm25", filter=staff).hits
            assert hit.chunk.path == "open"

    def test_unless_that_is_not_wanted(self, library: Workspace) -> None:
        strict = Searcher(library.collection(), None, library.settings.replace(fuzzy=False))
        ranking = strict.rank("teahuoses", mode="bm25")
        assert (ranking.corrected, ranking.order) == ({}, [])

    def test_a_phrase_counts_as_one(self, library: Workspace) -> None:
        found = library.searcher().rank('"green tea"', mode="bm25").order
        chunks = library.collection().fetch([i for i, _ in found])
        assert {c.path for c in chunks.values()} == {"en/green.md"}
        words = library.searcher().rank('"tea green"', mode="bm25").order
        assert words == library.searcher().rank("tea green", mode="bm25").order


def test_headings_count_as_often_as_the_setting_says(saem: Workspace) -> None:
    def score(weight: float) -> float:
        searcher = Searcher(
            saem.collection(), None, saem.settings.replace(head_weight=weight, b=0.0)
        )
        hits = searcher.search("wildcards", mode="bm25").hits
        return hits[0].score if hits else 0.0

    (chunk,) = [h.chunk for h in saem.searcher().search("wildcards", mode="bm25").hits]
    head = analysis.terms(chunk.above).count("wildcard")
    text = analysis.terms(chunk.text).count("wildcard")
    rarity = saem.collection().idf(["wildcard"])["wildcard"]
    for weight in (0.0, 1.5, 4.0):
        times = text + weight * head
        assert score(weight) == pytest.approx(rarity * times / (times + 1.2), rel=1e-4)


class Fixed:
    """The encoder "old" of ``tests.support.corpus``."""

    name, fingerprint, dim = "old", "old", DIM

    def query(self, text: str) -> NDArray[np.float32]:
        return vector(text, "old")

    def passages(self, texts: list[str]) -> NDArray[np.float32]:
        return np.stack([vector(text, "old") for text in texts])


def test_a_search_goes_on_in_its_own_space(collection: Collection, saem: Workspace) -> None:
    collection.ensure("encoder", "old")
    collection.upsert([row("a", "alpha\n\nbeta gamma"), row("b", "감마 beta")])
    encode(collection, encoder="old")
    searcher = Searcher(collection, Fixed(), saem.settings)  # type: ignore[arg-type]
    before = searcher.search("gamma beta", mode="dense")
    bound = searcher.search("gamma +beta", mode="dense")
    collection.start_shadow("new")
    encode(collection, encoder="new")
    assert collection.switch("new")
    assert searcher.search("gamma beta", mode="dense").hits == before.hits
    assert searcher.search("gamma +beta", mode="dense").hits == bound.hits
    assert {h.chunk.text for h in bound.hits} == {"beta gamma", "감마 beta"}
