"""Figures of benchmarks as a page, plots and the READMEs' table, from made-up JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.bench import report
from eval.bench.front import END, START
from eval.bench.measured import read
from rag.errors import SourceError

Save = Callable[..., Path]
README = f"# Saem\n\nbefore\n\n{START}\n{END}\n\nafter\n"


def of(median: float, low: float | None = None, high: float | None = None) -> dict[str, float]:
    return {"median": median, "min": median if low is None else low,
            "max": median if high is None else high}  # fmt: skip


SPARSE: dict[str, Any] = {
    "benchmark": "sparse",
    "machine": {"cpu": "Abacus 3000", "cores": 2, "load": 0.5},
    "corpus": {"name": "tales", "questions": 1200, "note": "Top 10 | by `rank_bm25`."},
    "contenders": {
        "saem": {"mean_ms": of(0.5, 0.4, 0.6), "memory_mb": of(1234.5), "questions": of(20)},
        "saem (with passages)": {"mean_ms": of(1.5), "nDCG@10": of(0.675)},
        "rank-bm25": {"mean_ms": of(25, 20, 30), "nDCG@10": of(0.5), "questions": of(20)},
    },
    "ratios": {"saem/rank-bm25": {"mean_ms": 0.02}, "saem/saem (with passages)": {}},
    "ratio_spread": {"saem/rank-bm25": {"mean_ms": {"min": 0.01, "max": 0.03}}},
    "skipped": {"tantivy": "tantivy_py <x> is not installed\nin /home/someone/venv/lib/a.py"},
    "sizes": {
        "2000": {"contenders": {"saem": {"mean_ms": of(0.5)}, "rank-bm25": {"mean_ms": of(25)}}},
        "1000": {"contenders": {"saem": {"mean_ms": of(0.25)}, "rank-bm25": {"mean_ms": of(12)}}},
    },
}
BUILD: dict[str, Any] = {
    "benchmark": "build",
    "machine": {"cpu": "Abacus 3000", "cores": 2},
    "corpus": {"name": "tales"},
    "contenders": {"rank-bm25": {"passages_per_s": of(5000), "mean_ms": of(999)}},
    "ratios": {},
    "skipped": {},
    "sizes": {"4000": {"contenders": {"rank-bm25": {"passages_per_s": of(5000)}}}},
}
SYSTEMS: dict[str, Any] = {
    "benchmark": "rag_systems",
    "machine": {"cpu": "Abacus 3000", "cores": 2},
    "corpus": {"name": "tales", "command": "python -m x --data ../shared/data/tales",
               "versions": {"txtai": "9.1"}},
    "contenders": {
        "saem": {"build_s": of(12), "nDCG@10": of(0.7)},
        "haystack": {"build_s": of(6), "nDCG@10": of(0.8)},
    },
    "ratios": {"saem/haystack": {"build_s": 2.0, "nDCG@10": 0.875}},
    "skipped": {"txtai": "broke"},
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("README.md", "README.ko.md"):
        (tmp_path / name).write_text(README, "utf-8")
    return tmp_path


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*found: dict[str, Any]) -> Path:
        folder = tmp_path / "results"
        folder.mkdir(exist_ok=True)
        for each in found:
            file = folder / f"{each['benchmark']}.json"
            file.write_text(json.dumps(each), "utf-8")
        return folder

    return write


def lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def test_the_table_has_medians_with_spread_and_the_direction(root: Path, save: Save) -> None:
    report.write(save(SPARSE), root)
    page = lines(root / "docs/benchmarks.md")
    assert "|  | saem | saem (with passages) | rank-bm25 |" in page
    assert "| mean\\_ms ↓ | 0.500 (0.400–0.600) | 1.50 | 25.0 (20.0–30.0) |" in page
    assert "| nDCG@10 ↑ | – | 0.675 | 0.500 |" in page
    assert "| memory\\_mb ↓ | 1,234 | – | – |" in page
    assert "| questions | 20.0 | – | 20.0 |" in page


def test_ratios_are_of_those_compared_and_not_of_counts(root: Path, save: Save) -> None:
    report.write(save(SPARSE), root)
    page = (root / "docs/benchmarks.md").read_text("utf-8")
    assert "|  | saem/rank-bm25 |\n| --- | ---: |\n| mean\\_ms ↓ | 0.02 (0.01–0.03) |\n\n![" in page


def test_growth_is_a_table_by_ascending_size_and_a_plot(root: Path, save: Save) -> None:
    report.write(save(SPARSE), root)
    page = lines(root / "docs/benchmarks.md")
    at = page.index("| by passages |  | 1,000 | 2,000 |")
    assert page[at + 2 : at + 4] == [
        "| mean\\_ms ↓ | saem | 0.250 | 0.500 |",
        "| mean\\_ms ↓ | rank-bm25 | 12.0 | 25.0 |",
    ]
    assert "![mean\\_ms by passages](benchmarks/sparse.svg)" in page
    drawn = (root / "docs/benchmarks/sparse.svg").read_text("utf-8")
    assert ">rank-bm25</text>" in drawn
    assert ">1,000</text>" in drawn


def test_one_size_draws_nothing(root: Path, save: Save) -> None:
    written = report.write(save(BUILD), root)
    assert [f.name for f in written] == ["benchmarks.md", "README.md", "README.ko.md"]
    assert not (root / "docs/benchmarks").exists()


def test_what_was_left_out_says_why_in_plain_text_and_without_folders(
    root: Path, save: Save
) -> None:
    report.write(save(SPARSE), root)
    page = lines(root / "docs/benchmarks.md")
    assert "- tantivy: tantivy\\_py \\<x\\> is not installed in a.py" in page
    assert "Top 10 \\| by `rank_bm25`." in page


def test_facts_of_corpus_and_machine_are_listed(root: Path, save: Save) -> None:
    report.write(save(SPARSE, SYSTEMS), root)
    page = lines(root / "docs/benchmarks.md")
    assert "- Corpus: name: tales; questions: 1,200" in page
    assert "- Corpus: name: tales; versions: txtai 9.1" in page
    assert "- Machine: cpu: Abacus 3000; cores: 2; load: 0.5" in page


def test_each_section_says_how_to_make_it_anew(root: Path, save: Save) -> None:
    report.write(save(SPARSE, SYSTEMS), root)
    page = lines(root / "docs/benchmarks.md")
    assert "python -m x --data DATA/tales" in page
    made = "python -m eval.bench.sparse --sizes 1000,2000 --json eval/bench/results/sparse.json"
    assert made in page


def test_sections_stand_in_a_fixed_order_and_missing_ones_are_named(root: Path, save: Save) -> None:
    other = BUILD | {"benchmark": "a_new_one"}
    report.write(save(BUILD, SPARSE, SYSTEMS, other), root)
    page = lines(root / "docs/benchmarks.md")
    assert [line for line in page if line.startswith("## ")] == [
        "## Whole systems at hybrid search",
        "## Search by words",
        "## Building",
        "## a\\_new\\_one",
        "## Not measured yet",
    ]
    assert page[-1] == (
        "Search by words: quality, From adding to finding, Search by vectors, Texts to vectors, "
        "The service under load, On a GPU."
    )


def test_quality_comes_from_judged_data_where_the_fast_corpus_has_no_judgements(
    root: Path, save: Save
) -> None:
    found = {
        "saem": {},
        "saem (with passages)": {"nDCG@10": of(0.7)},
        "bm25s": {"nDCG@10": of(0.6)},
    }
    quality = SPARSE | {
        "benchmark": "scifact",
        "contenders": found,
        "sizes": {"9": {"contenders": found}},
    }
    plain = {"saem": {"mean_ms": of(0.5)}, "bm25s": {"mean_ms": of(0.2)}}
    speed = SPARSE | {"contenders": plain, "sizes": {"9": {"contenders": plain}}}
    report.write(save(speed, quality), root)
    text = (root / "README.md").read_text("utf-8")
    assert "| **Saem** | 0.700 | 0.500 |" in text
    assert "| bm25s | 0.600 | 0.200 |" in text
    assert "nDCG@10 was measured on" in text


def test_the_readme_has_both_tables_and_what_was_not_measured(root: Path, save: Save) -> None:
    report.write(save(SPARSE, BUILD, SYSTEMS), root)
    text = (root / "README.md").read_text("utf-8")
    assert (
        "|  | nDCG@10 ↑ | query, mean ms ↓ | built, passages/s ↑ | memory, MB ↓ |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| **Saem** | 0.675 | 0.500 | – | 1,234 |\n"
        "| **Saem**, with passages | 0.675 | 1.50 | – | – |\n"
        "| rank-bm25 | 0.500 | 25.0 | 5,000 | – |\n"
        "| bm25s | – | – | – | – |\n"
        "| tantivy | – | – | – | – |\n"
    ) in text
    assert (
        "|  | nDCG@10 ↑ | built, s ↓ |\n| --- | ---: | ---: |\n"
        "| **Saem** | 0.700 | 12.0 |\n| txtai | – | – |\n| LangChain | – | – |\n"
        "| LlamaIndex | – | – |\n| Haystack | 0.800 | 6.00 |\n"
    ) in text
    assert "Search by words (BM25), tales (2,000):" in text
    assert "Medians, on Abacus 3000 × 2." in text
    korean = (root / "README.ko.md").read_text("utf-8")
    assert "|  | nDCG@10 ↑ | 색인, 초 ↓ |" in korean
    assert "낱말 검색(BM25), tales (2,000):" in korean


def test_only_what_is_between_the_marks_is_replaced(root: Path, save: Save) -> None:
    report.write(save(SYSTEMS), root)
    text = (root / "README.md").read_text("utf-8")
    assert text.startswith(f"# Saem\n\nbefore\n\n{START}\nHybrid search")
    assert text.endswith(f"\n{END}\n\nafter\n")
    assert text.count(START) == text.count(END) == 1


def test_a_second_time_changes_no_byte(root: Path, save: Save) -> None:
    results = save(SPARSE, BUILD, SYSTEMS)
    first = {file: file.read_bytes() for file in report.write(results, root)}
    again = {file: file.read_bytes() for file in report.write(results, root)}
    assert first == again
    assert {file.name for file in first} == {
        "benchmarks.md", "README.md", "README.ko.md", "sparse.svg"
    }  # fmt: skip


def test_a_readme_without_figures_for_it_says_so(root: Path, save: Save) -> None:
    report.write(save(BUILD), root)
    text = (root / "README.md").read_text("utf-8")
    assert text == README.replace(END, f"Nothing has been measured yet: `make bench`.\n{END}")
    assert "아직 잰 것이 없습니다" in (root / "README.ko.md").read_text("utf-8")


@pytest.mark.parametrize(
    "text", ["# Saem\n", f"{START}\n", f"{END}\n{START}\n", f"{START}{END}\n", README + README]
)
def test_missing_marks_are_named_and_nothing_is_written(root: Path, save: Save, text: str) -> None:
    (root / "README.ko.md").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"README\.ko\.md: lacks the lines <!-- benchmarks:start"):
        report.write(save(SPARSE), root)
    assert (root / "README.md").read_text("utf-8") == README
    assert not (root / "docs").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"benchmark": "x"}', "\ufeff\x00",
     json.dumps(SPARSE | {"contenders": {"saem": {"mean_ms": 3}}}),
     json.dumps(SPARSE | {"sizes": {"many": {"contenders": {}}}})],
)  # fmt: skip
def test_a_file_without_figures_is_named(root: Path, save: Save, text: str) -> None:
    file = save(SYSTEMS) / "odd.json"
    file.write_text(text, "utf-8")
    with pytest.raises(SourceError, match=r"odd\.json: holds no benchmark's figures"):
        report.write(file.parent, root)


def test_a_folder_without_files_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: holds no figures"):
        report.write(tmp_path / "nowhere", root)


def test_read_sorts_sizes_by_number(save: Save) -> None:
    sizes = {size: {"contenders": {}} for size in ("10000", "9000", "200000")}
    folder = save(SPARSE | {"sizes": sizes})
    assert list(read(folder / "sparse.json").sizes) == [9000, 10000, 200000]


def test_the_command_line_tells_what_it_wrote_or_why_not(
    root: Path, save: Save, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    save(BUILD)
    monkeypatch.setattr(sys, "argv", ["report", "results"])
    assert report.main() == 0
    assert capsys.readouterr().out.split() == ["docs/benchmarks.md", "README.md", "README.ko.md"]
    monkeypatch.setattr(sys, "argv", ["report", "nowhere"])
    assert report.main() == 2
    assert "nowhere: holds no figures" in capsys.readouterr().err
