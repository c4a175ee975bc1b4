"""Collections under test: other processes that use them, and what they hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rag.index import Collection
from rag.types import Filter
from tests.support.corpus import document

ROOT = Path(__file__).parent.parent.parent
PRELUDE = """
import sys, time
from pathlib import Path
from rag.index import Collection, compact, segment
from rag.types import Filter
from tests.support.corpus import encode, row, vector
path = Path(sys.argv[1])
"""


def spawn(place: Path, script: str) -> subprocess.Popen[str]:
    """Another process that runs ``script`` on the collection."""
    command = [sys.executable, "-c", PRELUDE + script, str(place)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )


def elsewhere(place: Path, script: str) -> str:
    """What another process that runs ``script`` prints."""
    process = spawn(place, script)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return out.strip()


def found(collection: Collection, *terms: str, filter: Filter | None = None) -> list[str]:  # noqa: A002
    """Texts of the passages found, in the order of their paths and positions."""
    ids = [i for i, _ in collection.sparse(terms, 100, filter)]
    hits = collection.fetch(ids)
    return [hits[i].text for i in sorted(ids, key=lambda i: (hits[i].path, hits[i].position))]


def doc_id(name: str) -> str:
    return document(name, "").id


def listed(collection: Collection) -> set[str]:
    return {str(n) for (n,) in collection._read.rows("SELECT segment FROM segments")}


def on_disk(place: Path) -> set[str]:
    return {f.name for f in (place / "segments").iterdir()}
