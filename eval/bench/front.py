"""The READMEs' table: Saem beside what readers know, in quality and in speed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.bench.measured import QUALITY, Benchmark, Spread, escaped, number, table
from rag.errors import SourceError

START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"
_BETWEEN = re.compile(f"{re.escape(START)}\n(?:.*?\n)?{re.escape(END)}", re.DOTALL)
_WORDS = ("saem", "rank-bm25", "bm25s", "tantivy")
_SYSTEMS = ("saem", "txtai", "langchain", "llamaindex", "haystack")
_SHOWN = {"saem": "**Saem**", "langchain": "LangChain", "llamaindex": "LlamaIndex",
          "haystack": "Haystack", "saem (with passages)": "**Saem**, with passages"}  # fmt: skip
_BUILD = ("passages_per_s", "build_s")
_COLUMNS = ("nDCG@10", "mean_ms", "p50_ms", *_BUILD, "memory_mb")


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one README's table; ``heads`` are those of the columns, by metric."""

    words: str
    systems: str
    judged: str
    built: str
    foot: str
    nothing: str
    heads: Mapping[str, str]


ENGLISH = Language(
    words="Search by words (BM25), {corpus}:",
    systems="Hybrid search by whole systems, with the same vectors, {corpus}:",
    judged="nDCG@10 was measured on {corpus}.",
    built="Building was measured on {corpus}.",
    foot="Medians, on {machine}. ↑ more is better, ↓ less is; – was not measured. All figures, "
    "with their spread and how to make them anew: [docs/benchmarks.md](docs/benchmarks.md).",
    nothing="Nothing has been measured yet: `make bench`.",
    heads={
        "nDCG@10": "nDCG@10 ↑",
        "mean_ms": "query, mean ms ↓",
        "p50_ms": "query, median ms ↓",
        "passages_per_s": "built, passages/s ↑",
        "build_s": "built, s ↓",
        "memory_mb": "memory, MB ↓",
    },
)
KOREAN = Language(
    words="낱말 검색(BM25), {corpus}:",
    systems="시스템 전체의 하이브리드 검색, 같은 벡터 사용, {corpus}:",
    judged="nDCG@10은 {corpus}에서 쟀습니다.",
    built="색인 속도는 {corpus}에서 쟀습니다.",
    foot="중앙값, {machine}. ↑ 클수록, ↓ 작을수록 좋음; – 재지 않음. 편차와 재현 방법을 포함한 "
    "모든 수치: [docs/benchmarks.md](docs/benchmarks.md).",
    nothing="아직 잰 것이 없습니다: `make bench`.",
    heads={
        "nDCG@10": "nDCG@10 ↑",
        "mean_ms": "질의 평균 ms ↓",
        "p50_ms": "질의 중앙값 ms ↓",
        "passages_per_s": "색인, 문단/초 ↑",
        "build_s": "색인, 초 ↓",
        "memory_mb": "메모리, MB ↓",
    },
)


def replaced(text: str, file: Path, content: str) -> str:
    """``text`` of ``file`` with ``content`` between the two marks.

    Raises
    ------
    SourceError
        The marks are not there, each once and on lines of their own.
    """
    if text.count(START) != 1 or text.count(END) != 1 or not _BETWEEN.search(text):
        raise SourceError(
            str(file),
            f"lacks the lines {START} and {END}",
            remedy="Put each once, in this order, where the benchmarks' table belongs",
        )
    return _BETWEEN.sub(lambda _: f"{START}\n{content}\n{END}", text)


def front(found: Mapping[str, Benchmark], language: Language) -> str:
    """The tables of ``found`` benchmarks by name: ``sparse`` with ``build``, ``rag_systems``."""
    parts, machines = [], []
    if sparse := found.get("sparse"):
        build = found.get("build")
        more = build.contenders if build else {}
        figures = {
            name: {m: s for m, s in more.get(name, {}).items() if m in _BUILD} | dict(metrics)
            for name, metrics in sparse.contenders.items()
        }
        if "saem" in figures:  # gives bare ids, in the order that it gives the passages in
            figures["saem"] |= _quality(figures.get("saem (with passages)", {}))
        parts += [language.words.format(corpus=corpus(sparse)), _table(figures, _WORDS, language)]
        machines.append(sparse)
        if quality := found.get("scifact"):
            parts.append(language.judged.format(corpus=corpus(quality)))
            for name, metrics in quality.contenders.items():
                figures.setdefault(name, {}).update(_quality(metrics))
            figures["saem"] |= _quality(quality.contenders.get("saem (with passages)", {}))
            parts[1] = _table(figures, _WORDS, language)
        if build:
            parts.append(language.built.format(corpus=corpus(build)))
            machines.append(build)
    if systems := found.get("rag_systems"):
        parts.append(language.systems.format(corpus=corpus(systems)))
        parts.append(_table(systems.contenders, _SYSTEMS, language))
        machines.append(systems)
    if not parts:
        return language.nothing
    places = dict.fromkeys(
        f"{escaped(b.machine.get('cpu', '?'))} × {escaped(b.machine.get('cores', '?'))}"
        for b in machines
    )
    return "\n\n".join([*parts, language.foot.format(machine="; ".join(places))])


def _quality(metrics: Mapping[str, Spread]) -> dict[str, Spread]:
    return {metric: values for metric, values in metrics.items() if QUALITY.search(metric)}


def corpus(benchmark: Benchmark) -> str:
    """Its name, and its size where that is known."""
    name = escaped(benchmark.corpus.get("name", "?"))
    size = max(benchmark.sizes, default=None)
    return f"{name} ({size:,})" if size else name


def _table(
    figures: Mapping[str, Mapping[str, Spread]], wanted: tuple[str, ...], language: Language
) -> str:
    """A row for each of the ``wanted``, measured or not, and variants such as ``bm25s numba``."""
    names = [
        name
        for want in wanted
        for name in [n for n in figures if re.split(r"[ (,]", n)[0] == want] or [want]
    ]
    columns = [c for c in _COLUMNS if any(c in figures.get(name, {}) for name in names)]
    rows = [
        [_SHOWN.get(name, escaped(name)),
         *(number(figures[name][c]["median"]) if c in figures.get(name, {}) else "–"
           for c in columns)]
        for name in names
    ]  # fmt: skip
    return table(["", *(language.heads[c] for c in columns)], rows)
