"""Masks personal data in everything that an answer brings along. Knows no model and no index.

Quotations keep their place and length, so that a citation still says where its sentence stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from rag.answer.redact import Redactor
from rag.types import Answer, Citation, Hit, SearchResult, Step

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
    warnings = _all(event.warnings, redactor)
    if isinstance(event, SearchResult):
        rewritten = {kind: _all(said, redactor) for kind, said in event.rewritten.items()}
        return replace(event, hits=hits, warnings=warnings, rewritten=rewritten)
    return replace(
        event,
        text=redactor(event.text),
        citations=tuple(_citation(c, redactor) for c in event.citations),
        steps=tuple(replace(step, text=redactor(step.text)) for step in event.steps),
        hits=hits,
        warnings=warnings,
    )


def _citation(citation: Citation, redactor: Redactor) -> Citation:
    aliases = _all(citation.aliases, redactor)
    quote, path = redactor(citation.quote), redactor(citation.path)
    return replace(citation, quote=quote, path=path, aliases=aliases)


def _hit(hit: Hit, redactor: Redactor) -> Hit:
    chunk = hit.chunk
    shown = replace(
        chunk,
        text=redactor(chunk.text),
        path=redactor(chunk.path),
        title=redactor(chunk.title),
        heading=_all(chunk.heading, redactor),
        lead=redactor(chunk.lead),
    )
    return replace(hit, chunk=shown)


def _all(texts: Iterable[str], redactor: Redactor) -> tuple[str, ...]:
    return tuple(map(redactor, texts))
