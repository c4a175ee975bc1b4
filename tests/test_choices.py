"""Words of several languages, and what terms weigh, as a question asks them of the postings."""

from __future__ import annotations

from rag.index.clauses import Clause, Query
from rag.index.matching import allowed, resolve
from tests.test_matching import body


class TestChoices:
    """Words that passages in several languages have as different terms."""

    def test_that_several_passages_have_are_weighed_alike_the_most_frequent_first(self) -> None:
        sparse = body("haus", "haus", "häuser", "häus")
        query = Query(("tea",), choices=(("häuser", "haus", "none"),))
        assert resolve(query, sparse, tolerant=True).families == (("haus", "häuser"),)

    def test_of_which_one_is_there_are_that_one(self) -> None:
        query = Query((), choices=(("häuser", "haus"),))
        matched = resolve(query, body("haus"), tolerant=True)
        assert (matched.terms, matched.families) == ({"haus": 1}, ())

    def test_of_which_none_is_there_may_give_way_to_a_near_term(self) -> None:
        query = Query((), choices=(("goverment", "governm"),))
        matched = resolve(query, body("government"), tolerant=True)
        assert matched.corrected == {"goverment": ("government",)}

    def test_of_a_phrase_are_all_that_occur(self) -> None:
        one, other = (("alt", 0), ("häuser", 1)), (("alt", 0), ("haus", 1))
        clause = Clause("phrase", "must", one, others=(other,))
        sparse = body("alt haus", "alt", "alt häuser")
        matched = resolve(Query((), (clause,)), sparse, tolerant=True)
        assert matched.phrases == (one, other)
        assert [m.tolist() for m in allowed([clause], sparse)] == [[True], [False], [True]]
        assert resolve(Query((), (clause,)), body("alt"), tolerant=True).phrases == (one,)


def test_weights_count_as_often_as_a_question_has_a_term() -> None:
    query = Query(("tea", "cup", "tea"), weights={"tea": 0.25})
    assert resolve(query, body("tea"), tolerant=False).terms == {"tea": 0.5, "cup": 1}
