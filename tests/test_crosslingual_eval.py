"""Questions in one language about pages in another: what is asked, what is taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval import crosslingual
from rag.errors import SourceError
from tests.support import docs

BODY = "A text that is long enough to be asked for, said again and again. " * 4


def manual(tmp_path: Path) -> tuple[Path, Path]:
    for language in ("ko", "en"):
        pages = {
            f"{n}.md": f"# {language} {n}\n\n## subject number {language}{n}\n\n{BODY} tea{n}\n"
            for n in range(6)
        }
        docs.write(tmp_path / language, {**pages, f"only-{language}.md": f"# Only\n\n{BODY}"})
    return tmp_path / "ko", tmp_path / "en"


def test_half_of_the_twins_are_taken_away_and_asked_for_in_the_other_language(
    tmp_path: Path,
) -> None:
    dataset = crosslingual.load(*manual(tmp_path))
    paths = {d.path for d in dataset.documents}
    kinds = {q.labels["kind"] for q in dataset.queries}
    assert kinds == {"cross", "own"}
    assert {"en/only-en.md", "ko/only-ko.md"} <= paths
    assert sum(p.startswith("en/") for p in paths) == 7
    assert sum(p.startswith("ko/") for p in paths) == 4
    for query in dataset.queries:
        (place,) = query.right
        assert place in paths
        twin = f"ko/{place.partition('/')[2]}"
        assert (query.labels["kind"] == "cross") == (place.startswith("en/") and twin not in paths)


def test_words_find_their_own_pages_and_none_of_the_other_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_ENCODER", "hashing")
    monkeypatch.setenv("RAG_CACHE", str(tmp_path / "cache"))
    ko, en = manual(tmp_path)
    crosslingual.main([str(ko), str(en), "--mode", "bm25"])
    lines = capsys.readouterr().out.splitlines()
    own = next(line for line in lines if "own" in line)
    assert "| 1.000 (1.000 to 1.000) | 1.000" in own
    assert any("cross" in line for line in lines)


def test_folders_without_twins_are_refused(tmp_path: Path) -> None:
    one = docs.write(tmp_path / "one", {"a.md": f"# A\n\n{BODY}"})
    other = docs.write(tmp_path / "other", {"b.md": f"# B\n\n{BODY}"})
    with pytest.raises(SourceError, match="no"):
        crosslingual.load(one, other)
