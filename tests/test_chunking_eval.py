"""Ways to cut compared by what is read of the answers within a budget of tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval import chunking, spans
from eval.chunking import Cut, Reading, measure, recall, table
from eval.configuration import from_grid
from eval.dataset import Query
from indexer.chunk import Chunker
from indexer.tokens import ESTIMATE
from rag.errors import ConfigError, SourceError
from rag.settings import Settings
from rag.types import Chunk, Document

TEXT = "one two three four five six seven eight nine ten"


def squad(folder: Path) -> Path:
    def paragraph(context: str, *asked: tuple[str, str]) -> dict[str, Any]:
        qas = [
            {"id": question, "question": question,
             "answers": [{"text": answer, "answer_start": context.index(answer)}]}
            for question, answer in asked
        ]  # fmt: skip
        return {"context": context, "qas": qas}

    hot = paragraph("Green tea is brewed at 80 degrees.", ("How hot is tea?", "80 degrees"))
    grown = paragraph("It is grown in Boseong.", ("Where is it grown?", "Boseong"))
    grown["qas"] += [{"id": "Bad?", "question": "Bad?", "answers": []}]
    korean = paragraph("녹차는 보성에서 난다.", ("어디에서 나는가?", "보성"))
    articles = [
        {"title": "Green_tea", "paragraphs": [hot, grown]},
        {"title": "차", "paragraphs": [korean]},
    ]
    path = folder / "set.json"
    path.write_text(json.dumps({"data": articles}), "utf-8")
    return path


class TestSets:
    def test_paragraphs_are_joined_and_answers_stay_in_place(self, tmp_path: Path) -> None:
        found = spans.load(squad(tmp_path))
        text = "Green tea is brewed at 80 degrees.\n\nIt is grown in Boseong."
        assert [(d.path, d.title, d.text) for d in found.documents] == [
            ("0.txt", "Green tea", text),
            ("1.txt", "차", "녹차는 보성에서 난다."),
        ]
        known = {d.path: d.text for d in found.documents}
        assert [
            (q.text, known[path][start:end])
            for q in found.queries
            for path, start, end in spans.places(q)
        ] == [
            ("How hot is tea?", "80 degrees"),
            ("Where is it grown?", "Boseong"),
            ("어디에서 나는가?", "보성"),
        ]

    def test_fewer_documents_have_only_their_own_questions(self, tmp_path: Path) -> None:
        found = spans.load(squad(tmp_path), documents=1, seed=1)
        (only,) = found.documents
        assert found.queries
        assert {path for q in found.queries for path, _, _ in spans.places(q)} == {only.path}

    def test_headings_ask_for_what_is_below(self, tmp_path: Path) -> None:
        body = "Some words about it. " * 10
        one = f"# One page\n\n{body}\n\n## Brew green tea\n\n{body}\n\n## Next steps\n\nShort.\n"
        (tmp_path / "a.md").write_text(one, "utf-8")
        (tmp_path / "b.md").write_text(f"# Other page\n\n## Twice said\n\n{body}", "utf-8")
        (tmp_path / "c.md").write_text(f"# Short\n\n## Twice said\n\n{body}", "utf-8")
        (tmp_path / "d.bin").write_bytes(b"\0\1\2")
        found = spans.load(tmp_path)
        known = {d.path: d.text for d in found.documents}
        asked = {q.text: spans.places(q)[0] for q in found.queries}
        assert list(asked) == ["One page", "Brew green tea"]
        path, start, end = asked["Brew green tea"]
        assert (path, known[path][start:end]) == ("a.md", body.strip())

    @pytest.mark.parametrize("text", ["{}", "nonsense", '{"data": [{"title": "a"}]}', "[]"])
    def test_another_shape_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "x.json").write_text(text, "utf-8")
        with pytest.raises(SourceError, match=r"x\.json.*SQuAD's shape"):
            spans.load(tmp_path / "x.json")

    def test_nothing_to_ask(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="no question with a known place"):
            spans.load(tmp_path)


def passage(words: str, outer: tuple[int, int] | None = None, title: str = "") -> Chunk:
    start = TEXT.index(words)
    return Chunk("d", "v", 0, start, start + len(words), words, "p", title, outer=outer)


def reading() -> Reading:
    return Reading([Document("u", "p", "", TEXT)], ESTIMATE)


class TestReading:
    def test_passages_are_read_in_order_until_tokens_end(self) -> None:
        ranked = [passage("three four"), passage("one two")]
        assert reading().read(ranked, 9) == [("p", 8, 18), ("p", 0, 7)]
        assert reading().read(ranked, 3) == [("p", 8, 18), ("p", 0, 3)]  # 1 of 2 tokens
        assert reading().read(ranked, 2) == [("p", 8, 18)]
        assert reading().read([], 9) == []

    def test_a_title_costs_tokens(self) -> None:
        assert reading().read([passage("one two", title="a b")], 2) == [("p", 0, 3)]

    def test_a_larger_passage_is_read_once(self) -> None:
        ranked = [passage("one", (0, 13)), passage("two", (0, 13)), passage("ten")]
        assert reading().read(ranked, 9) == [("p", 0, 13), ("p", 45, 48)]

    def test_recall_is_the_share_of_the_best_place(self) -> None:
        read = [("p", 0, 4), ("p", 8, 10), ("q", 0, 100)]
        assert recall(Query("1", "?", {"p@2-6": 1}), read) == 0.5
        assert recall(Query("1", "?", {"p@2-6": 1, "p@8-10": 1}), read) == 1.0
        assert recall(Query("1", "?", {"p@2-10": 1}), read) == 0.5
        assert recall(Query("1", "?", {"r@2-10": 1}), read) == 0.0


def test_measured_on_a_set(tmp_path: Path) -> None:
    base = Settings(mode="bm25", encoder="none", cache=tmp_path / "cache", chunk_tokens=9)
    dataset = spans.load(squad(tmp_path))
    found = {
        way: measure(dataset, base.replace(chunking=way), (1000, 1), way)
        for way in ("structural", "parent-child", "tokens")
    }
    passages = {
        way: sum(len(Chunker(way, 9)(d)) for d in dataset.documents)  # type: ignore[arg-type]
        for way in found
    }
    assert {way: cut.passages for way, cut in found.items()} == passages
    for cut in found.values():
        assert list(cut.recall[1000].values()) == [1.0, 1.0, 1.0]
        assert max(cut.recall[1].values()) < 1


def test_the_table_compares_with_the_first() -> None:
    ids = [str(i) for i in range(40)]
    good = Cut("a 300", 10, 250.4, {500: dict.fromkeys(ids, 1.0)})
    bad = Cut("b 300", 20, 120.6, {500: {i: float(int(i) % 2) for i in ids}})
    lines = table([good, bad]).split("\n")
    assert lines[0] == "| way | passages | tokens | recall@500 |"
    assert lines[2] == "| a 300 | 10 | 250 | 1.000 (1.000 to 1.000) |"
    assert lines[3].startswith("| b 300 | 20 | 121 | 0.500 (0.3")
    assert lines[3].endswith(", p 0.000) |")


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RAG_ENCODER", "none")
    monkeypatch.chdir(tmp_path)
    chunking.main([str(squad(tmp_path)), "--chunking", "structural", "sentences", "--tokens", "9"])
    said = capsys.readouterr().out
    assert said.startswith("set: 2 documents, 3 questions, bm25\n\n| way")
    assert [line.split(" | ")[0] for line in said.splitlines()[4:]] == [
        "| structural 9",
        "| sentences 9",
    ]


def test_a_grid_compares_ways_where_documents_are_cut(tmp_path: Path) -> None:
    grid = tmp_path / "grid.toml"
    grid.write_text('[grid]\nchunking = ["structural", "sentences"]\n', "utf-8")
    base = Settings(encoder="none")
    found = from_grid(str(grid), base, cut=True)
    assert [c.described().get("chunking") for c in found] == [None, "sentences"]
    with pytest.raises(ConfigError, match="chunking counts only where documents are cut"):
        from_grid(str(grid), base, cut=False)
