"""The n-th operation on a file fails, for every n: an error, nothing in part, and on it goes."""

from __future__ import annotations

import functools
import gc
import itertools
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rag.errors import BadQuery, RagError
from rag.index import Collection, backup, catalog, compact, segment, tiers
from rag.index.lock import WriterLock
from rag.index.merger import Merger
from rag.index.verify import verify
from tests.support import sqlite_disk
from tests.support.collections import doc_id, listed, on_disk
from tests.support.corpus import encode, row
from tests.support.disk import Disk
from tests.support.truth import State, assert_searches, texts
from tests.support.zygote import say, zygote

MEMORY = Path("/dev/shm")
"""Where files cost least; what the disk does is made up anyway."""
BASE = {"a": "alpha beta\n\nbeta gamma", "b": "샘물은 맑다", "c": "alpha\n\ndelta"}
LIMITS = [*range(0, 1024, 128), *range(1024, 4096, 512), *range(4096, 98304, 8192)]
"""Bytes, up to what no file is larger than."""
QUERIES = [["alpha", "gamma"], ["beta", "샘물"]]


@dataclass(frozen=True)
class Act:
    """Something done to a collection in a folder, and the texts that it holds afterwards.

    If another file or collection is ``made`` or exchanged, the texts are that one's. ``needed``
    are others that are there beforehand.
    """

    do: Callable[[Collection, Path], object]
    after: State
    made: str = ""
    needed: tuple[str, ...] = ()


def upsert(collection: Collection, folder: Path) -> None:
    collection.upsert([row("d", "alpha delta"), row("a", "alpha beta\n\nomega")])


def restore(collection: Collection, folder: Path) -> None:
    backup.restore(folder / "old.tar", folder / "new")


def restore_over(collection: Collection, folder: Path) -> None:
    backup.restore(folder / "old.tar", folder / "other", force=True)


ACTS = {
    "open": Act(lambda c, folder: Collection(folder / "new", create=True).close(), {}, "new"),
    "upsert": Act(upsert, BASE | {"d": "alpha delta", "a": "alpha beta\n\nomega"}),
    "delete": Act(lambda c, _: c.delete([doc_id("a")]), {n: BASE[n] for n in "bc"}),
    "encode": Act(lambda c, _: encode(c), BASE),
    "shadow": Act(lambda c, _: c.start_shadow("other"), BASE),
    "tidy": Act(lambda c, _: c.tidy(), BASE),
    "compact": Act(lambda c, _: c.compact(), BASE),
    "backup": Act(lambda c, folder: backup.back_up(c.path, folder / "new.tar"), BASE, "new.tar"),
    "restore": Act(restore, BASE, "new", ("old.tar",)),
    "restore over": Act(restore_over, BASE, "other", ("old.tar", "other")),
}


def prepare(source: Path, folder: Path, *names: str) -> Path:
    """A copy of a collection of several segments with vectors and a dead passage.

    Of ``old.tar`` and ``other``, a backup and a smaller collection, those that ``names`` has.
    """
    for name in ("collection", *names):
        made = prepared(source) / name
        (shutil.copytree if made.is_dir() else shutil.copy)(made, folder / name)
    return folder / "collection"


@functools.cache
def prepared(folder: Path) -> Path:
    with closing(Collection(folder / "collection", create=True)) as collection:
        collection.upsert([row("x", "alpha"), row("a", BASE["a"]), row("b", BASE["b"])])
        encode(collection)
        collection.upsert([row("c", BASE["c"])])
        collection.delete([doc_id("x")])
    shutil.copytree(folder / "collection", folder / "other")
    with closing(Collection(folder / "other")) as other:
        other.compact()
    backup.back_up(folder / "other", folder / "old.tar")
    return folder


def sweep(name: str, place: str, layer: str, lasting: bool) -> None:
    """Do an act again and again, each time with a later operation that fails, until none does."""
    disk, kept = Disk(), None
    if layer == "sqlite":
        sqlite = sqlite_disk.library()
        if sqlite is None:
            return say("none")
        kept = sqlite_disk.take_over(disk, sqlite)
    else:
        disk.take_over()
        catalog._SETUP = catalog._SETUP.replace("FULL", "OFF")
    for number in itertools.count(step=3 if lasting else 1):
        told = attempt(name, Path(place), disk.failing(number, lasting=lasting))
        if not disk.failed:
            break
        say([disk.failed[0], told])
    del kept


def limited(name: str, place: str) -> None:
    """Do an act with ever larger files allowed: what numpy and SQLite write themselves, too."""
    for size in LIMITS:
        say(attempt(name, Path(place), limit(size)))


@contextmanager
def limit(size: int) -> Iterator[None]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


def limited_segment() -> None:
    """Write a segment with ever larger files allowed; how many bytes did not do."""
    arrays = {"rows": np.arange(1500), "ids": np.zeros((7, 16), np.uint8)}
    with tempfile.TemporaryDirectory() as place:
        for size in range(0, 12_600, 100):
            folder = Path(place) / str(size)
            try:
                with limit(size):
                    manifest = segment.write(folder, arrays)
            except OSError:
                say(size)
                continue
            for name, array in segment.read(folder, manifest).items():
                np.testing.assert_array_equal(array, arrays[name])


def attempt(name: str, source: Path, failing: AbstractContextManager[None]) -> str:
    """Do an act that may fail, look at what is there, and do it again; what the failure said."""
    tiers.FAN_OUT, compact.GRACE = 2, -1.0
    Merger.wake = lambda self: None  # type: ignore[method-assign]
    act = ACTS[name]
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place,
        closing(Collection(prepare(source, Path(place), *act.needed))) as collection,
    ):
        folder = Path(place)
        assert_searches(collection, BASE, QUERIES)
        collection._merger.upkeep._open()
        before = descriptors()
        after, told = BASE if act.made else act.after, ""
        with failing:
            try:
                act.do(collection, folder)
            except (OSError, RagError) as e:
                told = f"{type(e).__name__}: {e}"
        right(collection, (BASE, after) if told else (after,))
        if (act.made and not told) or act.made == "other":
            assert (folder / act.made).exists()
        unlocked(folder)
        with suppress(BadQuery):  # a restore that is complete is not repeated
            act.do(collection, folder)
        gc.collect()
        assert descriptors() <= before, (told, descriptors() - before)
        if act.made:
            look_at(folder, act)
            return told
        collection.upsert([row("e", "epsilon")])
        right(collection, (act.after | {"e": "epsilon"},))
        assert on_disk(collection.path) == listed(collection)
        assert verify(folder / "collection").problems == []
    return told


def right(collection: Collection, expected: tuple[State, ...]) -> None:
    """This collection, and one that is opened anew, hold one of ``expected``."""
    there = texts(collection)
    assert there in expected
    with closing(Collection(collection.path)) as other:
        assert texts(other) == there
        for one in (collection, other):
            assert_searches(one, there, QUERIES)


def look_at(folder: Path, act: Act) -> None:
    """What was made is whole, and nothing lies beside it."""
    assert not [f.name for f in folder.iterdir() if f.name.startswith(".")]
    made = folder / act.made
    if made.is_file():
        backup.restore(made, folder / "again")
        made = folder / "again"
    assert verify(made).problems == []
    with closing(Collection(made)) as other:
        assert texts(other) == act.after
        assert_searches(other, act.after, QUERIES)


def unlocked(folder: Path) -> None:
    with ExitStack() as held:
        for file in folder.glob("**/*.lock"):
            held.enter_context(WriterLock(file).hold())


def descriptors() -> set[tuple[str, str]]:
    """Open files of this process; SQLite keeps some of a catalogue in use, for its next user."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing
            file = str(descriptor.readlink())
            if "/collection/catalog.sqlite" not in file:
                found.add((descriptor.name, file))
    return found


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("layer", ["files", "sqlite"])
@pytest.mark.parametrize("name", ACTS)
def test_every_operation_may_fail(tmp_path: Path, name: str, layer: str, lasting: bool) -> None:
    said = zygote().run(f"{__name__}:sweep", name, str(tmp_path), layer, lasting)
    if said == ["none"]:
        pytest.skip("Python's SQLite lets nobody stand between it and its files")
    never = {
        ("sqlite", "restore"),
        ("sqlite", "restore over"),
        ("files", "delete"),
        ("files", "shadow"),
    }
    assert bool(said) == ((layer, name) not in never)


@pytest.mark.parametrize("name", ["upsert", "compact", "backup"])
def test_files_that_cannot_grow(tmp_path: Path, name: str) -> None:
    told = zygote().run(f"{__name__}:limited", name, str(tmp_path))
    assert told[0].startswith("OSError: ")
    assert told[-1] == ""


def test_the_end_of_an_array_that_does_not_fit_is_noticed() -> None:
    assert zygote().run(f"{__name__}:limited_segment") == [*range(0, 12_128, 100)]
