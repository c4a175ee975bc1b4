"""The query language: what binds, by value, and what stays plain text."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag import analysis
from rag.analysis import Analyser
from rag.errors import BadQuery
from rag.index.clauses import Clause, ClauseKind, Query
from rag.search import query as module

PLAIN, FULL = Analyser(korean="bigrams"), Analyser()
parse = partial(module.parse, analyser=PLAIN)
PHRASE = (("exact", 0), ("phrase", 1))


def only(text: str) -> Clause:
    """The one clause of ``text`` and nothing else."""
    query = parse(text)
    assert query.terms == ()
    assert len(query.clauses) == 1
    return query.clauses[0]


class TestPlain:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "What are C++ and C# good for?",
            "e-mail, co-operation and 1-2-3",
            "- item\n+ other\n-- option --verbose",
            "a - b + c = d -",
            'an "unbalanced quote',
            '5" disks and 3" disks',
            "**bold** and *emphasis* of 2*3 a* b * c",
            "foo** bar*baz f(x)*",
            '-(bracket) +/- +- -+ -"',
            "물 -> 얼음 +· 한*",
            "docker run -d -p 80 (ls -l) -e\u0301",
            "from -40 to -1,273.15 or -5°C, -3m, -40도?",
            "\"\" “” ''",
        ],
    )
    def test_punctuation_hurts_no_question(self, text: str) -> None:
        assert parse(text) == Query(tuple(analysis.terms(text, "en")))
        assert parse(text).plain

    @example("ののの")
    @given(st.text(alphabet="ab C한국の ,.?!:;'()[]{}/\\<>=_%$#@&|~^12é\u0301\n"))
    def test_terms_are_those_of_the_text(self, text: str) -> None:
        assert parse(text) == Query(tuple(analysis.terms(text, "en")))

    @pytest.mark.parametrize(
        ("text", "terms"),
        [
            ('what is "Flask"', ("flask",)),
            ('"max_query_chars"', ("max_query_char", "max", "queri", "char")),
            ('"한국" 책', ("한국", "책")),
            ("한국* 책", ("한국", "책")),
            ('+the cat -of "to be"', ("cat",)),
            ('-the "of"', ()),
        ],
    )
    def test_a_clause_that_adds_nothing(self, text: str, terms: tuple[str, ...]) -> None:
        assert parse(text) == Query(terms)


WORD = st.sampled_from(["cat", "dog", "tree", "2024", "é", "책", "한국"])
SIGN = st.sampled_from(["", "+", "-"])
ITEM = st.tuples(
    SIGN, st.lists(WORD, min_size=1, max_size=3), st.sampled_from(['""', "“”", "*", ""])
)


@given(st.lists(ITEM, max_size=6), st.sampled_from([" ", "\n", " , "]))
def test_what_is_written_is_what_is_parsed(
    items: list[tuple[str, list[str], str]], between: str
) -> None:
    texts, free, clauses = [], [], []
    for sign, words, style in items:
        occur = {"": "should", "+": "must", "-": "must_not"}[sign]
        placed = tuple((word, n) for n, word in enumerate(words))
        others: tuple[tuple[tuple[str, int], ...], ...] = ()
        plain = sign == "-" and (words[0], style) in (("2024", ""), ("é", ""), ("é", "*"))
        if style in ('""', "“”"):
            texts.append(f"{sign}{style[0]}{' '.join(words)}{style[1]}")
            glued = re.sub("(cat|dog|tree|é) 2024", r"\g<1>2024", " ".join(words)).split()
            others = (tuple((w, n) for n, w in enumerate(glued)),) if glued != words else ()
        else:
            placed = placed[:1]
            texts.append(f"{sign}{words[0]}{style}")
        if style == "*" and words[0] in ("cat", "dog", "tree", "2024"):
            clauses.append(Clause("prefix", occur, placed, words[0]))
        elif len(placed) > 1 or (sign and not plain):
            kind: ClauseKind = "phrase" if len(placed) > 1 else "term"
            clauses.append(Clause(kind, occur, placed, "", others))
        else:
            free.append(words[0])
    text = between.join(texts)
    if clauses and not free and all(clause.occur == "must_not" for clause in clauses):
        with pytest.raises(BadQuery):
            parse(text)
    else:
        assert parse(text) == Query(tuple(free), tuple(clauses))


class TestClauses:
    @pytest.mark.parametrize(
        ("text", "clause"),
        [
            ('"exact phrase"', Clause("phrase", "should", PHRASE)),
            ('+"exact phrase"', Clause("phrase", "must", PHRASE)),
            ("“exact phrase”", Clause("phrase", "should", PHRASE)),
            ("+„Exact  phrases“,", Clause("phrase", "must", PHRASE)),
            ("+«exact\nphrase»", Clause("phrase", "must", PHRASE)),
            ("+Cats", Clause("term", "must", (("cat", 0),))),
            ('+"Cats"', Clause("term", "must", (("cat", 0),))),
            ("+C++", Clause("term", "must", (("c", 0),))),
            ("+e-mail?", Clause("phrase", "must", (("e", 0), ("mail", 1)))),
            ("+2024년", Clause("phrase", "must", (("2024", 0), ("년", 1)))),
            ("+책", Clause("term", "must", (("책", 0),))),
            ("+한국", Clause("term", "must", (("한국", 0),))),
            ("+한국어", Clause("phrase", "must", (("한국", 0), ("국어", 1)))),
            ("+max_query_chars", Clause("term", "must", (("max_query_char", 0),))),
            (
                '"Origin of the Species"',
                Clause("phrase", "should", (("origin", 0), ("speci", 3))),
            ),
            ('"the exact phrase"', Clause("phrase", "should", PHRASE)),
            (
                '"set max_query_chars now"',
                Clause("phrase", "should", (("set", 0), ("max_query_char", 1), ("now", 2))),
            ),
            (
                '"한국어 검색"',
                Clause("phrase", "should", (("한국", 0), ("국어", 1), ("검색", 2))),
            ),
        ],
    )
    def test_by_value(self, text: str, clause: Clause) -> None:
        assert only(text) == clause

    def test_free_terms_stand_beside(self) -> None:
        assert parse('샘은 +"검색 엔진"은 -유료 engine -"closed source"!') == Query(
            ("샘은", "은", "engin"),
            (
                Clause("phrase", "must", (("검색", 0), ("엔진", 1))),
                Clause("term", "must_not", (("유료", 0),)),
                Clause("phrase", "must_not", (("close", 0), ("sourc", 1))),
            ),
        )

    def test_a_sign_binds_only_at_the_start_of_a_word(self) -> None:
        assert parse("a+b c-d (+e -fog)").clauses == (Clause("term", "must_not", (("fog", 0),)),)

    def test_one_letter_and_numbers_can_be_excluded_in_quotes_and_one_syllable_as_it_is(
        self,
    ) -> None:
        assert [c.terms[0][0] for c in parse('tea -"d" -"40" -책').clauses] == ["d", "40", "책"]

    @pytest.mark.parametrize("text", ["-java", '-java -"closed source"', "the -java", "-ja*"])
    def test_a_question_that_only_excludes(self, text: str) -> None:
        with pytest.raises(BadQuery, match=r"only says what not to find\. Say what to find, too"):
            parse(text)

    def test_too_many_clauses(self) -> None:
        many = [f"pre{i}*" for i in range(50)]
        assert len(parse(" ".join(many)).clauses) == 50
        with pytest.raises(BadQuery, match=r"has 51 phrases, signs and prefixes, the limit is 50"):
            parse(" ".join([*many, "+one"]))

    def test_a_requirement_is_enough(self) -> None:
        assert [clause.occur for clause in parse("+rust -java").clauses] == ["must", "must_not"]


class TestText:
    """What an encoder is given."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('what is "green tea" and C++ -d?', 'what is "green tea" and C++ -d?'),
            ("red tea -black -“milk tea” cup", "red tea   cup"),
            ("+rust -java", "rust "),
            ('+"한국어 검색" 엔진* +auth* tea', '"한국어 검색" 엔진* auth tea'),
            ("+the tea", "+the tea"),
        ],
    )
    def test_has_no_signs_and_nothing_excluded(self, text: str, said: str) -> None:
        assert parse(text).text == said

    @given(st.text(alphabet='ab C한국の ,.?!:;()[]*+"-\n'))
    def test_of_a_plain_question_is_the_question(self, text: str) -> None:
        try:
            query = parse(text)
        except BadQuery:
            return
        if query.plain:
            assert query.text == text
        excluded = {t for c in query.clauses if c.occur == "must_not" for t, _ in c.terms}
        kept = {t for c in query.clauses if c.occur != "must_not" for t, _ in c.terms}
        gone = excluded - kept - set(query.terms)
        assert gone.isdisjoint(analysis.terms(query.text))


class TestPrefix:
    @pytest.mark.parametrize(
        ("text", "prefix", "prefixes"),
        [
            ("auth*", "auth", ("auth",)),
            ("au*?", "au", ("au",)),
            ("Running*", "running", ("run",)),
            ("happy*", "happy", ("happy", "happi")),
            ("the*", "the", ("the",)),
            ("max_qu*", "max_qu", ("max_qu",)),
            ("max_que*", "max_que", ("max_qu",)),
            ("ＡＢＣ*", "abc", ("abc",)),
            ("E\u0301te*", "éte", ("éte",)),
            ("v2*", "v2", ("v2",)),
        ],
    )
    def test_folded_and_with_its_stem(
        self, text: str, prefix: str, prefixes: tuple[str, ...]
    ) -> None:
        clause = only(text)
        assert (clause.kind, clause.occur, clause.prefix) == ("prefix", "should", prefix)
        assert clause.prefixes == prefixes

    @pytest.mark.parametrize(("sign", "occur"), [("+", "must"), ("-", "must_not")])
    def test_with_a_sign(self, sign: str, occur: str) -> None:
        clause = Clause("prefix", occur, (("auth", 0),), "auth")  # type: ignore[arg-type]
        assert parse(f"{sign}auth* token") == Query(("token",), (clause,))

    @pytest.mark.parametrize(
        ("text", "clause"),
        [
            ("한국어*", Clause("phrase", "should", (("한국", 0), ("국어", 1)))),
            ("+한국*", Clause("term", "must", (("한국", 0),))),
            ("Python으로*", Clause("phrase", "should", (("python", 0), ("으로", 1)))),
        ],
    )
    def test_of_hangul_is_its_bigrams(self, text: str, clause: Clause) -> None:
        assert only(text) == clause

    @pytest.mark.parametrize("text", ["e\u0301*", "a*"])
    def test_one_character_is_too_short(self, text: str) -> None:
        assert parse(text) == Query(tuple(analysis.terms(text, "en")))


class TestMorphemes:
    def test_free_words_have_both_families_with_their_weights(self) -> None:
        query = module.parse("search 책을", FULL, morpheme_weight=0.75)
        assert query.terms == ("search", "~책", "책을")
        assert query.weights == {"~책": 0.75, "책을": 0.25}

    @pytest.mark.parametrize(
        ("text", "terms"),
        [
            ("+책", (("~책", 0),)),
            ("+을", (("을", 0),)),  # no morpheme
            ("+책을", (("책을", 0),)),
            ("+한국어", (("한국", 0), ("국어", 1))),
            ('"한국어 책"', (("한국", 0), ("국어", 1), ("책", 2))),
        ],
    )
    def test_clauses_have_bigrams_but_of_one_syllable(
        self, text: str, terms: tuple[tuple[str, int], ...]
    ) -> None:
        (clause,) = module.parse(text, FULL).clauses
        assert clause.terms == terms


class TestLanguages:
    def test_words_with_several_stems_are_choices(self) -> None:
        query = module.parse("Häuser tea", FULL, ["de"])
        assert query.terms == ("tea",)
        assert query.choices == (("häuser", "haus"),)
        assert not query.plain

    def test_clauses_have_a_reading_in_each_language(self) -> None:
        (clause,) = module.parse('+"alte Häuser"', FULL, ["de", "fr"]).clauses
        assert clause.readings == (
            (("alt", 0), ("häuser", 1)), (("alt", 0), ("haus", 1)), (("alte", 0), ("häus", 1)),
        )  # fmt: skip
        (clause,) = module.parse("häuser*", FULL, ["de"]).clauses
        assert (clause.prefix, clause.prefixes) == ("häuser", ("häuser", "haus"))

    def test_a_reading_without_terms_is_none(self) -> None:
        (clause,) = module.parse('"und der Wald"', FULL, ["de"]).clauses
        assert clause.readings == ((("und", 0), ("der", 1), ("wald", 2)), (("wald", 0),))
