"""Configurations compared on a small data set, and the queries that were lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ir_measures
import pytest

from eval.configuration import from_grid
from eval.dataset import Dataset, Query
from eval.experiment import Plan, run
from eval.explain import blame
from eval.result import Result
from rag.errors import BadQuery
from rag.settings import Settings
from rag.types import Document
from rag.workspace import Workspace
from tests.support.questions import dataset


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(encoder="hashing", cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def result(base: Settings) -> Result:
    found = from_grid("default", base, cut=False)
    return run(dataset(), found, plan=Plan(baseline="bm25", worst=3, command="rag eval"))


def test_every_configuration_has_every_query(result: Result) -> None:
    assert len(result.outcomes) == 8
    asked = {"tea", "cors", "key", "cha", "yeolsoe"}
    for outcome in result.outcomes:
        assert set(outcome.rankings) == asked
        assert all(set(v) == asked for v in outcome.values.values())
        assert set(outcome.milliseconds["total"]) == asked
    assert (result.documents, result.passages) == (5, 5)
    means = [o.summary[result.measure].mean for o in result.outcomes]
    assert means == sorted(means, reverse=True)


def test_the_words_lead_to_the_right_documents(result: Result) -> None:
    bm25 = next(o for o in result.outcomes if o.name == "bm25")
    first = {q: ranking[0][0] for q, ranking in bm25.rankings.items()}
    assert first == {q: q for q in first}
    assert bm25.summary["nDCG@10"].mean == 1
    assert bm25.summary["Success@3"].mean == 1


def test_the_figures_are_those_of_ir_measures(result: Result) -> None:
    judged = [ir_measures.Qrel(q, q, 1) for q in result.queries]
    for outcome in result.outcomes:
        scored = [
            ir_measures.ScoredDoc(q, place, float(-i))
            for q, ranking in outcome.rankings.items()
            for i, (place, _) in enumerate(ranking)
        ]
        expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], judged, scored)
        assert outcome.summary["nDCG@10"].mean == pytest.approx(expected[ir_measures.nDCG @ 10])


def test_all_are_compared_with_the_best_and_with_the_baseline(result: Result) -> None:
    best = result.outcomes[0].name
    others = {o.name for o in result.outcomes} - {best}
    assert {c.name for c in result.comparisons if c.baseline == best} == others
    if best != "bm25":
        compared = {c.name for c in result.comparisons if c.baseline == "bm25"}
        assert compared == others - {"bm25"}


def test_vectors_and_postings_are_made_once(base: Settings, result: Result) -> None:
    beds = list((base.cache / "eval").iterdir())
    assert len(beds) == 1
    before = (beds[0] / "catalog.sqlite").stat().st_mtime_ns
    run(dataset(), from_grid("fusion", base, cut=False))
    assert (beds[0] / "catalog.sqlite").stat().st_mtime_ns == before


def test_cut_documents_are_scored_by_their_best_passage(base: Settings) -> None:
    long = replace(dataset().documents[0], text="\n\n".join(["Green tea."] + ["Other words."] * 99))
    data = replace(dataset(), documents=(long, *dataset().documents[1:]))
    small = base.replace(chunk_tokens=20)
    (bm25,) = (c for c in from_grid("baselines", small, cut=True) if c.name == "bm25")
    found = run(data, [bm25])
    assert found.passages > found.documents == 5
    assert found.outcomes[0].rankings["tea"][0][0] == "tea"


def test_a_collection_of_the_user_is_asked(saem: Workspace) -> None:
    query = replace(dataset().queries[0], relevant={"en/tea.md": 1})
    asked = replace(dataset(), documents=(), queries=(query,))
    configurations = from_grid("default", saem.settings, cut=False)
    found = run(asked, configurations, saem.collection())
    assert found.documents == 5
    assert {o.rankings["tea"][0][0] for o in found.outcomes if o.name == "bm25"} == {"en/tea.md"}


def test_documents_that_are_not_there_are_told(saem: Workspace) -> None:
    asked = replace(dataset().queries[0], relevant={"en/tea.md": 1, "en/teapot.md": 1})
    data = replace(dataset(), documents=(), queries=(asked,))
    bm25 = from_grid("baselines", saem.settings, cut=False)[-2:]
    found = run(data, bm25, saem.collection())
    assert found.warnings == ("1 of 2 relevant places are not there, as 'en/teapot.md'",)
    wrong = replace(data, queries=(replace(asked, relevant={"tea.md@0-9": 1}),))
    with pytest.raises(BadQuery, match=r"none of the documents .* as 'tea\.md@0-9'"):
        run(wrong, bm25, saem.collection())
    with pytest.raises(BadQuery, match="brings documents of its own"):
        run(dataset(), bm25, saem.collection())


def test_measures_may_look_deeper(base: Settings) -> None:
    documents = tuple(Document(f"d{i}", f"d{i}", "", f"tea {'leaf ' * i}") for i in range(150))
    query = Query("q", "tea", {"d149": 1})
    data = Dataset("deep", (query,), documents)
    bm25 = [c for c in from_grid("baselines", base, cut=False) if c.name == "bm25"]
    found = run(data, bm25, plan=Plan(("R@100", "R@150"))).outcomes[0].summary
    assert (found["R@100"].mean, found["R@150"].mean) == (0, 1)


def test_a_shallow_fusion_is_measured_as_it_is_served(base: Settings) -> None:
    data = dataset()
    settings = base.replace(depth=2)
    hybrid = [c for c in from_grid("default", settings, cut=False) if c.name == "hybrid"]
    found = run(data, hybrid).outcomes[0].rankings["tea"]
    assert len(found) <= 4


def test_nothing_to_measure(base: Settings) -> None:
    data = dataset()
    grid = from_grid("baselines", base, cut=False)
    with pytest.raises(BadQuery, match="has a relevant document"):
        run(replace(data, queries=data.queries[-1:]), grid)
    with pytest.raises(BadQuery, match="no documents"):
        run(replace(data, documents=()), grid)
    with pytest.raises(BadQuery, match="is called 'x'"):
        run(data, grid, plan=Plan(baseline="x"))
    with pytest.raises(BadQuery, match="no measure 'nope'"):
        run(data, grid, plan=Plan(("nope",)))


def test_lost_queries_name_their_stage(base: Settings) -> None:
    data = dataset()
    gone = replace(data.queries[0], id="gone", relevant={"nowhere": 1})
    foreign = replace(data.queries[0], id="foreign", text="zebra crossing", relevant={"tea": 1})
    bm25 = [c for c in from_grid("baselines", base, cut=False) if c.name == "bm25"]
    found = run(replace(data, queries=(gone, foreign, *data.queries)), bm25, plan=Plan(worst=9))
    assert [(x.query, x.stage, x.value) for x in found.lost] == [
        ("foreign", "retrieval", 0.0),
        ("gone", "corpus", 0.0),
    ]
    assert found.lost[0].ranks == {"bm25": None}
    assert found.lost[0].relevant == ("tea",)


@pytest.mark.parametrize(
    ("ranks", "stage"),
    [
        ({"bm25": None, "dense": None, "fused": None}, "retrieval"),
        ({"bm25": 40, "dense": None, "fused": 60}, "depth"),
        ({"bm25": 2, "dense": None, "fused": 12}, "fusion"),
        ({"bm25": 2, "dense": 50, "fused": None}, "fusion"),
        ({"bm25": 2, "dense": 1, "fused": 3, "reranked": 11}, "reranking"),
        ({"bm25": 2, "dense": 1, "fused": 3, "reranked": 4}, "order"),
        ({"bm25": 5}, "order"),
    ],
)
def test_blame(ranks: dict[str, int | None], stage: str) -> None:
    assert blame(ranks) == stage


def test_home_is_not_touched(base: Settings, tmp_path: Path) -> None:
    settings = base.replace(home=tmp_path / "home")
    run(dataset(), from_grid("baselines", settings, cut=False)[:1])
    assert not (tmp_path / "home").exists()
