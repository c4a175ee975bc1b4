from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.citations import (
    Statement,
    answer_in_citation,
    by_terms,
    precision,
    recall,
    resolves,
    statements,
    support,
)
from rag.answer import Answerer
from rag.types import Answer, Chunk, Citation, Hit
from rag.workspace import Workspace


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tea is hot [1]. Ice is cold. [2] Both are wet.",
         [("Tea is hot.", (1,)), ("Ice is cold.", (2,)), ("Both are wet.", ())]),
        ("It is from 1948. [1][3][1] Then it rained.",
         [("It is from 1948.", (1, 3)), ("Then it rained.", ())]),
        ("녹차는 80도에서 우립니다 [2]. 홍차는 끓는 물이 필요합니다. [1]",
         [("녹차는 80도에서 우립니다.", (2,)), ("홍차는 끓는 물이 필요합니다.", (1,))]),
        ("- first thing [1]\n- second thing", [("first thing", (1,)), ("second thing", ())]),
        ("Tea [1] is hot [2].", [("Tea is hot.", (1, 2))]),
        ("Use this: [1]\n\n```python\nx = tea[1]\n```\n\nIt works [2].",
         [("Use this:", (1,)), ("It works.", (2,))]),
        ("So:\n~~~\nnever closed [1].", [("So:", ())]),
        ("[1] ...", []),
        ("", []),
    ],
)  # fmt: skip
def test_statements(text: str, found: list[tuple[str, tuple[int, ...]]]) -> None:
    assert [(s.text, s.cites) for s in statements(text)] == found


@pytest.mark.parametrize(
    ("premise", "claim", "borne"),
    [
        ("Black tea needs boiling water.", "Tea needs water", True),
        ("Black tea needs boiling water.", "Tea grows hair", False),
        ("Black tea", "green tea", True),  # half of it
        ("홍차는 끓는 물이 필요합니다.", "홍차는 끓는 물", True),
        ("홍차는 끓는 물이 필요합니다.", "서울은 대한민국의 수도", False),
        ("anything", "...", False),
    ],
)
def test_support_by_terms(premise: str, claim: str, borne: bool) -> None:
    assert by_terms(premise, claim) is borne


def holds(premise: str, claim: str) -> bool:
    """Each letter of the claim stands in the premise."""
    return set(claim) <= set(premise)


PASSAGES = ["ab", "c", "abc", "x"]


@pytest.mark.parametrize(
    ("claim", "cites", "expected_recall", "expected_precision"),
    [
        ("ab", (1,), 1.0, 1.0),
        ("abc", (1,), 0.0, 0.0),
        ("abc", (1, 2), 1.0, 1.0),  # neither alone, both needed
        ("abc", (1, 2, 4), 1.0, 2 / 3),  # x can be spared
        ("abc", (3, 4), 1.0, 0.5),
        ("ab", (1, 3), 1.0, 1.0),  # each alone
        ("abc", (1, 2, 3), 1.0, 1 / 3),  # with the third, neither of the others is needed
        ("abd", (1, 2), 0.0, 0.0),
        ("ab", (1, 9), 0.0, 0.0),  # there is no such passage
        ("ab", (0,), 0.0, 0.0),
        ("ab", (), 0.0, 0.0),
    ],
)
def test_precision_and_recall_of_one_statement(
    claim: str, cites: tuple[int, ...], expected_recall: float, expected_precision: float
) -> None:
    found = [Statement(claim, cites)]
    assert recall(found, PASSAGES, holds) == expected_recall
    assert precision(found, PASSAGES, holds) == pytest.approx(expected_precision)


def test_recall_counts_statements_precision_counts_citations() -> None:
    found = [
        Statement("ab", (1, 4)),
        Statement("c", (2,)),
        Statement("d", (4,)),
        Statement("a", ()),
    ]
    assert recall(found, PASSAGES, holds) == 0.5
    assert precision(found, PASSAGES, holds) == 0.5
    assert recall([], PASSAGES, holds) == precision([], PASSAGES, holds) == 0.0


claims = st.tuples(
    st.sampled_from(["a", "ab", "abc", "d"]),
    st.lists(st.integers(1, 4), unique=True, max_size=3).map(tuple),
)


@given(st.lists(claims, min_size=1, max_size=4), st.permutations(PASSAGES))
def test_against_the_paper_word_by_word(
    given_: list[tuple[str, tuple[int, ...]]], passages: list[str]
) -> None:
    """Section 3.3: recall 1 iff the joint citations entail; a citation is irrelevant iff it alone
    does not entail, and the rest without it does; precision 1 iff recall is and it is relevant."""
    recalls = []
    precisions = []
    for claim, cites in given_:
        joint = bool(cites) and holds("".join(passages[n - 1] for n in cites), claim)
        recalls.append(joint)
        for n in cites:
            rest = "".join(passages[m - 1] for m in cites if m != n)
            irrelevant = not holds(passages[n - 1], claim) and holds(rest, claim)
            precisions.append(joint and not irrelevant)
    found = [Statement(claim, cites) for claim, cites in given_]
    assert recall(found, passages, holds) == pytest.approx(sum(recalls) / len(recalls))
    expected = sum(precisions) / len(precisions) if precisions else 0.0
    assert precision(found, passages, holds) == pytest.approx(expected)


def moved(c: Citation, **changes: object) -> Citation:
    names = ("n", "document", "version", "path", "line", "start", "end", "quote")
    return Citation(**{name: getattr(c, name) for name in names} | changes)  # type: ignore[arg-type]


def test_citations_resolve_to_the_letter(saem: Workspace) -> None:
    collection = saem.collection()
    answer = Answerer(saem.searcher()).ask("How is black tea made?")
    c = answer.citations[0]
    assert resolves(c, collection)
    assert not resolves(moved(c, start=c.start + 1), collection)
    assert not resolves(moved(c, version="older"), collection)
    assert not resolves(moved(c, document="gone"), collection)


def test_support_needs_a_quotation_that_resolves(saem: Workspace) -> None:
    collection = saem.collection()
    answer = Answerer(saem.searcher()).ask("How is black tea made?")
    c = answer.citations[0]
    good = Statement("Black tea needs boiling water.", (c.n,))
    for found, cited, share in [
        ([good], [c], 1.0),
        ([good, Statement("The moon is far away.", (c.n,))], [c], 0.5),
        ([good], [moved(c, start=c.start + 1)], 0.0),
        ([Statement(good.text, (c.n + 1,))], [c], 0.0),
        ([], [c], 0.0),
    ]:
        assert support(found, cited, collection, by_terms) == share


def test_an_accepted_answer_in_a_cited_passage() -> None:
    hits = tuple(
        Hit(n, 1.0, Chunk("d", "v", n, 0, 9, text, "p", "수도 Busan"), {})
        for n, text in enumerate(["수도는 서울이다.", "Busan has a harbour."], 1)
    )
    for n, (answers, language) in product(
        (1, 2), [(["서울"], "ko"), (["a harbour"], "en"), (["Busan"], "en")]
    ):
        cited = (Citation(n, "d", "v", "p", 1, 0, 9, "…"),)
        answer = Answer("?", f"… [{n}]", False, cited, hits)
        expected = float((n == 1) == (language == "ko"))
        assert answer_in_citation(answer, answers, language) == expected
    assert answer_in_citation(Answer("?", "…", False, (), hits), ["서울"], "ko") == 0.0
