"""The lexical engines by name, which of them run here, and in which versions."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from eval.bench import corpora, lexical, lucene
from eval.bench.harness import Bench

ENGINES: dict[str, type[lexical.Engine]] = {
    "saem": lexical.Saem,
    "saem (with passages)": lexical.SaemSearcher,
    "bm25s": lexical.Bm25s,
    "tantivy": lexical.Tantivy,
    "tantivy (all cores)": lexical.TantivyThreads,
    "SQLite FTS5": lexical.Fts5,
    "rank-bm25": lexical.RankBm25,
    "lucene": lucene.Lucene,
}
_PACKAGES = ("saem", "bm25s", "numba", "tantivy", "rank-bm25", "pyserini")


def wanted(bench: Bench, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that ``--only`` allows and that run here; the rest is put on record."""
    left = [name for name in names if bench.wants(name)]
    if "lucene" in left and (why := lucene.missing()):
        bench.skip("lucene", why)
        left.remove("lucene")
    bench.corpus["versions"] = {p: v for p in _PACKAGES if (v := _version(p))}
    if "lucene" in left and (home := lucene.newest()):
        bench.corpus["versions"]["java"] = str(lucene.version(home))
    return left


def build(name: str, folder: str, data: str, size: int) -> None:
    """Make an engine's index."""
    ENGINES[name](Path(folder)).build(corpora.passages(Path(data), size))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
