from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from eval.leaderboard import print_leaderboard
from eval.result import Interval, Lost, Result
from eval.shown import (
    bounds,
    cut,
    difference,
    estimate,
    legend,
    milliseconds,
    number,
    p_value,
    percentile,
    plain,
)
from tests.support import results


def printed(result: Result, width: int = 100) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    print_leaderboard(result, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def with_measures(*more: str) -> Result:
    result = results.result()
    outcomes = tuple(
        replace(o, summary=dict(o.summary) | {m: Interval(0.25, 0.2, 0.3) for m in more})
        for o in result.outcomes
    )
    return replace(result, outcomes=outcomes)


def test_rows_best_first_with_interval_time_and_mark() -> None:
    lines = printed(results.result())
    assert lines[0] == "tea 차: 4 queries, 4 documents, 1,234 passages"
    assert lines[1].split() == ["configuration", "nDCG@10", "F1", "p50", "ms"]
    rows = [re.split(r"  +", line) for line in lines[3:6]]
    assert rows == [
        ["hybrid", "0.562 [.463, .613]", "0.876", "25"],
        ["bm25 한국어 <b>", "0.375 [.275, .425]", "0.876", "2.5"],
        ["dense *", "0.250 [.150, .300]", "–", "–"],
    ]
    assert " ".join(lines[7:9]) == (
        "* differs significantly from the first row in nDCG@10 (paired permutation test, "
        "Holm-corrected, p < 0.05)"
    )


def test_columns_of_korean_names_stand_under_each_other() -> None:
    lines = printed(results.result())
    ends = {cell_len(line[: line.index("]") + 1]) for line in lines[3:6]}
    assert ends == {cell_len(lines[1][: lines[1].index("@10") + 3])}
    assert set(lines[2]) == {"─"}


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_console(width: int) -> None:
    many = with_measures("R@100", "RR@10", "AP", "Success@3", "Judged@10", "EM", "P@5", "Rprec")
    long = replace(many.outcomes[0], name="한국어 사전과 재순위를 쓰는 아주 긴 이름의 설정 " * 3)
    result = replace(many, outcomes=(long, *many.outcomes[1:]), comparisons=())
    lines = printed(result, width)
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(
        lines[: lines.index("warning 2 questions have no judgements & were left out")]
    )
    heads = [line.split() for line in lines if line.startswith("configuration")]
    assert [m for head in heads for m in head[1:] if m not in ("p50", "ms")] == [
        "nDCG@10", "F1", "R@100", "RR@10", "AP", "Success@3", "Judged@10", "EM", "P@5", "Rprec",
    ]  # fmt: skip
    assert len(heads) == 2


def test_measures_that_do_not_fit_follow_with_their_values() -> None:
    lines = printed(with_measures("Success@3", "Judged@10", "R@100", "RR@10"), 60)
    second = [i for i, line in enumerate(lines) if line.startswith("configuration")][1]
    assert lines[second].split()[1] in ("Success@3", "Judged@10")
    assert lines[second + 2].split()[:2] == ["hybrid", "0.250"]
    assert lines[second + 4].split()[:3] == ["dense", "*", "0.250"]


def test_notes_and_warnings_are_under_the_table() -> None:
    lines = printed(results.result())
    assert "note dense: no encoder: <i>lexical</i>" in lines
    assert "warning 2 questions have no judgements & were left out" in lines


def test_lost_queries() -> None:
    lines = printed(results.result())
    start = next(
        i for i, line in enumerate(lines) if line.startswith("What our best configuration")
    )
    assert lines[start + 1].split() == ["query", "nDCG@10", "lost", "by", "bm25", "dense", "fuse"]
    assert re.split(r"  +", lines[start + 4]) == [
        "<script>alert('여기')</script>", "0.500", "fuse", "1", "–", "1,234",
    ]  # fmt: skip
    assert re.split(r"  +", lines[start + 3])[1:] == ["0.000", "dense", "12", "–", "–"]


def test_text_of_queries_is_neither_obeyed_nor_markup() -> None:
    out = "\n".join(printed(results.result()))
    assert "red [bold]�[31m�text�" in out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)


def test_long_korean_queries_are_cut_to_the_line() -> None:
    query = "녹차는 몇 도에서 우리나요? " * 20
    lost = Lost("q2", 0.0, "dense", {"bm25": None, "dense": 7}, (), ())
    result = replace(results.result(), lost=(lost,), queries={"q2": query})
    line = printed(result, 80)[-1]
    assert line.startswith("녹차는 몇 도에서 우리나요?")
    assert re.search(r"…\s+0\.000  dense +–  +7$", line)
    assert cell_len(line) <= 80


def test_what_is_not_known_is_left_out() -> None:
    lines = printed(results.bare())
    assert len(lines) == 5
    assert re.split(r"  +", lines[3]) == ["hybrid", "0.562 [.463, .613]", "0.876", "–"]


def test_the_legend_says_when_nothing_is_significant() -> None:
    result = results.result()
    assert legend(replace(result, comparisons=())) == ""
    assert legend(replace(result, comparisons=result.comparisons[:1])) == (
        "No difference in nDCG@10 to the first row is significant "
        "(paired permutation test, Holm-corrected, p < 0.05)"
    )


def test_only_the_leading_measure_marks() -> None:
    result = results.result()
    other = replace(result.comparisons[1], measure="F1")
    assert " *" not in "".join(printed(replace(result, comparisons=(other,)))[:6])


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (number(0.7216), "0.722"),
        (number(-0.0001), "0.000"),
        (number(None), "–"),
        (bounds(Interval(0.7, 0.6789, 0.7641)), "[.679, .764]"),
        (bounds(Interval(0.0, -0.25, 1.0)), "[-.250, 1.000]"),
        (bounds(Interval(1.0, 0.9999, 12.5)), "[1.000, 12.500]"),
        (bounds(Interval(0.0, 0.0, 10.25)), "[.000, 10.250]"),
        (estimate(Interval(0.722, 0.679, 0.764)), "0.722 [.679, .764]"),
        (difference(Interval(-0.0314, -0.05, 0.001)), "-0.031 [-0.050, +0.001]"),
        (p_value(0.00099), "<0.001"),
        (p_value(0.0496), "0.0496"),
        (milliseconds(0.346), "0.35"),
        (milliseconds(1.26), "1.3"),
        (milliseconds(12.6), "13"),
        (milliseconds(12345.6), "12,346"),
        (plain("a\tb\r\nc\x1b[0m\u2066"), "a b  c�[0m�"),
        (plain("차\ud800"), "차?"),
        (cut("abcdef", 6), "abcdef"),
        (cut("abcdefg", 6), "abcde…"),
        (cut("가나다라", 8), "가나다라"),
        (cut("가나다라", 7), "가나다…"),
        (cut("가나다라", 6), "가나…"),
    ],
)
def test_how_things_are_written(written: str, wanted: str) -> None:
    assert written == wanted


def test_percentiles_of_a_stage() -> None:
    outcome = results.outcome("hybrid")
    assert percentile(outcome, "total", 50) == 25.0
    assert percentile(outcome, "total", 95) == pytest.approx(38.5)
    assert percentile(outcome, "llm", 50) is None
