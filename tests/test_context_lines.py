"""Contextual lines: written once, kept by content, missing where the model fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from indexer.chunk import Chunker
from indexer.context_lines import FILE, Lined, prompt
from indexer.readers import read
from rag.errors import LLMUnavailable, SourceError
from rag.types import Document

TEXT = "# Tea\n\nGreen tea is brewed.\n\n## 차\n\n녹차는 여든 도에서 우립니다.\n"


def document(text: str = TEXT) -> Document:
    return read(text.encode(), uri="u", path="a.md").document


class Model:
    """Says how many it was asked before, and fails when told to."""

    def __init__(self, *fails: int) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails = fails

    def __call__(self, rules: str, material: str) -> str:
        self.asked.append((rules, material))
        if len(self.asked) - 1 in self.fails:
            raise LLMUnavailable("http://x", "it is down")
        return f'\n"Line {len(self.asked) - 1}."\nand more'


@contextmanager
def lined(folder: Path, model: Model, name: str = "m", tokens: int = 10) -> Iterator[Lined]:
    with closing(Lined(Chunker(tokens=tokens), folder, model, name)) as made:
        yield made


def test_lines_stand_above_the_passages_and_nothing_else_changes(tmp_path: Path) -> None:
    with lined(tmp_path, Model()) as chunker:
        chunks = chunker(document())
        assert (chunker.written, chunker.failed) == (2, 0)
    plain = Chunker(tokens=10)(document())
    assert [c.lead for c in chunks] == ["Line 0.", "Line 1."]
    assert [(c.id, c.start, c.end, c.heading) for c in chunks] == [
        (c.id, c.start, c.end, c.heading) for c in plain
    ]
    assert chunks[0].context == f"Tea\nLine 0.\n{chunks[0].text}"


def test_a_line_stands_before_a_tables_header(tmp_path: Path) -> None:
    rows = "".join(f"| row {i} | {i} |\n" for i in range(30))
    with lined(tmp_path, Model(), tokens=40) as chunker:
        *_, last = chunker(document(f"| name | value |\n|---|---|\n{rows}"))
    assert last.lead.split("\n")[1:] == ["| name | value |"]
    assert last.lead.startswith("Line ")


def test_each_is_asked_for_once_and_another_model_anew(tmp_path: Path) -> None:
    first, again, other = Model(), Model(), Model()
    with lined(tmp_path, first) as chunker:
        before = chunker(document())
        assert chunker(document()) == before
    with lined(tmp_path, again) as chunker:
        assert chunker(document()) == before
        changed = chunker(document(TEXT.replace("여든", "아흔")))
    assert len(first.asked) == 2
    assert [m[1].split("\n")[-1] for m in again.asked] == ["녹차는 아흔 도에서 우립니다."]
    assert [c.lead for c in changed] == ["Line 0.", "Line 0."]  # the first is remembered
    with lined(tmp_path, other, "n") as chunker:
        chunker(document())
    assert len(other.asked) == 2


def test_a_failure_leaves_a_passage_without_and_is_tried_again(tmp_path: Path) -> None:
    with lined(tmp_path, Model(0)) as chunker:
        assert [c.lead for c in chunker(document())] == ["", "Line 1."]
        assert (chunker.written, chunker.failed) == (1, 1)
    with lined(tmp_path, Model()) as chunker:
        assert [c.lead for c in chunker(document())] == ["Line 0.", "Line 1."]


def test_a_model_that_is_down_is_not_asked_for_ever(tmp_path: Path) -> None:
    model = Model(*range(100))
    with lined(tmp_path, model) as chunker:
        many = chunker(document("Some more words stand here, ten.\n\n" * 20))
        assert len(many) == 20
        assert len(model.asked) == 5
        assert chunker.failed == 20
        assert all(c.lead == "" for c in many)


@pytest.mark.parametrize("said", ["", " \n ", '""'])
def test_an_empty_line_is_none(tmp_path: Path, said: str) -> None:
    with closing(Lined(Chunker(), tmp_path, lambda rules, text: said, "m")) as chunker:
        assert [c.lead for c in chunker(document())] == [""]
        assert chunker.failed == 1


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    with closing(Lined(Chunker(), tmp_path, lambda rules, text: "말 " * 400, "m")) as chunker:
        (only,) = chunker(document())
    assert only.lead == ("말 " * 150).strip()


def test_rules_are_in_the_passages_language_and_the_material_says_where_it_is() -> None:
    one, two = Chunker(tokens=10)(document())
    rules, material = prompt(document(), one)
    assert rules.startswith("So that a passage")
    assert material == f"Title: Tea\n\nSection: Tea\n\nPassage: {one.text}"
    rules, material = prompt(document(), two)
    assert "한국어 한 문장" in rules
    assert material == (
        f"문서 제목: Tea\n\n소제목: Tea > 차\n\n문서의 시작: {TEXT.strip()}\n\n조각: {two.text}"
    )


def test_several_at_once_are_the_same(tmp_path: Path) -> None:
    text = "\n\n".join(f"Some words stand here {i}." for i in range(30))
    with closing(
        Lined(Chunker(tokens=8), tmp_path, lambda rules, said: said[-3:], "m", threads=4)
    ) as chunker:
        chunks = chunker(document(text))
        assert chunker.written == 30
    assert [c.lead for c in chunks] == [c.text[-3:].strip() for c in chunks]


def test_its_fingerprint_names_the_model_and_the_chunker(tmp_path: Path) -> None:
    with lined(tmp_path, Model()) as a, lined(tmp_path, Model(), "n") as b:
        assert a.fingerprint != b.fingerprint
        assert a.fingerprint.startswith(Chunker(tokens=10).fingerprint)
        assert not a.portable


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database, " * 100)
    with lined(tmp_path, Model()) as chunker:
        assert [c.lead for c in chunker(document())] == ["Line 0.", "Line 1."]


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(SourceError, match="cannot be opened") as error:
        Lined(Chunker(), tmp_path, Model(), "m")
    assert error.value.path == str(tmp_path / FILE)
