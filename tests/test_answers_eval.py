from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from eval.answers import AnswerMeasures, measure_answers
from eval.dataset import Dataset, Query
from eval.judge import Judge
from eval.metered import Call, Metered
from eval.rubric import Rubric
from rag.answer import Answerer
from rag.answer.grounds import grounds
from rag.answer.llm import HttpLLM
from rag.answer.refusal import REFUSAL
from rag.errors import LLMUnavailable
from rag.search import Searcher
from rag.types import Message
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM


class Scripted:
    """A model whose reply to a question stands in a table; a token is a word."""

    name = endpoint = "scripted"
    context_tokens = 4096
    languages: tuple[str, ...] = ()
    at_once = 1

    def __init__(self, reply: Callable[[str], str], *, counts: bool = True) -> None:
        self.reply = reply
        self.counts = counts
        self.closed = 0

    def count(self, text: str) -> int:
        if not self.counts:
            raise LLMUnavailable("scripted", "gone")
        return len(text.split())

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0,
        stop: Sequence[str] = (),
        **how: object,
    ) -> Iterator[str]:  # fmt: skip
        try:
            yield from self.reply(messages[-1].content).splitlines(keepends=True)
        finally:
            self.closed += 1

    def ready(self) -> None: ...

    def close(self) -> None: ...


TEA = Query("tea", "How is black tea made?", answers=("boiling water", "hot"))
GREEN = Query("green", "녹차는 몇 도에서 우립니까?", answers=("80도",))
KEY = Query("key", "Where is the spare key?", answers=("cellar",))
MOON = Query("moon", "How far away is the key of the moon?", answerable=False)
FREE = Query("free", "What does the middleware allow?")
SAID = {
    "black tea": "Black tea needs boiling water [1].",
    "녹차": "녹차는 80도에서 우립니다 [1].",
    "spare key": "The spare key is under the flower pot [1].",
    "moon": REFUSAL["en"],
    "middleware": "The middleware allows another origin to call the API [1].",
}


def scripted(prompt: str) -> str:
    question = prompt.rpartition("\n")[2]
    found = next(said for part, said in SAID.items() if part in question)
    if found == "down":
        raise LLMUnavailable("scripted", "no luck")
    return found


def ask(
    saem: Workspace, *queries: Query, llm: Scripted | None = None, **options: object
) -> AnswerMeasures:
    settings = saem.settings.replace(min_confidence=0.0)
    searcher = Searcher(saem.collection(), saem.encoder(), settings)
    return measure_answers(Answerer(searcher, llm), Dataset("d", queries), **options)  # type: ignore[arg-type]


def test_answers_with_a_model(saem: Workspace) -> None:
    done = []
    found = ask(saem, TEA, GREEN, KEY, MOON, llm=Scripted(scripted),
                prices=(2.0, 10.0), progress=lambda n, of: done.append((n, of)))  # fmt: skip
    ones = {"tea": 1.0, "green": 1.0, "key": 1.0, "moon": 1.0}
    tea = 2 * 2 / (5 + 2)  # "black tea needs boiling water"
    green = 2 * 3 / (12 + 3)  # "녹차는 80도에서 우립니다" in characters
    assert found.values == {
        "EM": ones | {"tea": 0.0, "green": 0.0, "key": 0.0},
        "F1": {"tea": pytest.approx(tea), "green": pytest.approx(green), "key": 0.0, "moon": 1.0},
        "contains": ones | {"key": 0.0},
        "answer_in_citation": {"tea": 1.0, "green": 1.0, "key": 0.0},
        "citation_precision": ones,
        "citation_recall": ones,
        "support": ones,
        "abstained_right": ones,
    }
    assert found.predictions["tea"] == "Black tea needs boiling water [1]."
    assert found.predictions["moon"] == REFUSAL["en"]
    said = sum(len(SAID[part].split()) for part in ("black tea", "녹차", "spare key", "moon"))
    assert found.totals["answer_tokens"] == said
    assert found.totals["prompt_tokens"] > 4 * 100
    price = (found.totals["prompt_tokens"] * 2 + said * 10) / 1e6
    assert found.totals["cost"] == pytest.approx(price)
    assert found.totals["abstained"] == 1
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found.notes[-1] == "citation measures are by shared terms, which is lenient"


def test_every_stage_s_time(saem: Workspace) -> None:
    found = ask(saem, TEA, llm=Scripted(scripted)).milliseconds
    assert found.keys() == {"search", "total", "llm", "first_token"}
    assert 0 < found["first_token"]["tea"] <= found["llm"]["tea"] < found["total"]["tea"]
    assert 0 < found["search"]["tea"] < found["total"]["tea"]
    assert ask(saem, TEA).milliseconds.keys() == {"search", "total"}


def test_quoting_needs_no_model(saem: Workspace) -> None:
    found = ask(saem, TEA, GREEN)
    assert found.values["contains"] == {"tea": 1.0, "green": 1.0}
    assert found.values["support"] == {"tea": 1.0, "green": 1.0}
    assert found.totals["prompt_tokens"] == found.totals["answer_tokens"] == 0


def test_risk_and_coverage_by_confidence(saem: Workspace) -> None:
    found = ask(saem, TEA, GREEN, KEY, MOON, llm=Scripted(scripted))
    searcher = saem.searcher()
    sure = {
        q.id: grounds(searcher, searcher.search(q.text)).confidence for q in (TEA, GREEN, KEY, MOON)
    }
    told = [q.id for q in (TEA, GREEN, KEY)]
    assert len(set(sure.values())) == 4
    wrong = 0
    expected = []
    for n, id_ in enumerate(sorted(told, key=lambda i: -sure[i]), 1):
        wrong += id_ == "key"
        expected.append((n / 4, wrong / n))
    assert found.curves["risk-coverage"] == tuple(expected)
    assert found.totals["aurc"] == pytest.approx(sum(risk for _, risk in expected) / 3)
    surer = sum(sure[id_] >= sure["moon"] for id_ in told)
    assert (0.0, surer / 3) in ((0.0, 0.0), *found.curves["operating"])
    assert found.curves["operating"][-1] == (1.0, 1.0)
    (note,) = (n for n in found.notes if n.startswith("answered: "))
    assert note.startswith("answered: 100.0% (")
    assert ") of the answerable questions, 0.0% (0.0% without a warning) of the others" in note


def test_an_answer_to_a_question_without_one_is_wrong(saem: Workspace) -> None:
    lie = "The spare key is under the flower pot [1]."
    found = ask(saem, MOON, llm=Scripted(lambda _: lie))
    zero = {"moon": 0.0}
    assert found.values["abstained_right"] == found.values["EM"] == zero
    assert found.values["contains"] == found.values["F1"] == zero
    assert found.values["citation_recall"] == {"moon": 1.0}  # its citation is good all the same
    assert found.curves["risk-coverage"] == ((1.0, 1.0),)


def test_abstaining_where_there_is_an_answer_scores_nothing(saem: Workspace) -> None:
    found = ask(saem, TEA, llm=Scripted(lambda _: REFUSAL["en"]))
    assert set(found.values) > {"EM", "answer_in_citation", "support", "abstained_right"}
    assert all(value == {"tea": 0.0} for value in found.values.values())
    assert found.curves["risk-coverage"] == ()
    assert "aurc" not in found.totals


def test_measures_that_need_accepted_answers_are_of_queries_that_have_them(
    saem: Workspace,
) -> None:
    found = ask(saem, FREE, TEA, llm=Scripted(scripted))
    assert found.values["EM"].keys() == found.values["contains"].keys() == {"tea"}
    assert found.values["answer_in_citation"].keys() == {"tea"}
    assert found.values["support"] == {"tea": 1.0, "free": 1.0}
    assert found.curves["risk-coverage"] == ((1.0, 0.0),)
    assert {"EM", "F1", "contains", "answer_in_citation"}.isdisjoint(
        ask(saem, FREE, llm=Scripted(scripted)).values
    )


def test_a_failed_answer_scores_nothing_and_the_rest_goes_on(saem: Workspace) -> None:
    empty = Query("empty", " ", answers=("x",))
    found = ask(saem, empty, TEA, llm=Scripted(scripted))
    assert {name: value["empty"] for name, value in found.values.items()} == (
        dict.fromkeys(found.values, 0.0)
    )
    assert found.values["contains"]["tea"] == 1.0
    assert found.predictions.keys() == {"tea"}
    assert found.curves["risk-coverage"] == ((0.5, 0.0),)
    (note,) = (n for n in found.notes if "failed, the first" in n)
    assert note.startswith("1 question(s) failed, the first: the question is empty")


def test_a_model_that_fails_leaves_a_degraded_answer(
    saem: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SAID, "black tea", "down")
    found = ask(saem, TEA, GREEN, llm=Scripted(scripted))
    assert found.totals["degraded"] == 1
    assert found.values["contains"] == {"tea": 1.0, "green": 1.0}
    (note,) = (n for n in found.notes if "no luck" in n)
    assert note.startswith("1 queries: quoting the documents: the language model at scr")


def test_warnings_are_counted(saem: Workspace) -> None:
    found = ask(saem, TEA, GREEN, llm=Scripted(lambda _: "Nothing of that sort at all."))
    (note,) = (n for n in found.notes if "rested" in n)
    assert note.startswith("2 queries: too little of the model's answer rested on the passages")


def test_the_answerer_keeps_its_model(saem: Workspace) -> None:
    llm = Scripted(scripted)
    answerer = Answerer(saem.searcher(), llm)
    measure_answers(answerer, Dataset("d", (TEA,)))
    assert answerer.llm is llm


def test_a_judge_marks_answers_and_their_support(saem: Workspace) -> None:
    prompts = []

    def reply(messages: list[dict[str, str]]) -> str:
        prompts.append(prompt := messages[0]["content"])
        if "<claim>" in prompt:
            return f'{{"score": {int("pot" not in prompt.partition("<claim>")[2])}}}'
        return "hm" if FREE.text in prompt else '{"score": 4}'

    with FakeLLM(reply) as fake:
        judge = Judge(HttpLLM(fake.url, timeout=5), Rubric.load())
        found = ask(saem, TEA, KEY, FREE, MOON, llm=Scripted(scripted), judge=judge)
    assert found.values["judge"] == {"tea": 0.75, "key": 0.75, "moon": 1.0}
    for name in ("citation_precision", "citation_recall", "support"):
        assert found.values[name] == {"tea": 1.0, "key": 0.0, "free": 1.0, "moon": 1.0}
    assert "1 judgement(s) could not be read" in found.notes
    assert found.notes[-1] == "citation measures are by the judge"
    (tea,) = (p for p in prompts if "<answer>Black tea" in p)
    assert "<reference>boiling water / hot</reference>" in tea
    assert "<passages>\n[1] Tea\n" in tea
    assert "Green tea is brewed at 80 degrees." in tea


def test_a_judge_decides_what_is_wrong_where_no_answer_is_known(saem: Workspace) -> None:
    for score, risk in ((3, 0.0), (2, 1.0)):
        with FakeLLM(f"Score: {score}") as fake:
            judge = Judge(HttpLLM(fake.url, timeout=5), Rubric.load())
            found = ask(saem, FREE, llm=Scripted(scripted), judge=judge)
        assert found.curves["risk-coverage"] == ((1.0, risk),)


def test_a_judge_that_is_down_leaves_its_measures_out(saem: Workspace) -> None:
    with FakeLLM(mode="503") as fake:
        judge = Judge(HttpLLM(fake.url, timeout=5), Rubric.load())
        found = ask(saem, TEA, llm=Scripted(scripted), judge=judge)
    assert found.values.keys() == {"EM", "F1", "contains", "answer_in_citation", "abstained_right"}
    (note,) = (n for n in found.notes if "judgement(s)" in n)
    assert note.startswith("2 judgement(s) failed, the first: the language model at http")


def test_a_meter_counts_calls() -> None:
    llm = Scripted(lambda _: "one two\nthree\nfour")
    meter = Metered(llm)
    said = list(meter.stream([Message("system", "a b"), Message("user", "c")], max_tokens=9))
    assert said == ["one two\n", "three\n", "four"]
    pieces = meter.stream([Message("user", "d e f g")], max_tokens=9)
    assert next(pieces) == "one two\n"
    pieces.close()  # type: ignore[attr-defined]
    assert llm.closed == 2
    assert [(c.prompt_tokens, c.answer_tokens) for c in meter.calls] == [(3, 4), (4, 2)]
    assert all(0 < c.first_token_ms <= c.ms for c in meter.calls)
    total = sum(c.ms for c in meter.calls)
    taken = meter.take()
    assert (taken.prompt_tokens, taken.answer_tokens, taken.ms) == (7, 6, total)
    assert meter.take() == Call()
    assert (meter.name, meter.context_tokens, meter.count("a b")) == ("scripted", 4096, 2)


def test_a_meter_estimates_what_a_dead_model_cannot_count() -> None:
    def fails(_: str) -> str:
        raise LLMUnavailable("scripted", "no luck")

    meter = Metered(Scripted(fails, counts=False))
    with pytest.raises(LLMUnavailable, match="no luck"):
        next(meter.stream([Message("user", "맛있는 차")], max_tokens=9))
    (call,) = meter.calls
    assert (call.prompt_tokens, call.answer_tokens) == (4, 0)
    assert call.first_token_ms == call.ms > 0
