from __future__ import annotations

import json
import os
from pathlib import Path

import bm25s
import numpy as np
import pytest

from rag.analysis import terms
from rag.answer.examples import Example, Pool, load_pool
from rag.errors import SourceError

QUESTIONS = [
    "Where is the red bridge?",
    "How hot is the water for green tea?",
    "열쇠는 어디에 있나요?",
    "How long does green tea take, and how much tea is needed?",
    "Who built the bridge, and where is the architect of the bridge from?",
    "Is tea hot?",
]


def write(file: Path, *lines: object) -> Path:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    file.write_text("\n".join(texts), "utf-8")
    return file


@pytest.mark.parametrize("asked", ["How is green tea made hot?", "Which bridge is red?", "열쇠"])
def test_likeness_is_bm25(asked: str) -> None:
    oracle = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    oracle.index([terms(q) for q in QUESTIONS], show_progress=False)
    scores = oracle.get_scores([*dict.fromkeys(t for t in terms(asked) if t in oracle.vocab_dict)])
    best = np.argsort(-scores, kind="stable")
    assert scores[best[0]] > scores[best[-1]]
    pool = Pool([Example(q, "x") for q in QUESTIONS])
    assert pool.nearest(asked) == best.tolist()


def test_a_question_like_none_leaves_the_order() -> None:
    assert Pool([Example(q, "x") for q in QUESTIONS]).nearest("zzz") == list(range(6))


def test_a_file_of_examples(tmp_path: Path) -> None:
    file = write(
        tmp_path / "x.jsonl",
        {"question": " Q1? ", "answer": "A1 [1].", "passages": ["P1", "P2"], "id": 7},
        "",
        {"question": "질문?", "answer": "답", "context": "조각"},
        {"question": "Q3?", "answer": "A3"},
    )
    assert load_pool(file).examples == (
        Example("Q1?", "A1 [1].", ("P1", "P2")),
        Example("질문?", "답", ("조각",)),
        Example("Q3?", "A3"),
    )


def test_a_file_is_read_again_once_it_has_changed(tmp_path: Path) -> None:
    file = write(tmp_path / "x.jsonl", {"question": "Q?", "answer": "A"})
    first = load_pool(file)
    assert load_pool(file) is first
    write(file, {"question": "Q?", "answer": "B"})
    os.utime(file, ns=(1, 1))
    assert load_pool(file).examples == (Example("Q?", "B"),)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "is no JSON"),
        ("[]", "is no object"),
        ('{"answer": "A"}', "has no text 'question'"),
        ('{"question": "Q", "answer": " "}', "has no text 'answer'"),
        ('{"question": "Q", "answer": 7}', "has no text 'answer'"),
        ('{"question": "Q", "answer": "A", "passages": "P"}', "'passages' is no list of texts"),
        ('{"question": "Q", "answer": "A", "context": null}', "'passages' is no list of texts"),
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str, why: str) -> None:
    file = write(tmp_path / "x.jsonl", {"question": "Q?", "answer": "A"}, "", line)
    with pytest.raises(SourceError) as caught:
        load_pool(file)
    assert caught.value.message.startswith(f"{file}:3: {why}")
    assert '"question"' in caught.value.remedy


def test_files_without_examples(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone.jsonl: cannot be read: No such file"):
        load_pool(tmp_path / "gone.jsonl")
    with pytest.raises(SourceError, match="holds no example"):
        load_pool(write(tmp_path / "x.jsonl", "", ""))
    (tmp_path / "y.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="cannot be read"):
        load_pool(tmp_path / "y.jsonl")
