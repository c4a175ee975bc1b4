"""What is found small is read large: from the settings to the prompt and the citations."""

from __future__ import annotations

from pathlib import Path

from rag.answer import Answerer
from rag.workspace import Workspace
from tests.support import docs
from tests.test_answerer import Scripted, resolves

TEXT = (
    "# Tea house\n\nGreen tea is brewed at eighty degrees. It is served in small cups. "
    "Black tea needs boiling water instead. It stays in the pot for four minutes. "
    "The pot is warmed before. Honey is kept on the shelf beside the window.\n\n"
    "## 찻집의 시간\n\n찻집은 아침 아홉 시에 엽니다. 저녁에는 여섯 시에 닫습니다. "
    "월요일에는 쉽니다.\n"
)


def test_an_answer_may_cite_what_stands_beside_the_passage_found(tmp_path: Path) -> None:
    source = docs.write(tmp_path / "docs", {"tea.md": TEXT})
    saem = Workspace(docs.settings(tmp_path / "home", chunking="parent-child", chunk_tokens=60))
    saem.sync([source])
    searcher = saem.searcher()
    first = searcher.search("How is black tea made?").hits[0].chunk
    assert "Black tea" in first.text
    assert "Honey" not in first.text
    llm = Scripted("Honey is kept on the shelf beside the window [1].")
    given = Answerer(searcher, llm).ask("How is black tea made?")
    assert "[1] Tea house\n# Tea house\n\nGreen tea is brewed" in llm.asked[0][-1].content
    assert llm.asked[0][-1].content.count("eighty degrees") == 1
    assert [c.quote for c in given.citations] == ["Honey is kept on the shelf beside the window."]
    resolves(saem, given)
    saem.close()


def test_semantic_passages_are_cut_by_the_encoder_that_is_set(tmp_path: Path) -> None:
    source = docs.write(tmp_path / "docs", {"tea.md": TEXT})
    saem = Workspace(docs.settings(tmp_path / "home", chunking="semantic", chunk_tokens=40))
    report = saem.sync([source])
    assert report.added == 1
    (document,) = saem.collection().documents()
    found = saem.collection().passages(document.id)
    assert len(found) > 1
    assert "".join("".join(c.text.split()) for c in found) == "".join(TEXT.split())
    saem.close()
