"""Masks personal data in everything that an answer brings along. Knows no model and no index.

Quotations keep their place and length, so that a citation still says where its sentence stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from rag.answer.redact import Redactor
from rag.types import Answer, Hit, SearchResult, Step

Event = SearchResult | Step | str | Answer


def masked(events: Iterator[Event], redactor: Redactor) -> Iterator[Event]:
    """``events`` without personal data; deltas wait until they cannot be a part of such."""
    with closing(events):  # type: ignore[type-var]
        for event in events:
            if isinstance(event, str):
                if shown := redactor.feed(event):
                    yield shown
                continue
            if isinstance(event, Answer) and (rest := redactor.end()):
                yield rest
            yield _event(event, redactor)


def _event(event: SearchResult | Step | Answer, redactor: Redactor) -> Event:
    if isinstance(event, Step):
        return replace(event, text=redactor(event.text))
    hits = tuple(_hit(hit, redactor) for hit in event.hits)
    if isinstance(event, SearchResult):
        return replace(event, hits=hits)
    return replace(
        event,
        text=redactor(event.text),
        citations=tuple(replace(c, quote=redactor(c.quote)) for c in event.citations),
        steps=tuple(replace(step, text=redactor(step.text)) for step in event.steps),
        hits=hits,
    )


def _hit(hit: Hit, redactor: Redactor) -> Hit:
    return replace(hit, chunk=replace(hit.chunk, text=redactor(hit.chunk.text)))
