from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.dataset import Dataset, Query
from eval.formats import load
from rag.errors import SourceError
from rag.types import Document

CLASSIC = """
<top>
<num> Number: 401
<title> tea < 80
 brewing

<desc> Description:
How is it brewed?
</top>

<top>
<num> Number: 402 </num>
<title> Topic: 녹차 온도 </title>
<narr> Narrative: degrees
</top>
<top>
<num>403</num><title>not judged</title></top>
"""
TABBED = "401\ttea < 80 brewing\r\n402\t녹차 온도\n403\tnot judged\n"
QRELS = "401 0 d1 1\n401 0 d2 0\n402 0 d3 2\n"
EXPECTED = (
    Query("401", "tea < 80 brewing", {"d1": 1, "d2": 0}, (), True, {"language": "en"}),
    Query("402", "녹차 온도", {"d3": 2}, (), True, {"language": "ko"}),
)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    "topics", [CLASSIC, CLASSIC.replace("</top>", ""), CLASSIC.lower(), TABBED, "\ufeff" + TABBED]
)
def test_topics_by_value(tmp_path: Path, topics: str) -> None:
    folder = write(tmp_path / "robust", topics=topics, qrels=QRELS)
    assert load(folder) == Dataset("robust", EXPECTED)


def test_documents_in_the_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "robust", topics=TABBED, qrels=QRELS)
    corpus = [{"_id": f"d{n}", "title": "", "text": f"passage {n}"} for n in (1, 2, 3)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in corpus))
    documents = tuple(Document(f"robust/d{n}", f"d{n}", "", f"passage {n}") for n in (1, 2, 3))
    assert load(folder) == Dataset("robust", EXPECTED, documents)


def test_of_several_files_the_split_chooses(tmp_path: Path) -> None:
    folder = write(tmp_path, topics=TABBED)
    (folder / "qrels.test.txt").write_text("401 0 d1 1\n")
    (folder / "qrels.dev.txt").write_text("402 0 d3 1\n")
    assert [q.id for q in load(folder).queries] == ["401"]
    assert [q.id for q in load(folder, split="dev").queries] == ["402"]
    with pytest.raises(SourceError, match=r"holds several qrels files: qrels.dev.txt, qrels.test"):
        load(folder, split="train")


def test_unusable_topics_are_left_out_and_told(tmp_path: Path) -> None:
    topics = CLASSIC + "<top>\n<title> no number\n</top>\n<top><num> 401 <title> again </top>"
    folder = write(tmp_path, topics=topics, qrels=QRELS)
    assert load(folder).queries == EXPECTED
    assert load(folder).warnings == (
        f"{folder}/topics.txt: 2 records are left out, the first at line 18: "
        "is a topic without <num> or without <title>",
    )
    write(folder, topics="401 no tab\n" + TABBED)
    assert "line 1: is not an id, a tab and a text" in load(folder).warnings[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"topics": TABBED}, "holds no qrels file"),
        ({"topics": "no tab", "qrels": QRELS}, r"topics.txt:1: holds no topics; .* a tab and"),
        (
            {"topics": "051\tx", "qrels": "51 0 d 1"},
            "qrels.txt: judges no topic of topics.txt: it knows 51, the topics are 051",
        ),
    ],
)
def test_what_is_wrong_with_a_folder(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        load(write(tmp_path, **files))
