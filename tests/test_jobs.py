"""Jobs and readings between processes: what is packed is what is unpacked."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.jobs import (
    Job,
    Reading,
    frame,
    next_frame,
    pack_job,
    pack_reading,
    split_frames,
    unpack_job,
    unpack_reading,
)
from rag.errors import SourceError
from rag.types import Block, Document

WORDS = st.text(st.characters())  # halves of surrogate pairs as well
NUMBERS = st.integers(0, 1 << 40)
BLOCKS = st.builds(
    Block, st.sampled_from(["heading", "table"]), NUMBERS, NUMBERS, NUMBERS, WORDS, NUMBERS
)


@given(WORDS, WORDS, st.binary(), WORDS)
def test_jobs(uri: str, path: str, data: bytes, sha256: str) -> None:
    for job in (
        Job(uri, path, data=data, sha256=sha256),
        Job(uri, path, Path(os.fsdecode(data.replace(b"\0", b"") or b"x")), sha256=sha256),
    ):
        found = next_frame(io.BytesIO(b"".join(pack_job(job))))
        assert found
        assert unpack_job(*found) == job


@given(
    WORDS, WORDS, WORDS, st.lists(BLOCKS), st.dictionaries(WORDS, WORDS), st.lists(NUMBERS),
    st.lists(WORDS), st.booleans(), st.booleans(),
)  # fmt: skip
def test_readings(
    path: str, title: str, text: str, blocks: list[Block], metadata: dict[str, str],
    pages: list[int], notes: list[str], verbatim: bool, leaving: bool,
) -> None:  # fmt: skip
    job = Job("file:///a", path, data=b"")
    document = Document(job.uri, path, title, text, tuple(blocks), metadata, pages=tuple(pages))
    reading = Reading(job.uri, path, document, "12", notes=tuple(notes), verbatim=verbatim)
    assert again(job, reading, leaving) == (reading, leaving)


@given(WORDS, WORDS, st.none() | NUMBERS, WORDS, st.booleans(), st.booleans(), st.booleans())
def test_errors(
    path: str, why: str, line: int | None, remedy: str, empty: bool, unknown: bool, unread: bool
) -> None:
    job = Job("file:///a", path, data=b"")
    error = SourceError(path, why, line, remedy=remedy)
    reading = Reading(job.uri, path, error=error, empty=empty, unknown=unknown, unread=unread)
    found, _ = again(job, reading)
    assert found.error
    assert (str(found.error), vars(found.error)) == (str(error), vars(error))
    assert (found.empty, found.unknown, found.unread, found.document) == (
        empty,
        unknown,
        unread,
        None,
    )


def again(job: Job, reading: Reading, leaving: bool = False) -> tuple[Reading, bool]:
    found = next_frame(io.BytesIO(b"".join(pack_reading(reading, leaving=leaving))))
    assert found
    return unpack_reading(job, *found)


@given(st.lists(st.tuples(st.integers(), st.binary())), st.integers(1, 50))
def test_frames_in_whatever_pieces_they_come(frames: list[tuple[int, bytes]], size: int) -> None:
    data = b"".join(part for header, body in frames for part in frame(header, body))
    found: list[tuple[Any, bytes]] = []
    waiting = bytearray()
    for start in range(0, len(data), size):
        waiting += data[start : start + size]
        split_frames(waiting, 1000, lambda header, body: found.append((header, body)))
    assert found == frames
    assert waiting == b""


@pytest.mark.parametrize("body", [bytes(1001), bytes(5000)])
def test_a_frame_that_is_too_large_is_refused_before_it_is_there(body: bytes) -> None:
    head = bytearray(frame(1, body)[0])
    with pytest.raises(ValueError, match="too large"):
        split_frames(head, 1000, lambda *_: None)


def test_the_end() -> None:
    assert next_frame(io.BytesIO()) is None
    assert next_frame(io.BytesIO(b"\1\0\0")) is None
