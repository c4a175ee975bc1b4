from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from eval.formats import load
from rag.errors import SourceError


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("질문,답\n왜?,\n", "왜?"),
        (
            '{"data": [{"paragraphs": [{"context": "c", '
            '"qas": [{"id": "1", "question": "why"}]}]}]}',
            "why",
        ),
        (
            '{"type": "vote", "id": "1", "vote": 1, "hit": 0}\n{"type": "query", "id": "1", '
            '"kind": "search", "collection": "c", "question": "who", '
            '"hits": [{"path": "p", "start": 0, "end": 1}]}\n',
            "who",
        ),
    ],
)
@pytest.mark.parametrize("name", ["x", "x.json", "x.csv.gz"])
def test_the_content_tells_the_form_not_the_name(
    tmp_path: Path, content: str, question: str, name: str
) -> None:
    for data in (content.encode(), b"\xef\xbb\xbf" + content.encode()):
        for written in (data, gzip.compress(data)):
            (tmp_path / name).write_bytes(written)
            dataset = load(tmp_path / name)
            assert [q.text for q in dataset.queries] == [question]
            assert dataset.name == "x"


def test_a_sample_is_the_same_for_a_seed_and_in_order(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("id,question\n" + "".join(f"{n},q{n}\n" for n in range(100)))
    sample = [int(q.id) for q in load(file, limit=10, seed=3).queries]
    assert len(set(sample)) == 10
    assert sample == sorted(sample)
    assert [int(q.id) for q in load(file, limit=10, seed=3).queries] == sample
    assert [int(q.id) for q in load(file, limit=10, seed=4).queries] != sample
    assert len(load(file, limit=1000).queries) == 100


@pytest.mark.parametrize(
    ("files", "source", "message"),
    [
        ({}, "gone", r"gone: No such file or directory\. Check the path"),
        ({"x/readme.md": "hello"}, "x", r"x: is no known data set\. Known are a BEIR folder"),
        ({"x/corpus.jsonl": "{}"}, "x", r"x: holds documents but no questions\. Known are"),
        ({"x/queries.jsonl": "{}"}, "x", r"x: has no qrels/\*\.tsv\. A BEIR folder holds"),
        ({"x/qrels/test.tsv": "q\td\t1"}, "x", r"x: has no queries\.jsonl\. A BEIR folder"),
        ({"x": " \n"}, "x", r"x: is empty\. Known are"),
        ({"x": json.dumps({"_id": "q", "text": "t"})}, "x", r"one file of a BEIR folder\. Name"),
    ],
)
def test_what_is_no_data_set(
    tmp_path: Path, files: dict[str, str], source: str, message: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=message):
        load(tmp_path / source)
