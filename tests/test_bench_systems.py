"""The job that whole systems are given, and Saem at it; the others are not installed here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.bench import rag_systems
from eval.bench.systems import job
from eval.bench.systems.saem import System
from eval.dataset import Dataset, Query
from eval.formats import load
from rag.encode.hashing import HashingEncoder
from rag.errors import BadQuery
from rag.settings import Settings

CORPUS = [
    {"_id": "tea", "title": "Tea", "text": "Green tea is steamed.\n\nBlack tea is withered."},
    {"_id": "salt", "title": "", "text": "천일염은 바닷물을 햇볕에 말려 만든다."},
    {"_id": "rope", "title": "Rope", "text": "Hemp fibres are twisted into strands."},
]
QUERIES = [
    {"_id": "q1", "text": "How is black tea made?"},
    {"_id": "q2", "text": "천일염은 어떻게 만드나?"},
    {"_id": "q3", "text": "Who judged this?"},
]


class Counting(HashingEncoder):
    """Remembers the texts that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[str] = []

    def passages(self, texts: Sequence[str]) -> job.Vector:
        self.given += texts
        return super().passages(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", CORPUS), ("queries", QUERIES)):
        text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        (folder / f"{name}.jsonl").write_text(text, "utf-8")
    qrels = "query-id\tcorpus-id\tscore\nq1\ttea\t1\nq2\tsalt\t1\nq3\trope\t0\n"
    (folder / "qrels" / "test.tsv").write_text(qrels, "utf-8")
    return folder


def test_texts_are_encoded_once(folder: Path, tmp_path: Path) -> None:
    encoder = Counting()
    first = job.load(load(folder), encoder, tmp_path / "cache")
    assert CORPUS[1]["text"] in encoder.given
    encoder.given.clear()
    again = job.load(load(folder), encoder, tmp_path / "cache")
    assert encoder.given == []
    assert first.queries == again.queries == {q["_id"]: q["text"] for q in QUERIES[:2]}
    tea = "Tea\nGreen tea is steamed.\n\nBlack tea is withered."
    expected = HashingEncoder().passages([tea, CORPUS[1]["text"]])
    np.testing.assert_array_equal(again.encode([tea, CORPUS[1]["text"]]), expected)
    question = QUERIES[0]["text"]
    np.testing.assert_array_equal(again.vectors[question], HashingEncoder().query(question))


def test_other_texts_are_encoded_anew(folder: Path, tmp_path: Path) -> None:
    encoder = Counting()
    dataset = load(folder)
    job.load(dataset, encoder, tmp_path)
    encoder.given.clear()
    fewer = Dataset("fewer", dataset.queries, dataset.documents[:2])
    assert len(job.load(fewer, encoder, tmp_path).passages) == 2
    assert CORPUS[1]["text"] in encoder.given


def test_saem_indexes_a_document_uncut_and_finds_it(folder: Path, tmp_path: Path) -> None:
    work = job.load(load(folder), HashingEncoder(), tmp_path)
    system = System(work, tmp_path / "index")
    assert system.search(QUERIES[0]["text"], 1) == ["tea"]
    assert system.search(QUERIES[1]["text"], 1) == ["salt"]
    assert sorted(system.search(QUERIES[0]["text"], 10)) == ["rope", "salt", "tea"]
    with pytest.raises(KeyError):  # vectors come from the job alone
        system.search("a question of nobody", 1)
    assert system.save(tmp_path / "copy")
    assert not (tmp_path / "index" / "catalog.sqlite-wal").exists()


def test_a_measurement_holds_figures_and_rankings(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENCODER", "hashing")
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    found = rag_systems.measure("saem", str(folder), 2, [1, 10])
    names = {"build_s", "mean_ms", "p50_ms", "p99_ms", "memory_mb", "disk_mb"}
    assert found["metrics"].keys() == names
    assert all(value > 0 for value in found["metrics"].values())
    assert found["found"] == [
        {"q1": ["tea"], "q2": ["salt"]},
        {"q1": ["tea", "salt"], "q2": ["salt", "tea"]},
    ]


def test_quality_is_found_once_and_only_over_all_passages(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_ENCODER", "hashing")
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    asked = []

    def in_child(function: Any, *args: Any) -> tuple[Any, float]:
        asked.append(args[-1])
        return function(*args), 0.0

    monkeypatch.setattr(rag_systems, "in_child", in_child)
    whole = rag_systems.Trial("saem", load(folder), folder, 3)
    perfect = {"nDCG@10": 1.0, "nDCG@10, legs 100 deep": 1.0, "R@100": 1.0}
    for _ in range(2):
        found = whole.run()
        assert {name: found[name] for name in perfect} == perfect
    assert not perfect.keys() & rag_systems.Trial("saem", load(folder), folder, 2).run().keys()
    assert asked == [[10, 100], [], []]


def test_quality_counts_unanswered_questions_as_zero() -> None:
    queries = tuple(Query(f"q{i}", "?", {f"d{i}": 1}) for i in range(4))
    found = {"q0": ["d0"], "q1": ["x", "d1"], "q2": ["x", "y"]}
    values = rag_systems.quality(Dataset("made", queries), found, ["nDCG@10", "R@100"])
    assert values == pytest.approx({"nDCG@10": (1 + 1 / np.log2(3)) / 4, "R@100": 0.5})


def test_an_encoder_is_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_ENCODER", "none")
    assert Settings.load().encoder == "none"
    with pytest.raises(BadQuery, match="compares hybrid search"):
        rag_systems.measure("saem", str(folder), 2, [])
