from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import vectors
from indexer.vectors import fill_vectors, reencode
from rag.encode import Encoder, load_encoder
from rag.errors import IncompatibleIndex
from rag.index.lock import WriterLock
from rag.workspace import Workspace
from tests.support import docs
from tests.support.collections import ROOT


class Counting:
    """The weightless encoder, noting what it was asked; may stop or fail after some batches."""

    def __init__(self, inner: Encoder) -> None:
        self.inner = inner
        self.name, self.fingerprint, self.dim = inner.name, inner.fingerprint, inner.dim
        self.texts: list[str] = []
        self.after = lambda: None

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        self.after()
        return self.inner.passages(texts)

    def query(self, text: str) -> NDArray[np.float32]:
        return self.inner.query(text)


@pytest.fixture
def encoder(tmp_path: Path) -> Counting:
    inner = load_encoder(docs.settings(tmp_path))
    assert inner is not None
    return Counting(inner)


@pytest.fixture
def lexical(tmp_path: Path, folder: Path) -> Workspace:
    workspace = Workspace(docs.settings(tmp_path / "lexical"))
    docs.index(workspace, folder, vectors=False)
    return workspace


def test_every_passage_is_encoded_once_with_its_heading(
    lexical: Workspace, encoder: Counting
) -> None:
    collection = lexical.collection()
    total = collection.count()
    assert collection.outstanding() == total > 0
    seen: list[tuple[int, int]] = []
    assert fill_vectors(collection, encoder, lambda *p: seen.append(p)) == total
    assert collection.outstanding() == 0
    assert seen[-1] == (total, total)
    assert len(encoder.texts) == len(set(encoder.texts)) == total
    assert any(t.startswith("CORS") for t in encoder.texts)
    assert fill_vectors(collection, encoder) == 0


def test_each_passage_is_its_own_nearest(lexical: Workspace, encoder: Counting) -> None:
    collection = lexical.collection()
    fill_vectors(collection, encoder)
    ids = [i for i, _ in collection.sparse(["tea", "origin", "열쇠", "녹차", "출처"], 100)]
    for chunk in collection.fetch(ids).values():
        vector = encoder.inner.passages([chunk.context])[0]
        assert collection.dense(vector, 1) == [(chunk.id, pytest.approx(1.0, abs=1e-3))]


def test_stopped_work_is_kept_and_resumed(
    lexical: Workspace, encoder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "_MOST", 1)
    stop = threading.Event()
    encoder.after = lambda: stop.set() if len(encoder.texts) == 2 else None
    collection = lexical.collection()
    total = collection.count()
    assert fill_vectors(collection, encoder, stop=stop) == 2
    assert collection.outstanding() == total - 2
    assert fill_vectors(collection, encoder) == total - 2
    assert len(encoder.texts) == len(set(encoder.texts)) == total


def test_a_crash_loses_only_what_was_not_published(
    lexical: Workspace, encoder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "_MOST", 1)
    monkeypatch.setattr(vectors, "_COMMIT_SECONDS", 0.0)

    def crash() -> None:
        if len(encoder.texts) == 3:
            raise RuntimeError("power cut")

    encoder.after = crash
    collection = lexical.collection()
    total = collection.count()
    with pytest.raises(RuntimeError):
        fill_vectors(collection, encoder)
    assert collection.outstanding() == total - 2


def test_unchanged_passages_of_a_changed_file_keep_their_vectors(
    lexical: Workspace, encoder: Counting, folder: Path
) -> None:
    text = "".join(
        f"# Part {i}\n\n" + f"Sentence {i} about topic {i}. " * 40 + "\n\n" for i in range(4)
    )
    (folder / "long.md").write_text(text)
    docs.index(lexical, folder, vectors=False)
    fill_vectors(lexical.collection(), encoder)
    encoder.texts.clear()
    (folder / "long.md").write_text(text + "# Part 4\n\nSomething new.\n")
    docs.index(lexical, folder, vectors=False)
    fill_vectors(lexical.collection(), encoder)
    assert len(encoder.texts) == 1
    assert "Something new." in encoder.texts[0]


def test_two_at_once_share_the_work(lexical: Workspace, encoder: Counting) -> None:
    other = Workspace(lexical.settings)
    total = lexical.collection().count()
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda w=w: done.append(fill_vectors(w.collection(), encoder)))
        for w in (lexical, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == [0, total]


def test_another_encoder_is_refused(lexical: Workspace, encoder: Counting) -> None:
    fill_vectors(lexical.collection(), encoder)
    encoder.fingerprint = "another"
    with pytest.raises(IncompatibleIndex, match="encoder"):
        fill_vectors(lexical.collection(), encoder)


class Other(Counting):
    """Another encoder: the same vectors, turned about."""

    def __init__(self, inner: Encoder) -> None:
        super().__init__(inner)
        self.name, self.fingerprint = "other", "other:1"

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return -super().passages(texts)[:, ::-1]

    def query(self, text: str) -> NDArray[np.float32]:
        return self.passages([text])[0]


class TestReencode:
    def test_the_other_serves_once_everything_is_encoded(
        self, lexical: Workspace, encoder: Counting
    ) -> None:
        collection = lexical.collection()
        total = fill_vectors(collection, encoder)
        other = Other(encoder.inner)
        during: list[str] = []
        other.after = lambda: during.append(collection.status().encoder)
        assert reencode(collection, other)
        assert {*during} == {encoder.fingerprint}
        status = collection.status()
        assert (status.encoder, status.outstanding) == ("other:1", 0)
        assert len(other.texts) == len({*other.texts}) == total
        ((best, score),) = collection.dense(other.query("Tea\nGreen tea is brewed"), 1)
        assert collection.fetch([best])[best].path == "en/tea.md"
        assert 0.3 < score < 1.01
        assert reencode(collection, other), "nothing is left to do"
        assert len(other.texts) == total + 1

    def test_what_a_stop_leaves_is_taken_up_again(
        self, lexical: Workspace, encoder: Counting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vectors, "_MOST", 1)
        collection = lexical.collection()
        total = fill_vectors(collection, encoder)
        other, stop = Other(encoder.inner), threading.Event()
        other.after = lambda: stop.set() if len(other.texts) == 2 else None
        assert not reencode(collection, other, stop=stop)
        assert collection.status().encoder == encoder.fingerprint
        assert collection.outstanding(encoder="other:1") == total - 2
        assert reencode(collection, other)
        assert len(other.texts) == total

    def test_a_document_that_comes_meanwhile_is_encoded_by_both(
        self, lexical: Workspace, encoder: Counting, folder: Path
    ) -> None:
        collection = lexical.collection()
        fill_vectors(collection, encoder)
        other = Other(encoder.inner)

        def add() -> None:
            other.after = lambda: None
            (folder / "new.md").write_text("# New\n\nSomething new.\n")
            docs.index(lexical, folder, vectors=False)
            fill_vectors(collection, encoder)

        other.after = add
        assert reencode(collection, other)
        assert collection.outstanding() == collection.outstanding(encoder="hashing:1:512") == 0
        new = [t for t in other.texts if "Something new" in t]
        assert new == [t for t in encoder.texts if "Something new" in t] != []


def test_equal_passages_are_encoded_once(
    lexical: Workspace, encoder: Counting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(6):
        (folder / f"copy{i}.txt").write_text("The same words.")
    (folder / "last").mkdir()
    every = Workspace(lexical.settings.replace(near_duplicates=0.0))
    docs.index(every, folder, vectors=False)
    collection = lexical.collection()
    copies = [n for n, text in collection.unencoded(99) if text.endswith("The same words.")]
    monkeypatch.setattr(vectors, "_COMMIT_SECONDS", 0.0)
    fill_vectors(collection, encoder)
    assert len(copies) == 6
    assert len(encoder.texts) == len({*encoder.texts})
    assert collection.outstanding() == 0


KILLED = """
import sys, time
from pathlib import Path
from indexer import vectors
from rag.encode.hashing import HashingEncoder
from rag.index import Collection
vectors._MOST, vectors._COMMIT_SECONDS = 1, 0.0
class Slow(HashingEncoder):
    def passages(self, texts):
        self.done = getattr(self, "done", 0) + len(texts)
        if self.done == 3:
            print("there", flush=True)
            time.sleep(60)
        return super().passages(texts)
encoder = Slow()
encoder.fingerprint = "other:1"
vectors.reencode(Collection(Path(sys.argv[1])), encoder)
"""


def test_a_kill_loses_only_what_was_not_published(lexical: Workspace, encoder: Counting) -> None:
    collection = lexical.collection()
    total = fill_vectors(collection, encoder)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(collection.path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.kill()
    process.wait()
    other = Other(encoder.inner)
    assert collection.status().encoder == encoder.fingerprint
    assert len(collection.dense(encoder.query("tea"), 99)) == total
    assert collection.outstanding(encoder="other:1") == total - 2
    assert reencode(collection, other)
    assert len(other.texts) == total - 2
    assert collection.outstanding() == 0


def test_what_another_process_encodes_is_left_to_it(lexical: Workspace, encoder: Counting) -> None:
    collection = lexical.collection()
    collection.ensure("encoder", encoder.fingerprint, encoder.name)
    with WriterLock(collection.path / "encoder.1.lock").hold():
        assert fill_vectors(collection, encoder, wait=False) == 0
    assert fill_vectors(collection, encoder, wait=False) == collection.count()
