from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Dataset, Query
from eval.formats import load
from rag.errors import SourceError

TEA, CORS, NOTES = "en/tea.md@0-20", "ko/cors.md@5-9", "notes.txt@0-4"


def query(key: str, question: str, *places: str, **more: object) -> dict[str, Any]:
    hits = []
    for place in places:
        path, _, span = place.partition("@")
        start, _, end = span.partition("-")
        hits.append({"path": path, "start": int(start), "end": int(end), "score": 1.0})
    return {
        "type": "query",
        "id": key,
        "time": "2031-01-01T00:00:00Z",
        "kind": "search",
        "collection": "default",
        "question": question,
        "mode": "hybrid",
        "hits": hits,
        "answer": None,
        "abstained": None,
        "cited": [],
        "took_ms": 1.5,
    } | more


def vote(key: str, value: object, hit: object = None) -> dict[str, Any]:
    return {"type": "vote", "id": key, "time": "2031-01-01T00:00:01Z", "vote": value, "hit": hit}


def write(folder: Path, *records: object, end: str = "\n") -> Path:
    file = folder / "queries.jsonl"
    file.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in records) + end, "utf-8")
    return file


def relevant(folder: Path, *records: object) -> dict[str, dict[str, int]]:
    return {q.text: dict(q.relevant) for q in load(write(folder, *records)).queries}


def test_the_whole_by_value(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        query("1", "How hot is tea?", TEA, CORS, NOTES),
        query("2", "출처는 무엇인가요?", TEA, CORS, kind="ask", cited=[1], answer="그것 [1]"),
        query("3", "nobody voted", TEA),
        vote("1", 1, 0),
        vote("2", 1),
        vote("1", -1, 2),
    )
    labels = {"collection": "default"}
    assert load(file) == Dataset(
        "queries",
        (
            Query(
                "1",
                "How hot is tea?",
                {TEA: 1, NOTES: 0},
                labels=labels | {"kind": "search", "language": "en"},
            ),
            Query(
                "2",
                "출처는 무엇인가요?",
                {CORS: 1},
                labels=labels | {"kind": "ask", "language": "ko"},
            ),
        ),
        warnings=(f"{file}: 1 of 3 questions have no thumb up",),
    )


def test_a_later_vote_replaces_the_earlier_one(tmp_path: Path) -> None:
    assert relevant(
        tmp_path,
        query("1", "up at last", TEA),
        query("2", "down at last", TEA, CORS),
        vote("1", -1, 0),
        vote("1", 1, 0),
        vote("2", 1, 0),
        vote("2", 1, 1),
        vote("2", -1, 0),
    ) == {"up at last": {TEA: 1}, "down at last": {TEA: 0, CORS: 1}}


def test_a_vote_on_a_hit_outweighs_one_on_the_answer(tmp_path: Path) -> None:
    asked = query("1", "which?", TEA, CORS, NOTES, kind="ask", cited=[0, 1])
    both = [vote("1", -1, 1), vote("1", 1)]
    for votes in (both, both[::-1]):
        assert relevant(tmp_path, asked, *votes) == {"which?": {TEA: 1, CORS: 0}}
    withdrawn = [vote("1", 1, 2), vote("1", 1), vote("1", -1)]
    assert relevant(tmp_path, asked, *withdrawn) == {"which?": {NOTES: 1}}


def test_equal_questions_are_joined_within_a_collection(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        query("1", "How hot?", TEA, CORS),
        vote("1", 1, 0),
        vote("1", 1, 1),
        query("2", " How\n hot? ", CORS, NOTES),
        vote("2", -1, 0),
        query("3", "How hot?", NOTES, collection="other"),
        vote("3", 1, 0),
    )
    dataset = load(file)
    assert [(q.id, q.text, q.relevant) for q in dataset.queries] == [
        ("1", "How hot?", {TEA: 1, CORS: 0}),
        ("3", "How hot?", {NOTES: 1}),
    ]
    assert dataset.warnings == (
        f"{file}: the questions went to several collections: default (1), other (1)",
    )


def test_a_refusal_that_was_right(tmp_path: Path) -> None:
    refusal = query("1", "Who?", TEA, kind="ask", abstained=True)
    (refused,) = load(write(tmp_path, refusal, vote("1", 1))).queries
    assert (refused.answerable, refused.relevant) == (False, {})
    later = [query("2", "Who?", TEA), vote("2", 1, 0)]
    (found,) = load(write(tmp_path, refusal, vote("1", 1), *later)).queries
    assert (found.answerable, found.relevant) == (True, {TEA: 1})


def test_a_torn_last_line_and_other_damage(tmp_path: Path) -> None:
    bad = [
        vote("1", 2, 0),
        vote("1", 1, "0"),
        vote("1", 1, 9),
        vote("gone", 1, 0),
        query("5", "cites what is not there", TEA, cited=[1]),
        query("5", "cites what is not there", TEA, cited=[-1]),
        query("6", " ", TEA),
        {"type": "query", "id": "7"},
        {"type": "other"},
    ]
    good = [query("1", "How hot?", TEA), vote("1", 1, 0)]
    file = write(tmp_path, *good, *bad, end='\n{"type": "vote", "id": "1", "vo')
    dataset = load(file)
    assert [(q.id, q.relevant) for q in dataset.queries] == [("1", {TEA: 1})]
    assert dataset.warnings == (
        f"{file}: 10 records are left out, the first at line 3: is a vote without 'id' or with a "
        "'vote' that is none of 1, 0 and -1",
    )
    file.write_bytes(write(tmp_path, *good).read_bytes() + "{차".encode()[:-1])
    assert load(file).warnings == (
        f"{file}: 1 record is left out, the first at line 3: is not UTF-8: byte 0xec "
        "(`iconv -f CP949 -t UTF-8` converts Korean files)",
    )


def test_a_log_without_any_thumb_up(tmp_path: Path) -> None:
    file = write(tmp_path, query("1", "How hot?", TEA), vote("1", -1, 0))
    with pytest.raises(SourceError, match=r"holds no question with a thumb up\. Only questions"):
        load(file)
