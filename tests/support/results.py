"""A small made-up `Result` whose numbers are worked out here, and nowhere measured."""

from __future__ import annotations

from dataclasses import replace

from eval.result import Comparison, Interval, Lost, Outcome, Result

QUERIES = {
    "q1": "Which tea needs boiling water?",
    "q2": "녹차는 몇 도에서 우리나요?",
    "q3": "<script>alert('여기')</script>",
    "q 4": "red [bold]\x1b[31m\u202etext\x00",
}
VALUES = {
    "hybrid": (1.0, 0.75, 0.5, 0.0),
    "bm25 한국어 <b>": (1.0, 0.5, 0.0, 0.0),
    "dense": (0.25, 0.75, 0.0, 0.0),
}
TIMES = {"hybrid": (10.0, 20.0, 30.0, 40.0), "bm25 한국어 <b>": (1.0, 2.0, 3.0, 4.0)}
RANKING = (("tea.md", 2.5), ("차/녹차 우리기.md", 2.5), ("cors.md", 1.0), ("notes.txt", -1.0))


def outcome(name: str) -> Outcome:
    """One with all there can be; `TIMES` and answers' measures are not known of every one."""
    values = dict(zip(QUERIES, VALUES[name], strict=True))
    mean = sum(VALUES[name]) / 4
    summary = {"nDCG@10": Interval(mean, mean - 0.1, mean + 0.05)}
    perquery = {"nDCG@10": values}
    if name != "dense":
        summary["F1"] = Interval(0.8765, 0.8, 1.0)
        perquery["F1"] = dict.fromkeys(QUERIES, 0.8765)
    times = dict(zip(QUERIES, TIMES.get(name, ()), strict=False))
    return Outcome(
        name=name,
        settings={"mode": name.split()[0], "depth": "100"},
        values=perquery,
        summary=summary,
        milliseconds={"bm25": times, "total": times} if times else {},
        curves={
            "recall": ((1.0, mean / 2), (10.0, mean), (100.0, 1.0)),
            "risk-coverage": ((0.25, 0.0), (0.5, 0.125), (1.0, 1 - mean)),
        },
        totals={"prompt_tokens": 12345.0, "cost": 0.25} if times else {},
        rankings=dict.fromkeys(QUERIES, RANKING),
        notes=("no encoder: <i>lexical</i>",) if name == "dense" else (),
    )


def result() -> Result:
    """Three configurations, four queries; only the last differs significantly from the first."""
    leading = "nDCG@10"
    return Result(
        dataset="tea 차",
        measure=leading,
        command="rag eval --data tea --grid 'small & <odd>'",
        date="2026-11-21T12:00:00+00:00",
        machine="2 cores",
        version="0.2.0",
        documents=4,
        passages=1234,
        queries=QUERIES,
        outcomes=tuple(outcome(name) for name in VALUES),
        comparisons=(
            Comparison(leading, "hybrid", "bm25 한국어 <b>",
                       Interval(0.1875, -0.01, 0.4), 0.2, 2, 0, 2),
            Comparison(leading, "dense", "hybrid", Interval(-0.3125, -0.5, -0.1), 0.0004, 0, 2, 2),
            Comparison("F1", "bm25 한국어 <b>", "hybrid", Interval(0.0, 0.0, 0.0), 1.0, 0, 0, 4),
        ),
        lost=(
            Lost("q 4", 0.0, "dense", {"bm25": 12, "dense": None}, ("차/녹차 우리기.md",), ()),
            Lost("q3", 0.5, "fuse", {"bm25": 1, "fuse": 1234}, ("cors.md",), ("<a>.md", "tea.md")),
        ),
        warnings=("2 questions have no judgements & were left out",),
    )  # fmt: skip


def bare() -> Result:
    """One configuration of which only the leading measure is known."""
    only = replace(outcome("hybrid"), milliseconds={}, curves={}, totals={}, rankings={})
    return replace(result(), outcomes=(only,), comparisons=(), lost=(), warnings=())
