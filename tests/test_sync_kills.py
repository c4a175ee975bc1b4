"""A sync that is ended at some point, or finds its ledger damaged: the next one makes it good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.ledger import Ledger
from indexer.reading import Reading
from indexer.screen import Screen
from rag.errors import RagError
from rag.index import Collection
from rag.workspace import Workspace
from tests.support import docs

TEA = docs.FILES["en/tea.md"]


class Killed(BaseException):
    """The process ends here."""


STEPS = [
    (Screen, "write"),
    (Collection, "upsert"),
    (Collection, "restat"),
    (Collection, "delete"),
    (Ledger, "forget"),
    (Ledger, "put"),
    (Collection, "alias"),
]


def state(saem: Workspace) -> object:
    entries = [(e.path, e.state, e.keeper) for e in saem.entries()]
    return [(d.path, d.aliases) for d in saem.collection().documents()], entries


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("where", "step"), STEPS)
def test_the_next_run_ends_where_this_one_would_have(
    saem: Workspace,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    step: str,
    after: bool,
) -> None:
    docs.write(folder, {"a.md": "# Milk\n\nOat milk is sweet.\n", "copy.md": TEA})
    (folder / "z.md").write_text((folder / "a.md").read_text())
    (folder / "bad.json").write_text("{")
    (folder / "ko/tea.md").unlink()
    os.utime(folder / "notes.txt", (0, 0))
    real = getattr(where, step)

    def killed(*given: object, **named: object) -> None:
        if after:
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(where, step, killed)
        with pytest.raises(Killed):
            docs.index(saem, folder, vectors=False)
    for _ in range(2):
        again = Workspace(saem.settings)
        docs.index(again, folder, vectors=False)
        tea, milk = ((folder / name).as_uri() for name in ("en/tea.md", "a.md"))
        assert state(again) == (
            [("a.md", ("z.md",)), ("en/cors.md", ()), ("en/tea.md", ("copy.md",)),
             ("ko/cors.md", ()), ("notes.txt", ())],
            [("bad.json", "failed", ""), ("copy.md", "alias", tea), ("z.md", "alias", milk)],
        )  # fmt: skip
        again.close()


def test_a_lost_ledger_is_made_again(saem: Workspace, folder: Path, jobs: list[Reading]) -> None:
    (folder / "copy.md").write_text(TEA)
    docs.index(saem, folder)
    before = state(saem)
    (saem.collection().path / "sources.sqlite").unlink()
    report = docs.index(saem, folder)
    assert (report.added, report.unchanged, [d.path for d in report.dropped]) == (0, 5, ["copy.md"])
    assert state(saem) == before
    assert [reading.path for reading in jobs] == ["copy.md", "copy.md"]


def test_one_that_is_damaged_within_goes_and_the_next_run_makes_it_again(
    saem: Workspace, folder: Path
) -> None:
    (folder / "copy.md").write_text(TEA)
    docs.index(saem, folder)
    before = state(saem)
    file = saem.collection().path / "sources.sqlite"
    whole = file.read_bytes()
    with file.open("r+b") as out:  # all but the schema and the items
        for page in range(2, len(whole) // 4096):
            if b"copy.md" not in whole[page * 4096 : (page + 1) * 4096]:
                out.seek(page * 4096)
                out.write(b"\xff" * 4096)
    with pytest.raises(RagError, match=r"sources\.sqlite cannot be used .*Run it again"):
        docs.index(saem, folder)
    docs.index(saem, folder)
    assert state(saem) == before


class TestDuplicates:
    def test_what_fails_now_still_stands_for_its_copies(
        self, saem: Workspace, folder: Path
    ) -> None:
        (folder / "copy.md").write_text(TEA)
        docs.index(saem, folder)
        (folder / "en/tea.md").write_bytes(b"\x00\xff" * 100)
        docs.index(saem, folder)
        assert [d.aliases for d in saem.collection().documents() if d.path == "en/tea.md"] == [
            ("copy.md",)
        ]
        (folder / "en/tea.md").write_text(TEA)
        docs.index(saem, folder)
        assert len(saem.collection().documents()) == 5

    def test_a_touched_file_stands_before_a_new_one(self, saem: Workspace, folder: Path) -> None:
        (folder / "a.md").write_text(TEA)
        os.utime(folder / "en/tea.md", (0, 0))
        report = docs.index(saem, folder)
        assert (report.added, report.unchanged) == (0, 5)
        assert [d.path for d in report.dropped] == ["a.md"]
