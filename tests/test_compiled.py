"""Compiled functions wait for their first call, and then call each other as compiled ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import docs


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_nothing_is_imported_until_the_first_call() -> None:
    code = """
import sys
from indexer.tokens import estimate_tokens
import rag.index, rag.workspace, rag.analysis.batch
print("numba" in sys.modules, estimate_tokens("green tea"), "numba" in sys.modules)
from rag.index import lookup, maxscore
print(type(lookup.view).__name__ == type(maxscore.view).__name__ != "_StandIn")
"""
    assert run(code).split("\n")[:2] == ["False 2 True", "True"]


def test_a_sync_with_nothing_to_do_compiles_nothing(tmp_path: Path) -> None:
    code = """
import sys
from tests.support import docs
from pathlib import Path
from rag.workspace import Workspace
saem = Workspace(docs.settings(Path(sys.argv[1]) / "home"))
report = saem.sync([sys.argv[1] + "/docs"])
print(report.added, report.unchanged, "numba" in sys.modules)
"""
    docs.write(tmp_path / "docs")
    assert run(code, str(tmp_path)).split() == ["5", "0", "True"]
    assert run(code, str(tmp_path)).split() == ["0", "5", "False"]


@pytest.mark.parametrize("threads", [8])
def test_many_may_be_first(threads: int) -> None:
    code = f"""
import threading
from indexer.tokens import estimate_tokens
found = []
ready = threading.Barrier({threads})
def count():
    ready.wait()
    found.append(estimate_tokens("green tea"))
all = [threading.Thread(target=count) for _ in range({threads})]
[t.start() for t in all]; [t.join() for t in all]
print(found == [2] * {threads})
"""
    assert run(code).strip() == "True"
