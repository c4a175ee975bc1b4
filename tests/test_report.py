from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from eval import plots
from eval.report import write_report
from eval.result import Curve, Interval, Result
from rag.errors import DependencyMissing
from tests.support import results

KOREAN = "bm25 한국어 <b>"


def page(result: Result, folder: Path) -> LexborHTMLParser:
    write_report(result, folder / "report.html")
    return LexborHTMLParser((folder / "report.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LexborHTMLParser:
    return page(results.result(), tmp_path_factory.mktemp("report"))


def text(node: LexborNode | None) -> str:
    assert node is not None
    return " ".join(node.text().split())


def rows(html: LexborHTMLParser, caption: str) -> list[list[str]]:
    """Cells, head first, of the one table with that caption."""
    table = next(t for t in html.css("table") if text(t.css_first("caption")) == caption)
    return [[text(cell) for cell in tr.css("th, td")] for tr in table.css("tr")]


def path_points(svg: str, gid: str) -> list[tuple[float, float]]:
    """Corners of the path drawn under that id, in the picture's own units, y downwards."""
    found = re.search(rf'<g id="{gid}">(?:\s*<defs>)?\s*<path [^>]*?\bd="(.*?)"', svg, re.DOTALL)
    assert found
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", found[1])]


def markers(svg: str, gid: str) -> list[tuple[float, float]]:
    """Where the markers of the line of that id stand."""
    part = svg[svg.index(f'<g id="{gid}">') :]
    uses = re.findall(r'<use [^>]*x="(\S+)" y="(\S+)"', part[: part.index("</g>\n   <g")])
    return [(float(x), float(y)) for x, y in uses]


def test_what_was_measured_stands_on_top(whole: LexborHTMLParser) -> None:
    assert text(whole.css_first("h1")) == "tea 차: 3 configurations by nDCG@10"
    assert text(whole.css_first(".verdict")) == (
        "hybrid is first in nDCG@10: 0.562 [.463, .613]. "
        "It differs significantly from 1 of the 2 others."
    )
    said = {text(dt): text(dd) for dt, dd in zip(whole.css("dt"), whole.css("dd"), strict=True)}
    assert said == {
        "Data": "4 queries, 4 documents, 1,234 passages",
        "Command": "rag eval --data tea --grid 'small & <odd>'",
        "Machine": "2 cores",
        "Date": "2026-11-21T12:00:00+00:00",
        "Version": "0.2.0",
    }


def test_leaderboard(whole: LexborHTMLParser) -> None:
    assert rows(whole, "Means with 95 % bootstrap intervals, best first") == [
        ["Configuration", "nDCG@10", "F1", "p50 ms"],
        ["hybrid", "0.562 [.463, .613]", "0.876 [.800, 1.000]", "25"],
        [KOREAN, "0.375 [.275, .425]", "0.876 [.800, 1.000]", "2.5"],
        ["dense *", "0.250 [.150, .300]", "–", "–"],
    ]
    assert "* differs significantly from the first row" in text(whole.css_first(".soft"))


def test_comparisons_latency_totals_and_settings(whole: LexborHTMLParser) -> None:
    assert rows(whole, "Paired permutation tests over the same queries")[1:] == [
        [f"hybrid − {KOREAN}", "nDCG@10", "+0.188 [-0.010, +0.400]", "2 / 0 / 2", "0.2000", "no"],
        ["dense − hybrid", "nDCG@10", "-0.312 [-0.500, -0.100]", "0 / 2 / 2", "<0.001", "yes"],
        [f"{KOREAN} − hybrid", "F1", "+0.000 [+0.000, +0.000]", "0 / 0 / 4", "1.0000", "no"],
    ]
    assert rows(whole, "Milliseconds a query: the median, and under it the 95th percentile") == [
        ["Configuration", "total", "bm25"],
        ["hybrid", "25 38", "25 38"],
        [KOREAN, "2.5 3.8", "2.5 3.8"],
    ]
    assert rows(whole, "Sums over all queries") == [
        ["Configuration", "prompt tokens", "cost"],
        ["hybrid", "12,345", "0.2500"],
        [KOREAN, "12,345", "0.2500"],
    ]
    assert rows(whole, "Those in which the configurations differ come first") == [
        ["Setting", "hybrid", KOREAN, "dense"],
        ["mode", "hybrid", "bm25", "dense"],
        ["depth", "100", "100", "100"],
    ]


def test_lost_queries(whole: LexborHTMLParser) -> None:
    caption = "Our best configuration's, worst first, with the best relevant rank at each stage"
    assert rows(whole, caption) == [
        ["Query", "nDCG@10", "Lost by", "bm25", "dense", "fuse", "Relevant", "Found instead"],
        ["red [bold]�[31m�text�", "0.000", "dense", "12", "–", "–", "차/녹차 우리기.md", "–"],
        [results.QUERIES["q3"], "0.500", "fuse", "1", "–", "1,234", "cors.md", "<a>.md, tea.md"],
    ]


def test_tables_beside_the_plots(whole: LexborHTMLParser) -> None:
    assert rows(whole, "nDCG@10 by configuration")[3] == ["dense", "0.250 [.150, .300]"]
    assert rows(whole, "The 10 queries at either end") == [
        ["Query", "Difference in nDCG@10"],
        [results.QUERIES["q3"], "+0.500"],
        [results.QUERIES["q2"], "+0.250"],
    ]
    assert rows(whole, "Recall by depth")[:2] == [
        ["Configuration", "R@1", "R@10", "R@100"],
        ["hybrid", "0.281", "0.562", "1.000"],
    ]
    assert rows(whole, "Latency against nDCG@10")[2] == [KOREAN, "2.5", "3.8", "0.375"]
    risk = rows(whole, "Share of answers that are wrong, by share answered")
    assert risk[0][1:] == [f"{n}%" for n in range(10, 101, 10)]
    assert risk[1] == ["hybrid", "–", "–", *["0.000"] * 2, *["0.125"] * 5, "0.438"]


def test_every_plot_has_its_data_names_and_a_label(whole: LexborHTMLParser) -> None:
    wanted = [
        ("nDCG@10 by configuration: hybrid 0.562 [.463, .613]; bm25",
         ["mean-0", "mean-1", "mean-2"]),
        (f"Difference in nDCG@10 of hybrid to {KOREAN} for each of 4 queries: 2 won, 0 lost, 2",
         ["wins-1", "losses-1"]),
        (f"Recall by depth of hybrid; {KOREAN}; dense", ["recall-0", "recall-1", "recall-2"]),
        ("nDCG@10 by median milliseconds: hybrid 0.562 in 25;", ["latency-0", "latency-1"]),
        ("Share of answers that are wrong", [f"risk-coverage-{i}" for i in range(3)]),
    ]  # fmt: skip
    pictures = whole.css("figure svg")
    for (label, ids), svg in zip(wanted, pictures, strict=True):
        assert (svg.attributes["aria-label"] or "").startswith(label)
        assert svg.attributes["role"] == "img"
        named = [node.attributes["id"] for node in svg.css("g[id]")]
        assert [id_ for id_ in named if id_ in ids] == ids
        texts = [text(node) for node in svg.css("text")]
        assert KOREAN in texts or "queries" in texts
    assert "dense *" in [text(node) for node in pictures[0].css("text")]


def test_curves_are_drawn_to_scale() -> None:
    curve: Curve = ((1.0, 0.2), (10.0, 0.5), (100.0, 0.8))
    outcome = replace(results.outcome("hybrid"), curves={"recall": curve})
    svg = plots.recall(replace(results.bare(), outcomes=(outcome,)))
    (x1, y1), (x2, y2), (x3, y3) = path_points(svg, "recall-0")
    assert x3 - x2 == pytest.approx(x2 - x1, abs=0.01)
    assert y2 - y3 == pytest.approx(y1 - y2, abs=0.01)
    assert x3 > x1
    assert y3 < y1


def test_means_stand_in_order_on_their_axis() -> None:
    svg = plots.leading(results.result())
    (a, ya), (b, yb), (c, yc) = (markers(svg, f"mean-{i}")[0] for i in range(3))
    assert ya < yb < yc
    assert (a - b) / (b - c) == pytest.approx((0.5625 - 0.375) / (0.375 - 0.25), rel=1e-3)


def test_wins_are_above_and_losses_below_in_their_share() -> None:
    svg = plots.wins(results.result(), "hybrid", "dense")
    first, second, *_ = sorted({y for _, y in path_points(svg, "wins-2")})
    base = max(y for _, y in path_points(svg, "wins-2"))
    assert (base - first) / (base - second) == pytest.approx(0.75 / 0.5, rel=1e-3)
    turned = plots.wins(results.result(), "dense", "hybrid")
    for drawn, gid, side in ((svg, "wins-2", -1), (turned, "losses-0", 1)):
        points = path_points(drawn, gid)
        assert {round(side * (y - base), 1) >= 0 for _, y in points} == {True}
        spread = max(x for x, _ in points) - min(x for x, _ in points)
        assert spread == pytest.approx((5.0 - 0.8 - 0.15) * 72 * 2 / 4, abs=0.1)
    assert '<g id="losses-2"/>' in svg
    assert plots.differences(results.result(), "hybrid", "dense") == [
        ("q1", 0.75), ("q3", 0.5), ("q 4", 0.0), ("q2", 0.0),
    ]  # fmt: skip
    assert plots.differences(results.result(), "dense", "hybrid")[-1] == ("q1", -0.75)


def test_foreign_text_is_only_ever_text(whole: LexborHTMLParser, tmp_path: Path) -> None:
    assert whole.css("script, b:not(.notes b), i, img, a, iframe, link, object") == []
    evil = "--></style></svg><script>x</script>\"'><img src=x onerror=y>{{ 7*7 }}${a}^_"
    result = results.result()
    outcome = replace(
        result.outcomes[0], name=evil, settings={evil: evil}, notes=(evil,), totals={evil: 1.0}
    )
    lost = replace(result.lost[0], stage=evil, relevant=(evil,), ranks={evil: 1})
    comparison = replace(result.comparisons[0], name=evil)
    html = page(
        replace(result, dataset=evil, command=evil, machine=evil, queries={"q1": evil},
                outcomes=(outcome, *result.outcomes[1:]), lost=(lost,),
                comparisons=(comparison,), warnings=(evil,)),
        tmp_path,
    )  # fmt: skip
    assert html.css("script, img, [onerror]") == []
    assert evil in text(html.css_first("h1"))
    assert rows(html, "Sums over all queries")[1][0] == evil
    assert any(evil[:40] in text(node) for node in html.css("svg text"))
    assert len(html.css("figure svg")) == 5


def test_the_page_needs_nothing_else(whole: LexborHTMLParser) -> None:
    raw = whole.html or ""
    policy = whole.css_first("meta[http-equiv=Content-Security-Policy]")
    assert policy is not None
    assert policy.attributes["content"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert set(re.findall(r"https?://[^\"\s]+", raw)) <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    assert re.findall(r"url\((?!#)", raw) == []
    assert "@import" not in raw


def test_headings_captions_and_heads_are_there(whole: LexborHTMLParser) -> None:
    assert [text(h) for h in whole.css("h2")] == [
        "Leaderboard", "Warnings and notes", "Plots", "Paired comparisons", "Latency by stage",
        "Tokens and cost", "Queries that lost most", "Settings",
    ]  # fmt: skip
    for table in whole.css("table"):
        assert text(table.css_first("caption"))
        assert all(tr.css_first("th[scope=row]") for tr in table.css("tbody tr"))
    assert [text(li) for li in whole.css(".notes li")] == [
        "Warning: 2 questions have no judgements & were left out",
        "dense: no encoder: <i>lexical</i>",
    ]


def test_the_same_result_gives_the_same_page(tmp_path: Path) -> None:
    write_report(results.result(), tmp_path / "a.html")
    write_report(results.result(), tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_bare_result(tmp_path: Path) -> None:
    html = page(results.bare(), tmp_path)
    assert [text(h) for h in html.css("h2")] == ["Leaderboard", "Plots", "Settings"]
    assert text(html.css_first("h1")) == "tea 차: 1 configuration by nDCG@10"
    assert text(html.css_first(".verdict")) == "hybrid is first in nDCG@10: 0.562 [.463, .613]."
    empty = page(replace(results.bare(), outcomes=()), tmp_path)
    assert text(empty.css_first(".verdict")) == "Nothing was measured."


def test_a_common_baseline_gets_a_picture_too(tmp_path: Path) -> None:
    result = results.result()
    pairs = [("hybrid", "dense"), (KOREAN, "dense")]
    held = tuple(
        replace(result.comparisons[0], name=name, baseline=baseline) for name, baseline in pairs
    )
    html = page(replace(result, comparisons=held), tmp_path)
    assert [text(h) for h in html.css("h3")][1:3] == [
        f"hybrid against {KOREAN}, query by query", "hybrid against dense, query by query",
    ]  # fmt: skip


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_the_extra(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DependencyMissing, match=rf"{package} is not installed.*saem\[eval\]"):
        write_report(results.result(), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("background", [(255, 255, 255), (0x14, 0x17, 0x1A)])
@pytest.mark.parametrize("colour", plots.COLOURS)
def test_colours_stand_out_on_light_and_dark(colour: str, background: tuple[int, ...]) -> None:
    def luminance(rgb: tuple[int, ...]) -> float:  # WCAG 2.2, relative luminance
        r, g, b = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
                   for c in (n / 255 for n in rgb))  # fmt: skip
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    ours = luminance(tuple(bytes.fromhex(colour[1:])))
    dark, light = sorted((ours, luminance(background)))
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_many_configurations_and_queries_stay_apart_and_small() -> None:
    one = results.outcome("hybrid")
    queries = {f"q{i}": "?" for i in range(5000)}
    outcomes = tuple(
        replace(one, name=f"설정 {n}", summary={"nDCG@10": Interval(0.5, 0.4, 0.6)},
                values={"nDCG@10": {q: (i * n) % 7 / 7 for i, q in enumerate(queries)}})
        for n in range(1, 19)
    )  # fmt: skip
    result = replace(results.result(), outcomes=outcomes, queries=queries, comparisons=())
    assert len(plots.wins(result, "설정 1", "설정 2")) < 100_000
    svg = plots.recall(result)
    styles = re.findall(r'<g id="recall-\d+">.*?style="([^"]*)"', svg, re.DOTALL)
    assert len(set(styles)) == 18
