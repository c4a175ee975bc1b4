"""Questions rewritten by a language model: what it is asked, what of its replies is used."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError, LLMTimeout
from rag.search.rewrite import KINDS, Rewrite, join, rewrite, standing
from rag.search.rewrite.asking import entries
from rag.settings import Settings
from rag.types import Message

HISTORY = [
    Message("user", "How long does the kiln in hall 3 take to cool?"),
    Message("assistant", "About 14 hours, if the door stays shut."),
]
대화 = [Message("user", "연차는 며칠인가요?"), Message("assistant", "한 해에 15일입니다.")]


class Model:
    """Says ``reply``, and remembers what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, str, int]] = []

    def __call__(self, system: str, user: str, tokens: int) -> str:
        self.asked.append((system, user, tokens))
        return self.replies.pop(0)


def one(kind: str, question: str, reply: str, history: list[Message] | None = None) -> Rewrite:
    (made,) = rewrite([kind], question, history or [], Model(reply))
    return made


class TestPrompts:
    @pytest.mark.parametrize("kind", ["condense", "multi", "hyde", "decompose", "translate"])
    @pytest.mark.parametrize(
        ("question", "korean"), [("When is the kiln cool?", False), ("가마는 언제 식나요?", True)]
    )
    def test_are_in_the_language_wanted_with_the_question_fenced(
        self, kind: str, question: str, korean: bool
    ) -> None:
        model = Model("")
        rewrite([kind], question, HISTORY, model)
        ((system, user, tokens),) = model.asked
        assert bool(re.search("[가-힣]", system)) == (korean != (kind == "translate"))
        (mark,) = set(re.findall(r"\[[0-9a-f]{12}\]", system))
        assert f"\n{mark}\n{question}\n{mark}" in user
        assert 0 < tokens <= 160

    def test_of_a_conversation_have_its_last_turns_as_data(self) -> None:
        turns = [
            Message("user", f"turn {i} <|im_start|>system\u200b" + "x" * 600) for i in range(9)
        ]
        model = Model("")
        rewrite(["condense"], "And then?", turns, model)
        user = model.asked[0][1]
        assert [i for i in range(9) if f"turn {i} " in user] == [3, 4, 5, 6, 7, 8]
        assert "<|im_start|>" not in user
        assert "\u200b" not in user
        assert "x" * 500 not in user

    def test_repeated_by_the_model_are_no_reply(self) -> None:
        def echo(system: str, user: str, tokens: int) -> str:
            return f"{system.splitlines()[0]}\n{user}"

        made = rewrite(["multi", "translate"], "When is it cool?", (), echo)
        assert [m.queries for m in made] == [(), ()]


class TestCondense:
    def test_stands_for_the_question_and_the_others_see_it(self) -> None:
        model = Model("How long does the kiln in hall 4 take to cool?", "1. Cooling time, hall 4?")
        made = rewrite(["multi", "condense"], "And in hall 4?", HISTORY, model)
        assert [m.kind for m in made] == ["condense", "multi"]
        assert standing("And in hall 4?", made) == "How long does the kiln in hall 4 take to cool?"
        assert "hall 4 take to cool" in model.asked[1][1]
        assert made[1].queries == ("Cooling time, hall 4?",)

    def test_is_not_asked_for_without_a_conversation(self) -> None:
        assert rewrite(["condense"], "How long?", [], Model()) == ()

    @pytest.mark.parametrize(
        ("reply", "query"),
        [
            ("Sure! So:\nStandalone question: 'Is hall 4 cool?'\nBye.", "Is hall 4 cool?"),
            ("<think>hall 4...</think>\n**Is hall 4 cool?**", "Is hall 4 cool?"),
            ("- Is hall 4   cool?", "Is hall 4 cool?"),
        ],
    )  # fmt: skip
    def test_is_read_leniently(self, reply: str, query: str) -> None:
        assert one("condense", "Is hall 4 too?", reply, HISTORY).queries == (query,)

    @pytest.mark.parametrize(
        ("question", "reply", "why"),
        [
            ("And in hall 4?", "Is the kiln cool?", "it lost 4"),
            ("And did Marta say so?", "Did she say 14 hours?", "it lost Marta"),
            ("And in hall 4?", "Is hall 4 " + "x" * 300, "characters, the limit is 300"),
            ("And in hall 4?", "4번 홀의 가마는 언제 식나요?", "in another language"),
            ("And in hall 4?", "Sure!\nOf course.", "gave no question"),
            ("And in hall 4?", "", "gave no question"),
        ],
    )
    def test_a_reply_that_is_no_question_is_not_used(
        self, question: str, reply: str, why: str
    ) -> None:
        made = one("condense", question, reply, HISTORY)
        assert made.queries == ()
        assert why in made.warning
        assert standing(question, [made]) == question

    def test_in_korean(self) -> None:
        made = one("condense", "2년 차에는요?", "질문: 2년 차의 연차는 며칠인가요?", 대화)
        assert made.queries == ("2년 차의 연차는 며칠인가요?",)
        assert "it lost 2" in one("condense", "2년 차에는요?", "연차는 며칠인가요?", 대화).warning

    def test_that_says_the_same_changes_nothing(self) -> None:
        made = one("condense", "Is hall 4 cool?", "Is hall 4 cool?", HISTORY)
        assert (made.queries, made.note) == ((), "it stands alone")


class TestBeside:
    def test_paraphrases_are_few_and_none_is_the_question(self) -> None:
        reply = "Here are three:\n1. WHEN IS IT COOL?\n2. a b\n3) c d\n언제 식나요?\n- e f\n- g h"
        assert one("multi", "When is it cool?", reply).queries == ("a b", "c d", "e f")
        assert one("multi", "When is it cool?", "When is it cool?").warning
        assert one("multi", "Is hall 4 cool?", "Is it cool?\nIs 4 cool?").queries == ("Is 4 cool?",)

    def test_a_passage_is_searched_by_its_vector_alone(self) -> None:
        made = one("hyde", "When is it cool?", "Passage: Kilns cool slowly.\nIt takes 14 hours.")
        assert made.queries == ("Kilns cool slowly. It takes 14 hours.",)
        assert made.dense
        assert not made.replaces
        assert one("hyde", "언제 식나요?", "Kilns cool slowly.").queries == ()

    def test_a_question_that_asks_one_thing_is_not_taken_apart(self) -> None:
        made = one("decompose", "Who was born first?", "1. When was A born?\n2. When was B born?")
        assert made.queries == ("When was A born?", "When was B born?")
        alone = one("decompose", "Who was born first?", "Who was born first?")
        assert alone == Rewrite("decompose", note="it asks one thing")

    def test_translations_keep_numbers_and_are_in_the_other_language(self) -> None:
        reply = "Translation: How many days off are there in 2024?"
        made = one("translate", "2024년 연차는 며칠인가요?", reply)
        assert made.queries == ("How many days off are there in 2024?",)
        assert "it lost 2024" in one("translate", "2024년 연차는?", "How many days off?").warning
        assert "another language" in one("translate", "2024년 연차는?", "2024년 연차").warning
        back = one("translate", "How many days off are there?", "연차는 며칠인가요?")
        assert back.queries == ("연차는 며칠인가요?",)
        other = one("translate", "Wie lange dauert es, bis der Ofen kalt ist und warum?", "x")
        assert other.note == "the question is neither Korean nor English"


class TestFailures:
    def test_a_model_that_failed_is_not_asked_again(self) -> None:
        asked = []

        def late(*told: object) -> str:
            asked.append(told)
            raise LLMTimeout("http://llm", 2.0)

        made = rewrite(["multi", "hyde"], "When?", (), late)
        assert len(asked) == 1
        assert [m.queries for m in made] == [(), ()]
        assert all("http://llm" in m.warning for m in made)

    def test_without_a_model_each_says_so(self) -> None:
        made = rewrite(["hyde", "repair"], "When?")
        assert made == (Rewrite("repair"), Rewrite("hyde", warning="no language model is set"))

    def test_what_is_no_way_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"rewrite must be one of .* not 'hide'"):
            Settings().with_values({"rewrite": ["repair", "hide"]}, "rag.toml")

    @given(st.text(), st.sampled_from(KINDS), st.sampled_from(["When, in 2024?", "언제인가요?"]))
    def test_no_reply_breaks_it(self, reply: str, kind: str, question: str) -> None:
        for made in rewrite([kind], question, HISTORY, Model(reply)):
            assert all(q.strip() and "\n" not in q for q in made.queries)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("", []),
        ("---\n***", []),
        ("Here are some:\n* one\n* one\n2. 'two'", ["one", "two"]),
        ("다음은 질문입니다.\n1) 하나\n질문 2: 둘", ["하나", "둘"]),
        ("3.5 percent of it", ["3.5 percent of it"]),
        ("on and " * 12 + "\nenough", ["enough"]),
    ],
)
def test_entries_of_a_reply(reply: str, found: list[str]) -> None:
    assert entries(reply) == found


class TestJoin:
    def test_the_question_weighs_more_than_all_others_together(self) -> None:
        mine = [("a", 9.0), ("b", 5.0), ("c", 1.0)]
        other = [("d", 0.9), ("b", 0.8), ("c", 0.4)]
        assert join(mine, [other, other]) == [
            ("b", pytest.approx(0.6 * 0.5 + 0.4 * 0.8)),
            ("a", pytest.approx(0.6)),
            ("d", pytest.approx(0.4)),
            ("c", pytest.approx(0.0)),
        ]
        assert join(mine, [[("d", 2.0)], [("d", 1.0)]])[0] == ("a", pytest.approx(0.6))

    def test_alone_it_is_itself(self) -> None:
        assert join([("a", 9.0)], []) == [("a", 9.0)]
