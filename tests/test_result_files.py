from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.files import escaped, read_json, write_json, write_runs, write_text
from eval.result import Outcome, Result
from rag.errors import SourceError
from tests.support import results

QRELS = {
    "q1": {"tea.md": 2, "cors.md": 1},
    "q2": {"차/녹차 우리기.md": 1},
    "q3": {"nowhere.md": 1},
    "q 4": {"notes.txt": 1, "cors.md": 3},
}


def with_rankings(rankings: dict[str, tuple[tuple[str, float], ...]], *names: str) -> Result:
    outcomes = tuple(Outcome(name, {}, {}, {}, rankings=rankings) for name in names)
    return replace(results.result(), outcomes=outcomes)


def test_json_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "made" / "result.json"
    for result in (results.result(), results.bare()):
        write_json(result, path)
        assert read_json(path) == result
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]


def test_json_is_for_other_tools_too(tmp_path: Path) -> None:
    write_json(results.result(), tmp_path / "r.json")
    raw = (tmp_path / "r.json").read_text("utf-8")
    found = json.loads(raw)
    assert "녹차는 몇 도에서 우리나요?" in raw
    assert found["queries"]["q2"] == "녹차는 몇 도에서 우리나요?"
    assert found["outcomes"][0]["summary"]["nDCG@10"]["mean"] == 0.5625
    assert found["outcomes"][0]["rankings"]["q1"][1] == ["차/녹차 우리기.md", 2.5]
    assert found["lost"][0]["ranks"] == {"bm25": 12, "dense": None}


@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    text=st.text(st.characters(codec="utf-8")),
)
def test_json_keeps_every_number_and_text(
    tmp_path_factory: pytest.TempPathFactory, value: float, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    outcome = Outcome(text, {text: text}, {"m": {text: value}}, {}, notes=(text,))
    result = replace(results.result(), outcomes=(outcome,), queries={text: text})
    write_json(result, path)
    assert read_json(path) == result


def test_half_a_surrogate_pair_stops_nothing(tmp_path: Path) -> None:
    write_json(replace(results.result(), queries={"q": "a\ud800b"}), tmp_path / "r.json")
    assert read_json(tmp_path / "r.json").queries == {"q": "a?b"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"passages": "many"}, "passages: Input should be a valid integer"),
        ({"outcomes": [{"name": "x"}]}, "outcomes.0.settings: Field required"),
        ({"lost": None}, "lost: Input should be a valid array"),
    ],
)
def test_json_that_is_no_result(tmp_path: Path, change: dict[str, object], why: str) -> None:
    path = tmp_path / "r.json"
    write_json(results.result(), path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(SourceError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: {why}")
    assert "Give a file that `rag eval` wrote" in str(caught.value)


def test_json_that_is_none_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"dataset": ', "utf-8")
    with pytest.raises(SourceError, match=r"r\.json: Invalid JSON"):
        read_json(tmp_path / "r.json")
    with pytest.raises(SourceError, match=r"none\.json: cannot be read: No such file"):
        read_json(tmp_path / "none.json")


def test_runs_measure_as_the_rankings_do(tmp_path: Path) -> None:
    rankings = {
        "q1": (("z.md", 1.0), ("tea.md", 1.0), ("a.md", 1.0), ("cors.md", 1.0)),
        "q2": (("z.md", 1e-9), ("차/녹차 우리기.md", 0.0), ("a.md", 0.0), ("b.md", 5.0)),
        "q3": (),
        "q 4": (("a.md", 0.3 + 1e-12), ("cors.md", 0.3), ("notes.txt", 0.3 - 1e-12)),
    }
    measures = [ir_measures.parse_measure(m) for m in ("nDCG@10", "RR", "AP", "P@1", "Success@3")]
    path = write_runs(with_rankings(rankings, "ours"), tmp_path)[0]
    by_rank = {
        q: {place: -float(rank) for rank, (place, _) in enumerate(found)}
        for q, found in rankings.items()
    }
    written = {escaped(q): {escaped(p): grade for p, grade in g.items()} for q, g in QRELS.items()}
    run = list(ir_measures.read_trec_run(str(path)))
    wanted = ir_measures.calc_aggregate(measures, QRELS, by_rank)
    assert ir_measures.calc_aggregate(measures, written, run) == wanted
    assert 0 < wanted[measures[0]] < 1
    each = {(m.query_id, m.measure): m.value for m in ir_measures.iter_calc(measures, written, run)}
    for m in ir_measures.iter_calc(measures, QRELS, by_rank):
        assert each[escaped(m.query_id), m.measure] == m.value


def test_a_run_line_by_line(tmp_path: Path) -> None:
    rankings = {"q 4": (("차/녹차 우리기.md", 2.5), ("a.md", 1.0))}
    path = write_runs(with_rankings(rankings, "bm25 k1=1.2"), tmp_path / "runs")[0]
    assert path.read_text("utf-8") == (
        "q%204 Q0 차/녹차%20우리기.md 1 2.5 bm25%20k1=1.2\nq%204 Q0 a.md 2 1.0 bm25%20k1=1.2\n"
    )


@given(st.lists(st.floats(-(2.0**90), 2.0**90, width=32), max_size=30))
def test_scores_fall_strictly_in_single_precision(
    tmp_path_factory: pytest.TempPathFactory, scores: list[float]
) -> None:
    ranking = tuple((f"d{i}", score) for i, score in enumerate(scores))
    folder = tmp_path_factory.getbasetemp() / "strict"
    lines = write_runs(with_rankings({"q": ranking}, "x"), folder)[0].read_text().splitlines()
    read = [np.float32(line.split()[4]) for line in lines]
    assert [line.split()[2:4] for line in lines] == [
        [f"d{i}", f"{i + 1}"] for i in range(len(read))
    ]
    assert all(a > b for a, b in pairwise(read))
    if all(a > b for a, b in pairwise(scores)):
        assert read == [np.float32(score) for score in scores]


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_escaped_ids_are_one_word_and_come_back(id_: str) -> None:
    assert escaped(id_).split() == [escaped(id_)]
    assert unquote(escaped(id_)) == id_


@pytest.mark.parametrize(
    ("id_", "wanted"),
    [("a b", "a%20b"), ("a%20b", "a%2520b"), ("100%.md", "100%.md"), ("차.md", "차.md"),
     ("a\u3000b\n", "a%E3%80%80b%0A"), ("plain-1", "plain-1")],
)  # fmt: skip
def test_escaped(id_: str, wanted: str) -> None:
    assert escaped(id_) == wanted


def test_file_names_are_safe_and_apart(tmp_path: Path) -> None:
    names = [
        "bm25",
        "BM25",
        "../../etc/passwd",
        "..",
        "a/b",
        "a:b",
        "한국어 사전",
        "x" * 400,
        "k1=1.2",
    ]
    written = write_runs(with_rankings({"q": (("d", 1.0),)}, *names), tmp_path)
    assert all(p.parent == tmp_path and p.is_file() for p in written)
    assert len({p.name.casefold() for p in written}) == len(names)
    assert all(len(os.fsencode(p.name)) <= 255 and not p.name.startswith(".") for p in written)
    assert (written[0].name, written[-1].name) == ("bm25.run", "k1=1.2.run")
    assert written[6].name.startswith("한국어-사전-")
    again = write_runs(with_rankings({"q": (("d", 1.0),)}, *names), tmp_path)
    assert again == written


def test_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(SourceError, match=r"file/r\.json: cannot be written: File exists"):
        write_text(tmp_path / "file" / "r.json", "new")
    with pytest.raises(SourceError, match="cannot be written: Is a directory"):
        write_text(tmp_path, "new")


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.json"
    write_text(path, "old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SourceError, match="No space left on device"):
        write_text(path, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("r.json", "old")]


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "새것")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text("utf-8") == "새것"
