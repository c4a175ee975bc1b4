"""Building an index: from text to searchable, on disk where the engine has files.

``python -m eval.bench.build --data corpus.jsonl.gz``
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from eval.bench import corpora
from eval.bench.harness import Bench, Contender, in_child, main
from eval.bench.roster import ENGINES, wanted

NAMES = [name for name in ENGINES if name != "saem (with passages)"]
NOTE = (
    "Analysis included, each system's own for English; one thread, but for 'tantivy (all cores)' "
    "and Java's collector and compiler. Saem, bm25s, tantivy and FTS5 keep the texts as well, "
    "Lucene does not. Saem commits every 1,000 passages, as `rag index` does, the others once. "
    "rank-bm25 has no files. Every repetition is a fresh process; peak_mb is all of it, the "
    "corpus's texts included."
)


def build(name: str, folder: str, data: str, size: int) -> float:
    """Seconds to make an engine's index."""
    passages = corpora.passages(Path(data), size)
    engine = ENGINES[name](Path(folder))
    started = time.perf_counter()
    engine.build(passages)
    return time.perf_counter() - started


def body(bench: Bench) -> None:
    sizes, _ = corpora.fitting(bench)
    bench.corpus["note"] = NOTE
    names = wanted(bench, NAMES)
    for size in sizes:
        bench.measure(size, [_contender(bench, name, size) for name in names])


def _contender(bench: Bench, name: str, size: int) -> Contender:
    def run() -> dict[str, float]:
        bench.log(f"{size:,}: {name}")
        with tempfile.TemporaryDirectory() as folder:
            seconds, peak = in_child(build, name, folder, str(bench.data), size)
            files = [f.stat().st_size for f in Path(folder).rglob("*") if f.is_file()]
        found = {"passages_per_s": size / seconds, "seconds": seconds, "peak_mb": peak}
        return {**found, "disk_mb": sum(files) / 2**20} if files else found

    return Contender(name, run)


if __name__ == "__main__":
    raise SystemExit(
        main("Building an index beside others.", None, body,
             sizes=(10_000, 50_000, 200_000), repetitions=3)
    )  # fmt: skip
