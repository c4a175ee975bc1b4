"""How figures are put in Markdown, and which of them are drawn."""

from __future__ import annotations

import pytest

from eval.bench.growth import growing
from eval.bench.measured import Benchmark, Spread, escaped, label, number, portable, prose, spread


def of(median: float, low: float, high: float) -> Spread:
    return {"median": median, "min": low, "max": high}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.00123, "0.00123"), (0.6789, "0.679"), (1.234, "1.23"), (12.345, "12.3"),
     (123.4, "123"), (1234567, "1,234,567")],
)  # fmt: skip
def test_numbers_have_about_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_spread_that_would_not_show_is_left_out() -> None:
    assert spread(of(1.234, 1.2338, 1.2344)) == "1.23"
    assert spread(of(2, 1, 3)) == "2.00 (1.00–3.00)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--data ../shared/data/scifact", "--data DATA/scifact"),
        ("--data /home/a/shared/data/scifact", "--data DATA/scifact"),
        ("File '/usr/lib/python3/x.py' failed", "File 'x.py' failed"),
        ("passages/s, and/or, https://example.org/a/b", "passages/s, and/or, https://example.org/a/b"),
        ("eval/bench/results/a.json", "eval/bench/results/a.json"),
    ],
)  # fmt: skip
def test_no_folder_of_the_machine_is_shown(text: str, shown: str) -> None:
    assert portable(text) == shown


def test_markdown_is_shown_as_it_is() -> None:
    assert escaped("a|b*c_d[e]`f`<g>\n~h\\") == r"a\|b\*c\_d\[e\]\`f\`\<g\> \~h" + "\\\\"


def test_code_in_prose_stays_code() -> None:
    assert prose("`a_b` and c_d, as `x|y`") == r"`a_b` and c\_d, as `x|y`"


@pytest.mark.parametrize(
    ("metric", "shown"),
    [("mean_ms", "mean\\_ms ↓"), ("memory_mb", "memory\\_mb ↓"), ("bm25 per_s", "bm25 per\\_s ↑"),
     ("1% recall@10", "1% recall@10 ↑"), ("nDCG@10", "nDCG@10 ↑"), ("R@100", "R@100 ↑"),
     ("questions", "questions")],
)  # fmt: skip
def test_a_label_says_which_way_is_better(metric: str, shown: str) -> None:
    assert label(metric) == shown


def test_drawn_are_means_or_medians_and_rates_that_have_sizes() -> None:
    figures = {name: of(1, 1, 1) for name in (
        "mean_ms", "p50_ms", "p99_ms", "bm25 p50_ms", "bm25 errors", "add_worst_ms", "nDCG@10",
        "questions", "per_s", "disk_mb", "memory_mb")}  # fmt: skip
    one = {"saem": figures}
    others = {"saem": {name: s for name, s in figures.items() if name != "disk_mb"}}
    drawn = growing(Benchmark("x", {}, {}, one, {}, sizes={1: one, 2: others}))
    assert drawn == ["mean_ms", "bm25 p50_ms", "per_s", "memory_mb"]
    assert growing(Benchmark("x", {}, {}, one, {}, sizes={1: one})) == []
