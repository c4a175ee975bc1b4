from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import Dataset, Query
from eval.formats import load
from rag.errors import SourceError
from rag.types import Document

TEA = "Green tea is brewed at 80 degrees. Black tea needs boiling water."
KOREAN = "녹차는 80도에서 우립니다."
EN, KO = {"language": "en"}, {"language": "ko"}


def qa(key: str, question: str, *answers: str, **more: object) -> dict[str, Any]:
    return {
        "id": key,
        "question": question,
        "answers": [{"text": a, "answer_start": 0} for a in answers],
        **more,
    }


def write(file: Path, *articles: object, indent: int | None = None) -> Path:
    whole = {"version": "1.1", "data": articles}
    file.write_text(json.dumps(whole, indent=indent), "utf-8")
    return file


ARTICLES = [
    {
        "title": "Green_tea",
        "paragraphs": [
            {"context": "Unasked.", "qas": []},
            {
                "context": TEA,
                "qas": [
                    qa("a", " How hot? ", "80 degrees", "80 degrees", "at 80"),
                    qa("b", "How long?", is_impossible=True, plausible_answers=[{"text": "80"}]),
                ],
            },
        ],
    },
    {
        "title": "녹차",
        "paragraphs": [
            {"context": KOREAN, "qas": [qa("c", "몇 도인가요?", "80도", is_impossible=False)]},
            {"context": TEA, "qas": [qa("d", "What does black tea need?", "boiling water")]},
        ],
    },
]
EXPECTED = Dataset(
    "dev-v2.0",
    (
        Query("a", "How hot?", {"0-1": 1}, ("80 degrees", "at 80"), True, EN),
        Query("b", "How long?", {}, (), False, EN),
        Query("c", "몇 도인가요?", {"1-0": 1}, ("80도",), True, KO),
        Query("d", "What does black tea need?", {"0-1": 1}, ("boiling water",), True, EN),
    ),
    (
        Document("dev-v2.0/0-0", "0-0", "Green tea", "Unasked."),
        Document("dev-v2.0/0-1", "0-1", "Green tea", TEA),
        Document("dev-v2.0/1-0", "1-0", "녹차", KOREAN),
    ),
)


@pytest.mark.parametrize("indent", [None, 1])
def test_the_whole_by_value(tmp_path: Path, indent: int | None) -> None:
    assert load(write(tmp_path / "dev-v2.0.json", *ARTICLES, indent=indent)) == EXPECTED


def test_an_answer_on_a_line_of_its_own_is_still_squad(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    text = json.dumps({"data": ARTICLES}).replace('{"text"', '\n{"type": "span", "text"')
    file.write_text(text.replace("}], ", "}\n], "), "utf-8")
    assert load(file).queries == EXPECTED.queries


def test_unusable_parts_are_left_out_and_told(tmp_path: Path) -> None:
    questions = [
        qa("a", "Good?", "yes"),
        qa("a", "Again?", "yes"),
        qa("x", " "),
        {"question": "No id?"},
        "bare",
        {"id": "y", "question": "Odd?", "answers": ["bare"]},
    ]
    broken = [{"context": TEA, "qas": questions}, {"qas": []}]
    file = write(tmp_path / "x.json", {"title": "T", "paragraphs": broken}, "no article")
    dataset = load(file)
    assert dataset.queries == (Query("a", "Good?", {"0-0": 1}, ("yes",), True, EN),)
    assert dataset.warnings == (
        f"{file}: 7 records are left out, the first: question 1 of paragraph 0-0 repeats the id a",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"data": [\n{"title": }]}', r"x.json:2: is not valid JSON: Expecting value\. It looks"),
        (b'{"data": {}}', "x.json: is JSON but has no list 'data'"),
        (b'[{"question": "?"}]', "x.json: is JSON but has no list 'data'"),
        (b'{"data": [{"context": "<html>", "qas": []}]}', "holds no questions; .* 'paragraphs'"),
        (b"[" * 100_000, "x.json: is nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        load(tmp_path / "x.json")


def test_it_takes_no_other_corpus(tmp_path: Path) -> None:
    file = write(tmp_path / "x.json", *ARTICLES)
    with pytest.raises(SourceError, match=r"brings its own documents\. Leave the corpus .* out"):
        load(file, corpus=tmp_path)
