"""Every program with the real small model: it ends, within bounds, and what it cites resolves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import models
from rag.answer import Answerer
from rag.answer.embedded import EmbeddedLLM
from rag.answer.programs import NAMES
from rag.types import Answer
from rag.workspace import Workspace

pytestmark = pytest.mark.models
TOKENS = 24
TOTAL = 150


@pytest.fixture(scope="module")
def llm(models_cache: Path) -> Iterator[EmbeddedLLM]:
    llm = EmbeddedLLM(models.path("smollm2", models_cache))
    yield llm
    llm.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_program_ends_with_an_answer_that_stands(
    saem: Workspace, llm: EmbeddedLLM, tmp_path: Path, name: str
) -> None:
    examples = tmp_path / "examples.jsonl"
    examples.write_text(json.dumps({"question": "Is ice cold?", "answer": "Ice is cold."}))
    searcher = saem.searcher()
    searcher.settings = saem.settings.replace(
        examples=str(examples), answer_tokens=TOKENS, total_tokens=TOTAL, context_tokens=120,
        samples=2, max_steps=2,
    )  # fmt: skip
    pieces = 0
    stream = llm.stream

    def counted(*arguments: object, **how: object) -> Iterator[str]:
        nonlocal pieces
        for piece in stream(*arguments, **how):  # type: ignore[arg-type]
            pieces += 1
            yield piece

    llm.stream = counted  # type: ignore[method-assign, assignment]
    try:
        given = Answerer(searcher, llm).ask("How is black tea made?", top_k=2, program=name)
    finally:
        llm.stream = stream  # type: ignore[method-assign]
    assert isinstance(given, Answer)
    assert given.text
    assert 0 < pieces <= TOTAL + TOKENS
    assert given.abstained or given.citations
    for c in given.citations:
        assert f"[{c.n}]" in given.text
        assert searcher.collection.text(c.document, c.version)[c.start : c.end] == c.quote
