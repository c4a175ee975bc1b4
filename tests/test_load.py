"""A batch of files becomes rows; what cannot be read fails alone, with its path and why."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from indexer.chunk import chunk
from indexer.load import Outcome, Wanted, load
from indexer.readers import read
from indexer.sources import Found
from rag.analysis import terms
from rag.index import Stat


def wanted(folder: Path, name: str, data: bytes | None, sha256: str = "") -> Wanted:
    """A file with that content; ``None``: it is gone since it was listed."""
    file = folder / name
    if data is not None:
        file.write_bytes(data)
    return Wanted(Found(file.as_uri(), file, name, len(data or b""), 1234), sha256)


def test_a_batch_of_good_unchanged_empty_and_unreadable_files(tmp_path: Path) -> None:
    tea, coffee = b"# Tea\n\nGreen tea.\n", "# 커피\n\n진한 커피.\n".encode()
    same = hashlib.sha256(coffee).hexdigest()
    batch = [
        wanted(tmp_path, "tea.md", tea, "another"),
        wanted(tmp_path, "gone.md", None),
        wanted(tmp_path, "same.md", coffee, same),
        wanted(tmp_path, "empty.txt", b""),
        wanted(tmp_path, "blank.txt", b"\xef\xbb\xbf \r\n\t\x0c\x0b"),
        wanted(tmp_path, "binary.txt", b"\x00\x01\x02" * 99),
        wanted(tmp_path, "coffee.md", coffee),
    ]
    outcomes = load(batch, 50)
    assert [o.uri for o in outcomes] == [w.file.uri for w in batch]
    assert [bool(o.row) for o in outcomes] == [True, False, False, False, False, False, True]
    assert [bool(o.error) for o in outcomes] == [False, True, False, True, True, True, False]
    assert [o.empty for o in outcomes] == [False, False, False, True, True, False, False]
    assert [o.same for o in outcomes if o.same] == [Stat(len(coffee), 1234, same)]

    for outcome, data, language in ((outcomes[0], tea, "en"), (outcomes[6], coffee, "ko")):
        assert outcome.row
        document = read(data, uri=outcome.uri, path=Path(outcome.uri).name)
        assert outcome.row.document == document
        assert outcome.row.chunks == chunk(document, 50)
        assert outcome.row.stat == Stat(len(data), 1234, hashlib.sha256(data).hexdigest())
        assert outcome.row.language == language
        assert [outcome.row.terms[i] for i in range(len(outcome.row.terms))] == [
            list(terms(c.context)) for c in outcome.row.chunks
        ]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("gone.md", None, "No such file"),
        ("empty.txt", b"", "empty"),
        ("binary.txt", b"\x00\x01\x02" * 99, "binary"),
        ("table.xls", b"words", r"\.xls"),
    ],
)
def test_what_cannot_be_read_says_which_file_and_why(
    tmp_path: Path, name: str, data: bytes | None, why: str
) -> None:
    (outcome,) = load([wanted(tmp_path, name, data)], 50)
    error = outcome.error
    assert error
    assert error.path == name
    assert re.search(why, str(error))
    assert str(error).startswith(name)
    assert (outcome.row, outcome.same) == (None, None)


def test_a_file_that_became_a_folder(tmp_path: Path) -> None:
    batch = [wanted(tmp_path, "was.md", None), wanted(tmp_path, "is.md", b"text")]
    batch[0].file.file.mkdir()
    folder, file = load(batch, 50)
    assert folder.error
    assert (folder.error.path, folder.error.why) == ("was.md", "Is a directory")
    assert (folder.empty, bool(file.row)) == (False, True)


def test_an_empty_file_that_was_empty_before_is_the_same(tmp_path: Path) -> None:
    nothing = hashlib.sha256(b"").hexdigest()
    (outcome,) = load([wanted(tmp_path, "a.txt", b"", nothing)], 50)
    assert outcome == Outcome((tmp_path / "a.txt").as_uri(), same=Stat(0, 1234, nothing))


def test_nothing() -> None:
    assert load([], 50) == []
