"""Bytes that change and files that end early, everywhere: a file is named, nothing wrong is said.

Every kind of file of a collection is damaged at steps of 64 bytes; ones of more than ``WHOLE``
bytes at their first and last ``ENDS`` bytes, and in between at ``SAMPLED`` places.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from rag.errors import CorruptIndex, IncompatibleIndex, NotFound, SourceError
from rag.index import Collection, backup, compact, segment, upkeep
from rag.index.merger import Merger
from rag.index.verify import verify
from tests.support.collections import doc_id
from tests.support.corpus import ANALYSE, encode, row, vector
from tests.support.truth import assert_searches, made, texts, words
from tests.support.zygote import say, zygote

STEP, WHOLE, ENDS, SAMPLED = 64, 1 << 15, 4096, 200
MEMORY = Path("/dev/shm")
Damage = tuple[str, int]
"""``flip`` or ``cut``, and where."""


def places(size: int, sampled: int = SAMPLED) -> list[int]:
    """Where to damage a file of ``size`` bytes."""
    every = list(range(0, size, STEP))
    if size <= WHOLE:
        return every
    middle = [at for at in every if ENDS <= at < size - ENDS]
    return [at for at in every if at < ENDS or at >= size - ENDS] + middle[
        :: max(1, len(middle) // sampled)
    ]


def damages(file: Path, sampled: int = SAMPLED) -> Iterator[Damage]:
    """Damage ``file``, again and again; it is whole at the end."""
    whole = file.read_bytes()
    for at in places(len(whole), sampled):
        changed = bytearray(whole)
        changed[at + (at * 7 + len(whole)) % min(STEP, len(whole) - at)] ^= 1 << at // STEP % 8
        for kind, data in (("flip", changed), ("cut", whole[:at])):
            file.write_bytes(data)
            yield kind, at
    file.write_bytes(whole)


STATE = {f"d{i}": " ".join(words(np.random.default_rng(i), 6)) for i in range(40)}
QUERIES = [["alpha", "샘물"], ["beta", "gamma"]]


def prepare(place: Path) -> Path:
    """A collection of two segments of each kind, with a dead document and an index of vectors."""
    Merger.wake = lambda self: None  # type: ignore[method-assign]
    upkeep._FEW, compact.GRACE = 30, -1.0
    os.fsync = lambda _: None  # what this is about happens later
    path = place / "collection"
    with closing(Collection(path, create=True)) as collection:
        collection._merger.upkeep.kind = "ivf"
        names = sorted(STATE)
        collection.upsert([made(name, STATE[name]) for name in names[:35]] + [row("dead", "alpha")])
        encode(collection)
        collection.tidy()
        collection.upsert([made(name, STATE[name]) for name in names[35:]])
        encode(collection)
        collection.delete([doc_id("dead")])
    return path


def segments(small: int) -> None:
    """Damage every file of every segment; says which, how often, and where nobody told.

    Files of up to ``small`` bytes are read, others are mapped.
    """
    segment._SMALL = small
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        path = prepare(Path(place))
        parsed: list[str] = []
        real = faiss.read_index

        def read_index(*args: Any) -> Any:
            parsed.append(damaged.name)
            return real(*args)

        faiss.read_index = read_index
        for damaged in sorted(f for f in path.glob("segments/*/*") if f.is_file()):
            times = 0
            for damage in damages(damaged):
                parsed.clear()
                times += 1
                told = search(path)
                if told != str(damaged) or (parsed and damaged.name.startswith("ivf.")):
                    say({"wrong": [*damage, str(damaged), told, parsed]})
            say([damaged.name, times])
        with closing(Collection(path)) as collection:
            assert_searches(collection, STATE, QUERIES, STATE)
            collection.dense(vector("q"), 1)
        assert parsed, "whole files are read"


def search(path: Path) -> str:
    """Search by terms and by vectors; the file that was named."""
    with closing(Collection(path)) as collection:
        try:
            collection.sparse(["alpha"], 9)
            collection.dense(vector("q"), 9)
        except CorruptIndex as e:
            return str(e.file)
    return ""


def catalogue() -> None:
    """Damage the catalogue; how it went: right, told at once, by `verify`, or not at all."""
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        path = prepare(Path(place))
        file = path / "catalog.sqlite"
        counts = Counter(read(path, file) for _ in damages(file))
        say(counts)


def read(path: Path, file: Path) -> str:
    for beside in ("-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)
    try:
        with closing(Collection(path)) as collection:
            if texts(collection) == STATE:
                assert_searches(collection, STATE, QUERIES, STATE)
                return "right"
    except CorruptIndex as e:
        return "told" if path in e.file.parents else str(e)
    except IncompatibleIndex:
        return "told"
    except (AssertionError, KeyError, NotFound):
        pass  # something in it is another one now
    return "not told" if verify(path, ANALYSE, 99).ok else "told by verify"


def log() -> None:
    """Damage the log of a catalogue whose writer died: what is left of its commits."""
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        path, left = prepare(Path(place)), Path(place) / "left"
        states = [dict(STATE)]
        with closing(Collection(path)) as collection:
            for i in range(5):
                collection.upsert([made(f"d{i}", f"alpha v{i}")])
                states.append(states[-1] | {f"d{i}": f"alpha v{i}"})
            shutil.copytree(path, left)  # as a kill leaves it
        file, catalog = left / "catalog.sqlite-wal", left / "catalog.sqlite"
        whole = catalog.read_bytes()
        for _ in islice(damages(file, 50), 0, None, 3):
            catalog.write_bytes(whole)
            catalog.with_name("catalog.sqlite-shm").unlink(missing_ok=True)
            try:
                with closing(Collection(left)) as collection:
                    there = texts(collection)
                    assert_searches(collection, there, QUERIES)
                    say(states.index(there))
            except CorruptIndex:
                say("told")


def archive() -> None:
    """Damage a backup; how restoring went."""
    with tempfile.TemporaryDirectory(dir=memory()) as place:
        path = prepare(Path(place))
        file = Path(place) / "backup.tar"
        backup.back_up(path, file)
        say(Counter(restored(file, Path(place) / "home" / "again") for _ in damages(file)))


def restored(file: Path, again: Path) -> str:
    try:
        backup.restore(file, again)
    except (SourceError, IncompatibleIndex) as e:
        named = isinstance(e, IncompatibleIndex) or e.path == str(file)
        return "told" if named and not any(again.parent.iterdir()) else str(e)
    with closing(Collection(again)) as collection:
        right = texts(collection) == STATE
    shutil.rmtree(again)
    return "right" if right else "wrong"


def memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


@pytest.mark.parametrize("small", [0, segment._SMALL], ids=["mapped", "read"])
def test_no_damaged_segment_is_searched(small: int) -> None:
    said = zygote().run(f"{__name__}:segments", small)
    assert [what for what in said if isinstance(what, dict)] == []
    names = {name for name, times in said if times}
    postings = ["rows", "ids", "terms", "ends", "ptr", "docs", "codes", "book", "lengths", "pbytes"]
    others = ["pptr", "vectors", "contents", "ivf.index", "ivf.efforts"]
    assert names == {f"{name}.npy" for name in (*postings, *others)}


def test_a_damaged_catalogue_is_told_wherever_sqlite_or_a_digest_can_tell() -> None:
    """A page of text has no checksum: what is said of a document then is what the page has.

    Of 2,496 single bits 82 % mattered to nothing, 11 % were told at once, 7 % by `verify` alone and
    0.2 %, in paths, not at all.
    """
    (counts,) = zygote().run(f"{__name__}:catalogue")
    assert counts.keys() <= {"right", "told", "told by verify", "not told"}
    assert counts["told"] > counts["told by verify"] > 0
    assert counts.get("not told", 0) <= sum(counts.values()) / 100


def test_a_damaged_log_leaves_what_was_committed_before_the_damage() -> None:
    """SQLite takes a damaged log to end there, so nobody can tell; commits are there or not."""
    said = zygote().run(f"{__name__}:log")
    assert {*said} == {0, 1, 2, 3, 4}


def test_a_damaged_backup_is_told_or_makes_no_difference() -> None:
    (counts,) = zygote().run(f"{__name__}:archive")
    assert counts.keys() == {"told", "right"}
    assert counts["told"] > counts["right"]
