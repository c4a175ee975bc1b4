"""The events of a streamed chat completion. Knows the wire's format, not how bytes arrive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

_LONGEST = 8 * 2**20  # bytes


class Event(NamedTuple):
    """A piece of text, whether the reply ends with it, and the error that came instead."""

    piece: str
    last: bool
    error: str


def split(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event in a stream cut anywhere.

    Lines are split as bytes: so no character is cut in two, and none that Unicode takes for a
    line's end ends one.

    Raises
    ------
    ValueError
        An event has no end.
    """
    rest, size = list[bytes](), 0  # of a line whose end has not come
    for part in parts:
        *lines, last = part.split(b"\n")
        if lines:
            lines[0] = b"".join([*rest, lines[0]])
            rest, size = [], 0
        rest.append(last)
        size += len(last)
        if size > _LONGEST:
            raise ValueError("it sent an event without an end")
        yield from (line[5:].strip() for line in lines if line.startswith(b"data:"))
    if (line := b"".join(rest)).startswith(b"data:"):
        yield line[5:].strip()


def parse(data: bytes) -> Event:
    """What one event says.

    Raises
    ------
    ValueError
        It is no chat completion chunk.
    """
    try:
        chunk = json.loads(data)
        # SGLang's errors, and those of older vLLMs, lie at the top.
        bare = chunk if chunk.get("object") == "error" else ""
        error = chunk.get("error") or bare
        if isinstance(error, dict):
            error = f"{error.get('message', '')} ({error.get('type') or error.get('code')})"
        choice: dict[str, Any] = next(iter(chunk.get("choices") or ()), {})
        content = (choice.get("delta") or {}).get("content") or ""
        # An escaped half of a surrogate pair is valid JSON, but no text that can be written.
        piece = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Event(piece, bool(choice.get("finish_reason")), str(error))
    except (ValueError, TypeError, AttributeError) as e:
        raise ValueError(f"it sent an event that makes no sense: {data[:100]!r}") from e
