from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.dataset import Dataset, Query
from eval.formats import load, save
from rag.errors import SourceError
from rag.types import Document

CORPUS = [
    {"_id": "tea", "title": "Tea", "text": "Green tea is brewed at 80 degrees."},
    {"_id": "차", "title": "차", "text": "녹차는 80도에서 우립니다."},
]
QUERIES = [
    {"_id": "q1", "text": "How hot is green tea brewed?"},
    {
        "_id": 2,
        "text": "녹차는 몇 도에서 우리나요?",
        "answers": ["80도"],
        "metadata": {"kind": "fact"},
    },
    {"_id": "q3", "text": "judged in no split"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\ttea\t2\nq1\t차\t1\n2\t차\t1\n"


def write(folder: Path, **files: object) -> Path:
    """`corpus`, `queries`, `queries_train` as JSONL, every other name as a split's qrels."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if isinstance(content, str):
            (folder / "qrels" / f"{name}.tsv").write_text(content, "utf-8")
        else:
            text = "".join(json.dumps(record) + "\n" for record in content)  # type: ignore[attr-defined]
            (folder / f"{name}.jsonl").write_text(text, "utf-8")
    return folder


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    return write(tmp_path / "drinks", corpus=CORPUS, queries=QUERIES, test=QRELS)


def test_the_whole_by_value(beir: Path) -> None:
    assert load(beir) == Dataset(
        "drinks",
        (
            Query("q1", "How hot is green tea brewed?", {"tea": 2, "차": 1}, (), True, en()),
            Query(
                "2",
                "녹차는 몇 도에서 우리나요?",
                {"차": 1},
                ("80도",),
                True,
                {"kind": "fact", "language": "ko"},
            ),
        ),
        (
            Document("drinks/tea", "tea", "Tea", "Green tea is brewed at 80 degrees."),
            Document("drinks/차", "차", "차", "녹차는 80도에서 우립니다."),
        ),
    )


def en() -> dict[str, str]:
    return {"language": "en"}


@pytest.mark.parametrize(
    "qrels",
    [
        "\ufeff" + QRELS.replace("\n", "\r\n"),
        QRELS.partition("\n")[2],
        "q1 0 tea 2\nq1 0 차 1\n2 0 차 1",
        "q1\t0\ttea\t2\n\nq1\t0\t차\t1\n2\t0\t차\t1",
    ],
)
def test_other_ways_to_write_qrels(beir: Path, qrels: str) -> None:
    expected = load(beir)
    (beir / "qrels/test.tsv").write_bytes(qrels.encode())
    assert load(beir) == expected


def test_gzip_and_byte_order_marks(beir: Path) -> None:
    expected = load(beir)
    for name in ("corpus", "queries"):
        data = (beir / f"{name}.jsonl").read_bytes()
        (beir / f"{name}.jsonl").unlink()
        (beir / f"{name}.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + data))
    assert load(beir) == expected


def test_queries_of_a_split_may_have_a_file_of_their_own(beir: Path) -> None:
    write(
        beir, queries_train=[{"_id": "t1", "text": "Is tea hot?"}], train="t1\ttea\t1\nq1\t차\t1\n"
    )
    train = load(beir, split="train")
    assert [(q.id, q.text, q.relevant) for q in train.queries] == [
        ("q1", "How hot is green tea brewed?", {"차": 1}),
        ("t1", "Is tea hot?", {"tea": 1}),
    ]
    assert [q.id for q in load(beir).queries] == ["q1", "2"]


def test_a_missing_split_names_those_that_exist(beir: Path) -> None:
    write(beir, train="q1\ttea\t1\n")
    with pytest.raises(SourceError, match=r"drinks: has no split 'dev', only test, train\. Name"):
        load(beir, split="dev")


def test_judgements_of_pages(tmp_path: Path) -> None:
    pages = [{"_id": f"{page}#{n}", "text": "passage"} for page in "ab" for n in range(2)]
    folder = write(tmp_path / "x", corpus=pages, queries=QUERIES, test="q1\ta\t1\n2\tb\t1\n")
    assert load(folder).pages
    write(folder, test="q1\ta\t1\n2\tb#0\t1\n")
    mixed = load(folder)
    assert not mixed.pages
    assert mixed.warnings == (
        f"{folder / 'corpus.jsonl'}: 1 of 2 judged places are not in it, the first: a",
    )


def test_one_page_in_a_hundred_may_be_missing(tmp_path: Path) -> None:
    queries = [{"_id": "q", "text": "which?"}]
    qrels = "".join(f"q\t{n}\t1\n" for n in range(100))
    for present, pages in ((99, True), (98, False)):
        corpus = [{"_id": f"{n}#0", "text": "passage"} for n in range(present)]
        folder = write(tmp_path / str(present), corpus=corpus, queries=queries, test=qrels)
        dataset = load(folder)
        assert dataset.pages is pages
        lost = 1 if pages else 100
        assert dataset.warnings[0].endswith(
            f": {lost} of 100 judged places are not in it, the first: {99 if pages else 0}"
        )


def test_documents_from_elsewhere(beir: Path, tmp_path: Path) -> None:
    own = load(beir)
    alone = write(tmp_path / "alone", queries=QUERIES, test=QRELS)
    assert load(alone).documents == ()
    for corpus in (beir, beir / "corpus.jsonl"):
        documents = load(alone, corpus=corpus).documents
        assert [d.uri for d in documents] == ["alone/tea", "alone/차"]
        assert [(d.path, d.title, d.text) for d in documents] == [
            (d.path, d.title, d.text) for d in own.documents
        ]
    with pytest.raises(SourceError, match=r"alone: holds no corpus\.jsonl or corpus.jsonl.gz"):
        load(beir, corpus=alone)


def test_unusable_records_are_left_out_and_told(beir: Path) -> None:
    queries = '{"_id": "q1", "text": "good"}\n{"_id": "q1"\n\n{"_id": "", "text": "x"}\n'
    (beir / "queries.jsonl").write_bytes(queries.encode() + '["가"]\n'.encode("cp949"))
    write(beir, test="q1\ttea\t1\nq1\ttea\nq1\t차\tmuch\nq1\ttea\t0\nq1\t\t1\nq9\ttea\t1\n")
    with (beir / "corpus.jsonl").open("a") as f:
        f.write('{"_id": "tea", "text": "again"}\n{"_id": "e", "text": " "}\n')
        f.write('{"_id": "only", "title": "A title", "text": ""}\n')
    dataset = load(beir)
    assert [(q.id, q.relevant) for q in dataset.queries] == [("q1", {"tea": 1})]
    assert dataset.documents[2:] == (Document("drinks/only", "only", "", "A title"),)
    assert dataset.warnings == (
        f"{beir}/queries.jsonl: 3 records are left out, the first at line 2: is not valid JSON",
        f"{beir}/qrels/test.tsv: 4 records are left out, the first at line 2: "
        "has 2 columns, not 3 or 4",
        f"{beir}/qrels/test.tsv: 1 of 2 judged queries have no text in queries.jsonl, "
        "the first: q9",
        f"{beir}/corpus.jsonl: 2 records are left out, the first at line 3: repeats the '_id' tea",
    )


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("queries.jsonl", b'{"id": "q1"}\n', r"queries.jsonl:1: holds no queries; .* no '_id'"),
        ("queries.jsonl", '{"_id":"가"'.encode("cp949"), r"queries.jsonl:1: .* byte 0xb0 \(`iconv"),
        ("queries.jsonl", b'{"_id": "x", "text": "y"}', "test.tsv: judges no query of queries"),
        ("corpus.jsonl", b"\n[1]\n", r"corpus.jsonl:2: holds no documents; .* no.* JSON object"),
        ("corpus.jsonl", gzip.compress(b"x" * 999)[:20], "corpus.jsonl: is a damaged gzip file"),
        ("qrels/test.tsv", b"q1 tea\n", r"test.tsv:1: holds no judgements; .* 2 columns"),
    ],
)
def test_nothing_usable_is_an_error_with_its_line(
    beir: Path, file: str, content: bytes, message: str
) -> None:
    (beir / file).write_bytes(content)
    with pytest.raises(SourceError, match=message) as e:
        load(beir)
    assert len(str(e.value)) > len(e.value.message)


@pytest.mark.parametrize(
    ("file", "record", "why"),
    [
        ("queries", {"_id": "q1", "text": "Again?"}, "repeats the '_id' q1"),
        ("queries", {"_id": True, "text": "x"}, "has no '_id'"),
        ("queries", {"_id": "x", "text": ["y"]}, "has no 'text'"),
        ("queries", {"_id": "x", "text": "y", "answers": "z"}, "has 'answers' that are no list of"),
        ("queries", {"_id": "x", "text": "y", "labels": ["z"]}, "has 'labels' that are no object"),
        ("queries", {"_id": "x", "text": "y", "answerable": "no"}, "has an 'answerable' that is"),
        ("corpus", {"_id": None, "text": "x"}, "has no '_id'"),
        ("corpus", {"_id": "x", "text": 5}, "has a 'title' or 'text' that is no string"),
        ("corpus", {"_id": "x", "title": None}, "has neither 'text' nor 'title'"),
    ],
)
def test_what_is_wrong_with_a_record(
    beir: Path, file: str, record: dict[str, object], why: str
) -> None:
    expected = load(beir)
    whole = [*(QUERIES if file == "queries" else CORPUS), record]
    dataset = load(write(beir, **{file: whole}))
    assert (dataset.queries, dataset.documents) == (expected.queries, expected.documents)
    (warning,) = dataset.warnings
    start = f"{beir}/{file}.jsonl: 1 record is left out, the first at line {len(whole)}: {why}"
    assert warning.startswith(start)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n"), min_size=1)
QUERY = st.builds(
    Query,
    id=ID,
    text=TEXT.filter(lambda text: bool(text.strip())),
    relevant=st.dictionaries(ID, st.integers(-1, 3), max_size=3),
    answers=st.lists(TEXT, max_size=2).map(tuple),
    answerable=st.booleans(),
    labels=st.dictionaries(TEXT, TEXT, max_size=2).map(lambda labels: {"language": "ko"} | labels),
)
PART = st.lists(QUERY, min_size=1, max_size=4, unique_by=lambda q: q.id).map(tuple)


@settings(max_examples=60, deadline=None)
@given(PART, PART, PART)
def test_what_is_saved_is_loaded(
    test: tuple[Query, ...], train: tuple[Query, ...], again: tuple[Query, ...]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "new"
        for queries in (train, test):
            save(Dataset("x", queries), folder)
            assert load(folder).queries == queries
        save(Dataset("x", train), folder, "train")
        assert load(folder, split="train").queries == train
        assert load(folder).queries == test
        save(Dataset("x", again), folder)
        assert load(folder).queries == again
        assert load(folder, split="train").queries == train


def test_saved_documents_and_nothing_left_behind(beir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy" / "drinks"
    save(load(beir), folder)
    assert load(folder) == load(beir)
    files = sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())
    assert files == ["corpus.jsonl", "qrels/test.tsv", "queries.jsonl"]


def test_half_a_surrogate_is_replaced(tmp_path: Path) -> None:
    (query,) = load(
        write(tmp_path, queries=[{"_id": "q", "text": "a\ud83d"}], test="q\td\t1")
    ).queries
    assert query.text == "a?"


@pytest.mark.parametrize("bad", ["a\tb", "a\nb", ""])
def test_an_id_that_no_qrels_file_can_hold_changes_nothing(tmp_path: Path, bad: str) -> None:
    save(Dataset("x", (Query("q", "old", {"d": 1}),)), tmp_path)
    with pytest.raises(SourceError, match="cannot stand in a qrels file"):
        save(Dataset("x", (Query("q", "new", {bad: 1}),)), tmp_path)
    assert [q.text for q in load(tmp_path).queries] == ["old"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match=r"cannot be written: .*\. Name another folder"):
        save(Dataset("x", (Query("q", "text", {"d": 1}),)), tmp_path / "file")
