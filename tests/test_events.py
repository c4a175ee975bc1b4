"""Server-sent events however they are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import events

LINES = st.lists(st.sampled_from([b"data: a", b"data:b ", b": ping", b"", b"event: x"]), max_size=8)


@given(LINES, st.sets(st.integers(0, 60)))
def test_the_same_events_whatever_the_cuts(lines: list[bytes], at: set[int]) -> None:
    stream = b"\n".join(lines)
    edges = [0, *sorted(n for n in at if n < len(stream)), len(stream)]
    parts = [stream[a:b] for a, b in itertools.pairwise(edges)]
    expected = [line[5:].strip() for line in lines if line.startswith(b"data:")]
    assert list(events.split(parts)) == expected


def test_an_event_without_an_end_is_given_up() -> None:
    with pytest.raises(ValueError, match="an event without an end"):
        list(events.split(b" " * 2**20 for _ in range(9)))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b'{"error": {"message": "boom", "type": "server_error"}}', "boom (server_error)"),
        (b'{"error": {"message": "boom", "code": 500}}', "boom (500)"),
        (b'{"error": "model not loaded"}', "model not loaded"),
        (b'{"object": "error", "message": "too long", "code": 400}', "too long (400)"),
    ],
)
def test_errors_as_servers_write_them(data: bytes, error: str) -> None:
    assert events.parse(data) == events.Event("", False, error)


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices": [], "usage": {"total_tokens": 3}}',
        b'{"choices": [{"delta": {"reasoning_content": "hm", "content": null}}]}',
        b'{"choices": [{"delta": {"reasoning": "hm"}, "finish_reason": null}]}',
        b'{"choices": [{"delta": null}]}',
    ],
)
def test_events_without_text(data: bytes) -> None:
    assert events.parse(data) == events.Event("", False, "")


@pytest.mark.parametrize("data", [b"", b"[1]", b'"x"', b'{"choices": [{"delta": {"content": 7}}]}'])
def test_what_is_no_event(data: bytes) -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        events.parse(data)
