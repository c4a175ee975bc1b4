"""A result comes back only for the same search, of the same person, of the same state."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.index import Collection
from rag.index.rows import Tuned
from rag.search import Searcher, parse_filter
from rag.search import cache as module
from rag.search.cache import Key, ResultCache, key
from rag.types import Filter, Hit, SearchResult
from rag.workspace import Workspace
from tests.support import docs
from tests.support.corpus import row


@pytest.fixture
def saem(tmp_path: Path) -> Workspace:
    workspace = Workspace(docs.settings(tmp_path / "home"))
    docs.index(workspace, docs.write(tmp_path / "pages"))
    return workspace


def result(query: str, hits: tuple[Hit, ...] = (), mode: str = "hybrid") -> SearchResult:
    return SearchResult(query, mode, hits, 1.0)  # type: ignore[arg-type]


class TestKeys:
    @pytest.mark.parametrize(
        "change",
        [
            {"query": "coffee"},
            {"top_k": 3},
            {"mode": "bm25"},
            {"filter": None},
            {"filter": Filter({"language": ("ko",)})},
            {"filter": Filter({"language": ("ko",)}, groups=("staff",))},
            {"filter": parse_filter("lang:ko")},
            {"epoch": "2"},
        ],
    )
    def test_another_search_has_another(self, saem: Workspace, change: dict[str, object]) -> None:
        asked: dict[str, object] = {
            "query": "tea", "top_k": 10, "mode": "hybrid", "epoch": "1",
            "filter": Filter({"language": ("ko",)}, groups=()),
        }  # fmt: skip
        searcher = saem.searcher()
        assert key(searcher, **asked) == key(saem.searcher(), **asked)  # type: ignore[arg-type]
        assert key(searcher, **asked) != key(searcher, **(asked | change))  # type: ignore[arg-type]

    def test_defaults_are_those_of_the_settings(self, saem: Workspace) -> None:
        searcher = saem.searcher()
        assert key(searcher, " tea\n") == key(searcher, "tea", searcher.settings.top_k, "hybrid")

    @pytest.mark.parametrize(
        "change",
        [{"k1": 0.9}, {"dense_weight": 0.4}, {"fusion": "rrf"}, {"diversity": 0.3},
         {"rerank": "linear"}, {"boosts": ("language=ko: 2",)}, {"top_k": 11}, {"fuzzy": False}],
    )  # fmt: skip
    def test_every_setting_counts(self, saem: Workspace, change: dict[str, object]) -> None:
        one = saem.searcher()
        other = Searcher(one.collection, one.encoder, one.settings.replace(**change))
        assert key(one, "tea", 10) != key(other, "tea", 10)

    def test_so_does_the_encoder(self, saem: Workspace) -> None:
        one = saem.searcher()
        assert key(one, "tea") != key(Searcher(one.collection, None, one.settings), "tea")

    def test_and_the_day(self, saem: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        before = key(saem.searcher(), "tea")
        later = module.datetime(2031, 5, 6, tzinfo=module.UTC)
        clock = type("Clock", (), {"now": staticmethod(lambda zone: later)})
        monkeypatch.setattr(module, "datetime", clock)
        assert key(saem.searcher(), "tea") == replace(before, day="2031-05-06")


def _upsert(c: Collection) -> None:
    c.upsert([row("new.md", "tea")])


def _delete(c: Collection) -> None:
    c.delete([c.documents()[0].id])


def _vectors(c: Collection) -> None:
    (number, _), *_ = c.unencoded(1)
    c.add_vectors([number], c_vector(c))


def c_vector(c: Collection):  # noqa: ANN201 - (1, dim) float32, of any passage
    ids = [id_ for id_, _ in c.sparse(["tea"], 1)]
    return c.vectors(ids)[ids[0]][None]


def _shadow(c: Collection) -> None:
    c.start_shadow("another", "another")


class TestCommits:
    @pytest.mark.parametrize(
        "commit",
        [
            _upsert,
            _delete,
            _vectors,
            _shadow,
            lambda c: c.tune(Tuned({"k1": 0.9})),
            lambda c: c.compact(),
            lambda c: c.alias({c.documents()[0].id: ("copy.md",)}),
        ],
    )
    def test_any_of_another_opening_is_seen_at_once(
        self, saem: Workspace, commit: Callable[[Collection], None]
    ) -> None:
        saem.collection().upsert([row("late.md", "tea without a vector")])
        saem.collection().delete([saem.collection().documents()[-1].id])
        cache, searcher = ResultCache(9), saem.searcher()
        asked = key(searcher, "tea")
        cache.put(asked, result("tea"))
        assert cache.get(key(searcher, "tea")) == result("tea")
        other = Collection(searcher.collection.path)
        commit(other)
        other.close()
        assert key(searcher, "tea").generation > asked.generation
        assert cache.get(key(searcher, "tea")) is None
        assert cache.get(key(saem.searcher(), "tea")) is None

    def test_one_of_another_process_too(self, saem: Workspace) -> None:
        cache, searcher = ResultCache(9), saem.searcher()
        cache.put(key(searcher, "tea"), result("tea"))
        path = searcher.collection.path
        program = (
            f"from rag.index import Collection; c = Collection({str(path)!r}); "
            "c.delete([c.documents()[0].id]); c.close()"
        )
        assert cache.get(key(searcher, "tea")) is not None
        subprocess.run([sys.executable, "-c", program], check=True)
        assert cache.get(key(searcher, "tea")) is None

    def test_a_collection_made_anew_by_that_name_is_another(
        self, saem: Workspace, tmp_path: Path
    ) -> None:
        cache, searcher = ResultCache(9), saem.searcher()
        asked = key(searcher, "tea")
        cache.put(asked, result("tea"))
        shutil.rmtree(searcher.collection.path)
        docs.index(saem, docs.write(tmp_path / "pages"))
        anew = key(saem.searcher(), "tea")
        assert replace(anew, collection=asked.collection) == asked
        assert cache.get(anew) is None


def key_of(name: str) -> Key:
    return KEYS.setdefault(name, Key(REF, 1, "", "", None, "", name, 10, "hybrid", None))


class _Held:
    pass


HELD = _Held()
REF = module.weakref.ref(HELD)  # type: ignore[arg-type]
KEYS: dict[str, Key] = {}


class TestBounds:
    def test_the_longest_unasked_go(self) -> None:
        cache = ResultCache(2)
        for name in "ab":
            cache.put(key_of(name), result(name))
        assert cache.get(key_of("a")) == result("a")
        cache.put(key_of("c"), result("c"))
        assert [cache.get(key_of(name)) for name in "abc"] == [result("a"), None, result("c")]
        assert len(cache) == 2

    def test_many_hits_take_more_places(self, saem: Workspace) -> None:
        hit = saem.searcher().search("tea").hits[0]
        cache = ResultCache(4)
        for name in "abcd":
            cache.put(key_of(name), result(name, (hit,) * 32))
        assert len(cache) == 4
        cache.put(key_of("wide"), result("wide", (hit,) * 65))
        assert [n for n in ("a", "b", "c", "d", "wide") if cache.get(key_of(n))] == ["d", "wide"]
        cache.put(key_of("wide"), result("wide"))
        cache.put(key_of("e"), result("e"))
        cache.put(key_of("f"), result("f"))
        assert len(cache) == 4
        cache.put(key_of("huge"), result("huge", (hit,) * 129))
        assert cache.get(key_of("huge")) is None
        assert len(cache) == 4

    def test_with_no_size_nothing_is_held(self) -> None:
        cache = ResultCache(0)
        cache.put(key_of("a"), result("a"))
        assert cache.get(key_of("a")) is None

    def test_what_an_encoder_failed_for_is_not_held(self) -> None:
        cache = ResultCache(9)
        with_encoder = replace(key_of("a"), encoder="hashing")
        cache.put(with_encoder, result("a", mode="bm25"))
        cache.put(key_of("a"), result("a", mode="bm25"))
        assert cache.get(with_encoder) is None
        assert cache.get(key_of("a")) == result("a", mode="bm25")

    def test_threads_get_what_was_put_and_no_more_is_held(self) -> None:
        cache = ResultCache(8)
        wrong: list[object] = []
        names = [str(i) for i in range(24)]
        for name in names:
            key_of(name)

        def work(start: int) -> None:
            for turn in range(2000):
                name = names[(start + turn * 7) % len(names)]
                found = cache.get(key_of(name))
                if found not in (None, result(name)):
                    wrong.append(found)
                cache.put(key_of(name), result(name))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(cache) == 8
