"""The documented JSON of results, the same on the command line and over HTTP.

Offsets count Unicode code points; ``start`` and ``end`` of hits and citations refer to the
document's stored text, ``matches`` to the passage's ``text``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rag.types import Answer, Hit, SearchResult


def hit(h: Hit) -> dict[str, Any]:
    """``{rank, score, document, version, path, title, heading, start, end, text, scores, …}``."""
    c = h.chunk
    return {
        "rank": h.rank,
        "score": h.score,
        "document": c.document,
        "version": c.version,
        "path": c.path,
        "title": c.title,
        "heading": list(c.heading),
        "start": c.start,
        "end": c.end,
        "text": c.text,
        "scores": dict(h.scores),
        "matches": [list(span) for span in h.matches],
    }


def search(result: SearchResult) -> dict[str, Any]:
    """``{query, mode, took_ms, cached, rewritten, hits, facets, warnings}``."""
    return {
        "query": result.query,
        "mode": result.mode,
        "took_ms": round(result.took_ms, 2),
        "cached": result.cached,
        "rewritten": {kind: list(queries) for kind, queries in result.rewritten.items()},
        "hits": [hit(h) for h in result.hits],
        "facets": {name: [asdict(f) for f in found] for name, found in result.facets.items()},
        "warnings": list(result.warnings),
    }


def answer(a: Answer) -> dict[str, Any]:
    """``{question, answer, abstained, unsure, confidence, citations, statements, hits, …}``."""
    return {
        "question": a.question,
        "answer": a.text,
        "abstained": a.abstained,
        "unsure": a.unsure,
        "confidence": round(a.confidence, 4),
        "generator": a.generator,
        "program": a.program,
        "degraded": a.degraded,
        "cached": a.cached,
        "citations": [asdict(c) for c in a.citations],
        "dropped": a.dropped,
        "statements": [asdict(s) for s in a.statements],
        "steps": [asdict(s) for s in a.steps],
        "hits": [hit(h) for h in a.hits],
        "warnings": list(a.warnings),
    }
