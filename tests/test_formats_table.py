from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from eval.dataset import Dataset, Query
from eval.formats import load
from rag.errors import SourceError

ROWS = [
    ["id", "question", "answer", "source", "language", "kind"],
    ["t1", "How hot is green tea?", "80 degrees | 80 °C", "en/tea.md | tea.md@10-20", "", "fact"],
    ["t2", "녹차는 몇 도에서\n우리나요?", "80도", "", "한국어", ""],
    ["", "Who grows it?", "", "", "", ""],
]
EXPECTED = Dataset(
    "drinks",
    (
        Query(
            "t1",
            "How hot is green tea?",
            {"en/tea.md": 1, "tea.md@10-20": 1},
            ("80 degrees", "80 °C"),
            True,
            {"language": "en", "kind": "fact"},
        ),
        Query("t2", "녹차는 몇 도에서\n우리나요?", {}, ("80도",), True, {"language": "한국어"}),
        Query("line5", "Who grows it?", {}, (), False, {"language": "en"}),
    ),
)


def table(delimiter: str = ",") -> str:
    return "\r\n".join(
        delimiter.join(f'"{cell}"' if "\n" in cell else cell for cell in row) for row in ROWS
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_whole_by_value(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = tmp_path / "drinks.csv"
    file.write_bytes(table(delimiter).encode(encoding))
    note = f"{file}: is in utf-16-le (confidence 1.00)"
    warnings = (note,) if encoding == "utf-16" else ()
    assert load(file) == replace(EXPECTED, warnings=warnings)


@pytest.mark.parametrize("answer", ["답", "답변"])
def test_korean_header_in_cp949(tmp_path: Path, answer: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(f"질문;{answer};출처\n왜; 그냥 ;ko/차.md\n누가;;\n".encode("cp949"))
    dataset = load(file)
    assert dataset.queries == (
        Query("line2", "왜", {"ko/차.md": 1}, ("그냥",), True, {"language": "ko"}),
        Query("line3", "누가", {}, (), False, {"language": "ko"}),
    )
    (warning,) = dataset.warnings
    assert re.fullmatch(rf"{re.escape(str(file))}: is in cp949 \(confidence 0\.[5-9]\d\)", warning)


@pytest.mark.parametrize("header", ["question", "question,answer", "Question,Source"])
def test_a_question_of_which_less_is_kept_may_have_an_answer(tmp_path: Path, header: str) -> None:
    (tmp_path / "x.csv").write_text(f"{header}\nWhy?\n")
    (query,) = load(tmp_path / "x.csv").queries
    assert query == Query("line2", "Why?", {}, (), True, {"language": "en"})


def test_an_answer_may_hold_every_delimiter(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('question,answer\n"Why, or; how?","a, ""b"";\tc"\n')
    (query,) = load(tmp_path / "x.csv").queries
    assert (query.text, query.answers) == ("Why, or; how?", ('a, "b";\tc',))


def test_unusable_rows_are_left_out_and_told(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(
        'id,question,source\na,"Two\nlines?",\n,,\nb,,x.md\nc,Why?,x.md@9-3\na,Again?,\n'
        'd,More?,x.md,y.md\ne,"Odd"?,\nf,Good?,me@home.md\ng,"Open?,\nh,Swallowed?,\n'
    )
    dataset = load(file)
    assert [(q.id, q.relevant) for q in dataset.queries] == [("a", {}), ("f", {"me@home.md": 1})]
    assert dataset.warnings == (
        f"{file}: 6 records are left out, the first at line 5: has no question",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.csv: is empty"),
        (
            b"why,because\n",
            r"x.csv:1: is neither JSON nor a table with a column 'question': why,because\. The",
        ),
        (b'"question\nWhy?\n', "x.csv:1: is neither JSON nor a table"),
        (b"question,source\n,x.md\n", r"x.csv:2: holds no questions; .* has no question"),
        (b"question\n", "x.csv: holds no questions"),
        (b"PK\x03\x04\x00\x00", "x.csv: looks like a binary file"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        load(tmp_path / "x.csv")


def test_sources_are_sought_in_the_corpus(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("question,source\nWhy?,a|a@0-3|b@0-3|c\n")
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"_id": "a", "text": "because"}))
    dataset = load(tmp_path / "x.csv", corpus=corpus)
    assert [d.uri for d in dataset.documents] == ["x/a"]
    assert dataset.warnings == (f"{corpus}: 2 of 4 judged places are not in it, the first: b@0-3",)
