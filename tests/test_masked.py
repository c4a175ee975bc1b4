from __future__ import annotations

from pathlib import Path

from rag.types import Answer, SearchResult
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM

KIM = "The keeper of the boat is Kim, 010-1234-5678, kim@example.org."
MASKED = "The keeper of the boat is Kim, *************, ***************."


def test_nothing_personal_is_said_quoted_or_listed(saem: Workspace, folder: Path) -> None:
    (folder / "boat.md").write_text(f"# Boat\n\n{KIM}\n")
    saem.index(folder)
    with FakeLLM(reply=f"{KIM} [1]", pause=0.0) as fake:
        saem.settings = saem.settings.replace(llm_url=fake.url, redact=("phone", "email"))
        events = list(saem.answerer().stream("Who is the keeper of the boat?"))
    assert "010-1234" not in repr(events)
    assert "kim@example" not in repr(events)
    found, *deltas, given = events
    assert isinstance(found, SearchResult)
    assert isinstance(given, Answer)
    assert MASKED in found.hits[0].chunk.text
    assert given.text == "".join(map(str, deltas)) == f"{MASKED} [1]"
    cited = given.citations[0]
    text = saem.collection().text(cited.document, cited.version)
    assert text[cited.start : cited.end] == KIM
    assert len(cited.quote) == len(KIM)


def test_without_kinds_all_is_said(saem: Workspace, folder: Path) -> None:
    (folder / "boat.md").write_text(f"# Boat\n\n{KIM}\n")
    saem.index(folder)
    given = saem.answerer().ask("Who is the keeper of the boat?")
    assert KIM in given.text
