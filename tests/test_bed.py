"""Collections to measure on: made once, kept, resumed, and read again from their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.bed import Beds, Remembering, reread
from rag.encode.hashing import HashingEncoder
from rag.errors import SourceError
from rag.settings import Settings
from rag.workspace import Workspace
from tests.support.questions import dataset


def test_a_bed_is_kept_and_what_was_cut_short_is_resumed(tmp_path: Path) -> None:
    settings = Settings(encoder="hashing", cache=tmp_path)
    beds = Beds(dataset())
    collection = beds.collection(settings, cut=False, vectors=True)
    assert (collection.count(), collection.outstanding()) == (5, 0)
    collection.delete([dataset().documents[0].id])
    beds.close()
    again = Beds(dataset()).collection(settings, cut=False, vectors=True)
    assert (again.count(), again.outstanding()) == (5, 0)
    assert len(list((tmp_path / "eval").iterdir())) == 1


def test_sizes_and_vectors_have_beds_of_their_own(tmp_path: Path) -> None:
    settings = Settings(encoder="hashing", cache=tmp_path)
    beds = Beds(dataset())
    for cut, tokens in ((False, 300), (False, 20), (True, 20), (True, 40)):
        beds.collection(settings.replace(chunk_tokens=tokens), cut=cut, vectors=False)
    assert len(list((tmp_path / "eval").iterdir())) == 3
    beds.collection(settings, cut=False, vectors=True)
    assert len(list((tmp_path / "eval").iterdir())) == 4
    beds.close()


def test_a_question_is_encoded_once() -> None:
    calls = []

    class Counting(HashingEncoder):
        def query(self, text: str) -> np.ndarray:
            calls.append(text)
            return super().query(text)

    encoder = Remembering(Counting())
    assert np.array_equal(encoder.query("tea"), encoder.query("tea"))
    assert calls == ["tea"]
    assert encoder.milliseconds["tea"] > 0
    assert encoder.fingerprint == HashingEncoder().fingerprint


def test_files_are_read_again(saem: Workspace, folder: Path) -> None:
    found = {d.path: d for d in reread(saem.collection())}
    assert found.keys() == {d.path for d in saem.collection().documents()}
    assert found["ko/tea.md"].blocks
    (folder / "ko/tea.md").write_text("# 차\n\n다른 글.\n", "utf-8")
    with pytest.raises(SourceError, match=r"ko/tea\.md: has changed"):
        reread(saem.collection())
    (folder / "ko/tea.md").unlink()
    with pytest.raises(SourceError, match=r"ko/tea\.md: cannot be read again"):
        reread(saem.collection())
