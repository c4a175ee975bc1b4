"""Synthetic questions of a whole collection, with and without a language model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.dataset import Dataset
from eval.draft import KINDS
from eval.synth import Summary, synthesize
from rag.analysis import detect, terms
from rag.answer.llm import HttpLLM
from rag.errors import BadQuery
from rag.search import Searcher
from rag.workspace import Workspace
from tests.support import docs
from tests.support.fake_llm import FakeLLM, Mode

PLACES = ["Suncheon", "Boseong", "Hadong", "Jindo", "Gangjin", "Damyang"]
THINGS = ["kettles", "looms", "lanterns", "anchors", "bellows", "sundials"]
MATERIALS = ["copper", "walnut", "parchment", "granite", "leather", "marble"]
PORTS = ["Mokpo", "Busan", "Incheon", "Pohang", "Ulsan", "Gunsan"]
CARGOES = ["salt", "barley", "squid", "ginger", "honey", "indigo"]
SITES = ["순천", "보성", "하동", "진도", "강진", "담양"]
GOODS = ["주전자", "물레", "호미", "바구니", "도자기", "부채"]
STUFFS = ["구리", "소나무", "무쇠", "싸리", "백토", "대나무"]
HARBOURS = ["목포", "부산포", "제물포", "영일만", "개운포", "군산포"]
WARES = ["소금", "보리쌀", "오징어", "생강", "벌꿀", "쪽물"]


def _english(i: int) -> str:
    place, thing, material = PLACES[i], THINGS[i], MATERIALS[i]
    return (
        f"# Crafts of {place}\n\n"
        f"## Makers of {thing}\n\nCraftsmen of {place} mend {thing} of {material} every year in "
        f"workshop {i + 41}, and guests from {PORTS[i]} watch them.\n\n"
        f"## Trade in {CARGOES[i]}\n\nShips of {PORTS[i]} bring {CARGOES[i]} to the market of "
        f"{place} and load {thing} for the island of {PORTS[i][:3]}do.\n"
    )


def _korean(i: int) -> str:
    site, good, stuff = SITES[i], GOODS[i], STUFFS[i]
    return (
        f"# {site}의 공예\n\n"
        f"## {good} 만들기\n\n{site}의 장인은 해마다 {i + 41}호 공방에서 {stuff}로 {good}를 만들어 "
        f"{HARBOURS[i]}에서 온 손님에게 보여 줍니다.\n\n"
        f"## {WARES[i]} 장터\n\n{HARBOURS[i]}의 배는 {WARES[i]}까지 {site}의 장터로 나르고, 돌아갈 "
        f"때에는 {good}를 싣고 섬으로 떠납니다.\n"
    )


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    folder = tmp_path_factory.mktemp("synth")
    files = {f"en/{n}.md": _english(i) for i, n in enumerate(PLACES)}
    files |= {f"ko/{n}.md": _korean(i) for i, n in enumerate(PLACES)}
    saem = Workspace(docs.settings(folder / "home", chunk_tokens=40))
    docs.index(saem, docs.write(folder / "docs", files))
    yield saem.searcher()
    saem.close()


@pytest.fixture(scope="module")
def made(searcher: Searcher) -> tuple[Dataset, Summary]:
    return synthesize(searcher, count=12, seed=3)


def with_llm(
    searcher: Searcher,
    reply: object,
    count: int = 10,
    languages: tuple[str, ...] = (),
    mode: Mode = "ok",
) -> tuple[Dataset, Summary, int]:
    """The questions, the summary and how often the model was asked."""
    with FakeLLM(reply=reply, mode=mode) as fake:  # type: ignore[arg-type]
        llm = HttpLLM(fake.url, fake.model, timeout=5)
        llm.languages = languages
        try:
            data, summary = synthesize(searcher, llm, count=count)
        finally:
            llm.close()
        return data, summary, len(fake.chats())


def writer(chat: list[dict[str, str]]) -> str:
    """A model that writes a good question for each of its tasks, about the passage's place."""
    rules, last = chat[0]["content"], chat[-1]["content"]
    korean = "질문은 한국어로" in rules or "한국어로 다시" in rules
    names = [n for n in (*PLACES, *SITES) if n in last]
    if "<question>" in last:
        new = (
            f"{names[0]} 하면 떠오르는 일꾼은?" if korean else f"Which folk are busy at {names[0]}?"
        )
        return json.dumps({"question": new})
    about = " & ".join(names)
    passages = last.split("</passage>")[:-1]
    answers = [next(w for w in ("year", "market", "해마다", "장터") if w in p) for p in passages]
    if "Leave the answer empty" in rules or "답은 비워" in rules:
        answers, tail = [], ("먼저 세운 사람" if korean else "founded by whom, and why so early")
    else:
        tail = "공방이나 배가 바쁜 때와 곳" if korean else "busy when, or going whither"
    key = " ".join(term for term in terms(last) if term.isdigit())
    question = f"{about} {key} {tail}?"
    return json.dumps({"question": question, "answer": " / ".join(answers)})


def test_every_question_says_where_it_is_from_and_what_it_is(
    made: tuple[Dataset, Summary], searcher: Searcher
) -> None:
    data, _ = made
    known = {d.path: d for d in searcher.collection.documents()}
    assert data.documents == ()
    assert len({q.id for q in data.queries}) == len(data.queries)
    for query in data.queries:
        labels = query.labels
        assert labels["seed"] == "3"
        assert labels["method"] in ("cloze", "title")
        assert "model" not in labels
        assert detect(query.text) == labels["language"]
        sources = labels["source"].split(", ")
        versions = labels["version"].split(", ")
        assert versions == [known[path].version for path in sources]
        assert query.answerable == (labels["kind"] != "unanswerable")
        places = {"single": 1, "multi": 2, "unanswerable": 0}[labels["kind"]]
        assert len(query.relevant) == places
        text = ""
        for place, grade in query.relevant.items():
            path, span = place.rsplit("@", 1)
            start, end = map(int, span.split("-"))
            text += searcher.collection.text(known[path].id)[start:end]
            assert path in sources
            assert grade == 1
        for answer in query.answers:
            for part in answer.split(", "):
                assert part in text
                assert part not in query.text


def test_questions_are_spread_over_kinds_languages_and_documents(
    made: tuple[Dataset, Summary],
) -> None:
    data, summary = made
    assert len(data.queries) == 12
    assert Counter(q.labels["kind"] for q in data.queries) == {
        "single": 4, "multi": 4, "unanswerable": 4,
    }  # fmt: skip
    assert Counter(q.labels["language"] for q in data.queries) == {"en": 6, "ko": 6}
    assert len({q.labels["source"].split(", ")[0] for q in data.queries}) == 12
    assert summary.notes == ("paraphrase and cross need a language model",)
    assert {kind: tally.kept for kind, tally in summary.kinds.items()} == {
        "single": 4, "multi": 4, "unanswerable": 4, "paraphrase": 0, "cross": 0,
    }  # fmt: skip
    for tally in summary.kinds.values():
        assert tally.generated == tally.kept + sum(tally.dropped.values())


def test_the_seed_decides(made: tuple[Dataset, Summary], searcher: Searcher) -> None:
    assert synthesize(searcher, count=12, seed=3)[0] == made[0]
    assert synthesize(searcher, count=12, seed=4)[0] != made[0]


def test_languages_and_kinds_may_be_chosen(searcher: Searcher) -> None:
    seen: list[tuple[int, int]] = []
    data, summary = synthesize(
        searcher, count=6, kinds=["single"], languages=["ko"],
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert {(q.labels["kind"], q.labels["language"]) for q in data.queries} == {("single", "ko")}
    assert len(data.queries) == 6
    assert seen[-1] == (6, 6)
    assert summary.notes == ()


def test_a_small_collection_gives_what_it_has(searcher: Searcher) -> None:
    data, summary = synthesize(searcher, count=500, kinds=["single"])
    assert 24 <= len(data.queries) < 100
    assert summary.notes == (f"the passages gave {len(data.queries)} of 500 questions",)
    assert summary.passages == searcher.collection.count()


def test_a_model_writes_all_kinds_in_both_languages(searcher: Searcher) -> None:
    data, summary, _ = with_llm(searcher, writer, count=20)
    by_model = [q for q in data.queries if q.labels["method"] == "llm"]
    assert {q.labels["kind"] for q in by_model} == set(KINDS)
    assert {q.labels["language"] for q in by_model} == {"en", "ko"}
    assert {q.labels["model"] for q in by_model} == {"fake-model"}
    assert len(data.queries) == 20
    assert not any("language model" in note for note in summary.notes)
    for query in by_model:
        if query.labels["kind"] == "cross":
            assert query.labels["language"] != query.labels["source"][:2]


def test_what_a_model_does_not_speak_is_made_by_rule(searcher: Searcher) -> None:
    data, summary, _ = with_llm(searcher, writer, count=20, languages=("en",))
    korean = [q for q in data.queries if q.labels["language"] == "ko"]
    assert korean
    assert {q.labels["method"] for q in korean} <= {"cloze", "title"}
    assert "fake-model does not write ko: made by rule" in summary.notes
    assert summary.kinds["cross"].kept == 0


@pytest.mark.parametrize("mode", ["503", "refused", "died"])
def test_a_model_that_fails_leaves_the_rest_to_the_rules(searcher: Searcher, mode: Mode) -> None:
    data, summary, chats = with_llm(searcher, writer, mode=mode)
    assert chats <= 1
    assert len(data.queries) == 10
    assert {q.labels["method"] for q in data.queries} <= {"cloze", "title"}
    assert any("made by rule: the language model at" in note for note in summary.notes)


def test_a_model_that_writes_nothing_usable_is_given_up(searcher: Searcher) -> None:
    data, summary, chats = with_llm(searcher, "I would rather not.")
    assert chats == 20  # ten questions, each asked for twice
    assert len(data.queries) == 10
    assert "of 10 replies by the language model none made a question: made by rule" in summary.notes
    assert sum(t.dropped["no JSON"] for t in summary.kinds.values()) == 10


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 0}, "must be 1 or more, not 0"),
        ({"kinds": []}, "no kind of questions is named"),
        ({"kinds": ["single", "hard"]}, "no kind 'hard'. Name some of single, multi"),
        ({"languages": ["fr"]}, "no language 'fr'. Name some of ko, en"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    searcher: Searcher, asked: dict[str, object], message: str
) -> None:
    with pytest.raises(BadQuery, match=message):
        synthesize(searcher, **asked)  # type: ignore[arg-type]


def test_a_collection_without_korean_or_english_gives_nothing(tmp_path: Path) -> None:
    saem = Workspace(docs.settings(tmp_path / "home"))
    docs.index(
        saem, docs.write(tmp_path / "docs", {"ja.md": "# お茶\n\nお茶は八十度でいれます。\n"})
    )
    data, summary = synthesize(saem.searcher(), count=5)
    assert data.queries == ()
    assert "the collection has no documents in ko, en" in summary.notes
    saem.close()
