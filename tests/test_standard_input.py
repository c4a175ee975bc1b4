"""Standard input as a source."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from indexer import standard_input
from indexer.sources import Fetched, Item
from indexer.standard_input import StandardInput
from rag.errors import SourceError


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_what_is_piped_in_is_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) + "샘".encode("cp949")
    pipe(monkeypatch, data)
    there = StandardInput()
    listing = there.list()
    assert listing.items == [Item("stdin:standard-input", "standard-input")]
    assert there.fetch(listing.items[0], "") == Fetched(data)


def test_it_may_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, b"once")
    there = StandardInput()
    (item,) = there.list().items
    assert there.fetch(item, "") == there.fetch(item, "") == Fetched(b"once")


def test_a_name_makes_it_a_document_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = StandardInput("notes.md").list()
    assert listing.items == [Item("stdin:notes.md", "notes.md")]
    assert listing.covers("stdin:notes.md")
    assert not listing.covers("stdin:standard-input")
    assert not listing.covers("stdin:notes.md/x")


def test_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_input, "_MAX_BYTES", 1_000_000)
    for size in (1_000_000, 1_000_001):
        pipe(monkeypatch, bytes(size))
        there = StandardInput()
        (item,) = there.list().items
        if size == 1_000_000:
            assert there.fetch(item, "") == Fetched(bytes(size))
        else:
            with pytest.raises(SourceError, match="standard-input: is larger than 1 MB"):
                there.fetch(item, "")


def test_a_closed_input_is_told() -> None:
    code = (
        "from indexer.standard_input import StandardInput as S\n"
        "s = S()\ntry: s.fetch(s.list().items[0], '')\nexcept Exception as e: print(repr(e))"
    )
    command = f'exec {sys.executable} -c "$0" <&-'
    done = subprocess.run(["sh", "-c", command, code], capture_output=True, text=True, check=True)
    assert "standard-input: cannot be read" in done.stdout
    assert "Pipe a document in" in done.stdout
