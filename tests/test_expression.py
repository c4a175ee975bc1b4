"""The filter language: what is read by value, what is refused with place and remedy."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conditions import All, Among, Any, Compare, Condition, Exists, Not, joined, size
from rag.errors import BadQuery
from rag.search.expression import DEEPEST, MOST_TESTS, parse

A, B, C = (Among(name, (name.upper(),)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:A", A),
        ("a : A", A),
        ("\ta:A\n", A),
        ("lang:ko", Among("language", ("ko",))),
        ("doc:x", Among("document", ("x",))),
        ('"lang":ko', Among("lang", ("ko",))),
        ("팀:빨강", Among("팀", ("빨강",))),
        ('"due date":"31 May"', Among("due date", ("31 May",))),
        (r't:"say \"tea\" \\ pot"', Among("t", ('say "tea" \\ pot',))),
        ('t:""', Among("t", ("",))),
        ("a:A AND b:B", All((A, B))),
        ("a:A OR b:B", Any((A, B))),
        ("a:A OR b:B AND c:C", Any((A, All((B, C))))),
        ("a:A AND b:B OR c:C", Any((All((A, B)), C))),
        ("(a:A OR b:B) AND c:C", All((Any((A, B)), C))),
        ("(a:A AND b:B) AND c:C", All((A, B, C))),
        ("NOT a:A AND b:B", All((Not(A), B))),
        ("NOT(a:A AND b:B)", Not(All((A, B)))),
        ("NOT NOT a:A", Not(Not(A))),
        ("((a:A))", A),
        ("a:A AND(b:B)OR(c:C)", Any((All((A, B)), C))),
        ("t:(x OR y)", Among("t", ("x", "y"))),
        ('t:(x OR "y z")', Among("t", ("x", "y z"))),
        ("t:(x)", Among("t", ("x",))),
        ("t:*", Exists("t")),
        ('t:"*"', Among("t", ("*",))),
        ("path:guide/**", Among("path", ("guide/**",))),
        ("path:*", Among("path", ("*",))),
        ('path:"my docs/*"', Among("path", ("my docs/*",))),
        ("path:(a/** OR b/*.md)", Among("path", ("a/**", "b/*.md"))),
        ("path=a/**", Among("path", ("a/**",))),
        ("path!=a/**", Not(Among("path", ("a/**",)))),
        ("document!=x", Not(Among("document", ("x",)))),
        ("year=2024", Compare("year", "=", "2024")),
        ("year!=2024", Not(Compare("year", "=", "2024"))),
        ("year >= 2024", Compare("year", ">=", "2024")),
        ("year<2024", Compare("year", "<", "2024")),
        ("year<=-1.5e3", Compare("year", "<=", "-1.5e3")),
        ('name>"m"', Compare("name", ">", "m", literal=True)),
        ("date>=2024-05", Compare("date", ">=", "2024-05")),
        ("date<2024-05-31T10:30", Compare("date", "<", "2024-05-31T10:30")),
        ("url:https://x.y/?a=b", Among("url", ("https://x.y/?a=b",))),
        ("formula=a=b", Compare("formula", "=", "a=b", literal=True)),
        ("android:yes AND ORder:no", All((Among("android", ("yes",)), Among("ORder", ("no",))))),
    ],
)
def test_is_read_by_value(text: str, expected: Condition) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "why", "remedy"),
    [
        ("", 1, "a field is missing at the end", "Write it as in lang:ko"),
        ("a:A AND", 8, "a field is missing at the end", "Write it as"),
        ("a:A AND OR b:B", 9, "a field is missing before 'OR'", "Write it as"),
        ("AND a:A", 1, "a field is missing before 'AND'", "Write it as"),
        ("NOT", 4, "a field is missing at the end", "Write it as"),
        (":A", 1, "a field is missing before ':A'", "Write it as"),
        ("()", 2, "a field is missing before ')'", "Write it as"),
        ("a", 2, "after the field 'a' comes none of != <= >= : = < >", "Write it as"),
        ("a:A b", 5, "'b' joins nothing", "in capitals"),
        ("a:A and b:B", 5, "'and' joins nothing", "in capitals"),
        ("green tea:A", 7, "after the field 'green' comes none", "double quotes"),
        ("a!A", 2, "after the field 'a' comes none", "Write it as"),
        ("a:", 3, "a value is missing at the end", "Write it as"),
        ("a: AND b:B", 4, "a value is missing before 'AND'", "Write it as"),
        ("a==A", 3, "a value is missing before '='", "double quotes"),
        ("a=>5", 3, "a value is missing before '>'", "double quotes"),
        ("a>=(1 OR 2)", 4, "a value is missing before '('", "come after ':'"),
        ("a:(x y)", 6, "'y)' joins nothing", "Join values by OR"),
        ("a:(x AND y)", 6, "'AND' joins nothing", "Join values by OR"),
        ("a:(x OR y", 3, "this '(' is not closed", "Add a ')'"),
        ("a:()", 4, "a value is missing before ')'", "double quotes"),
        ("b:B AND (a:A", 9, "this '(' is not closed", "Add a ')'"),
        ("(a:A b:B)", 6, "'b:B)' joins nothing", "in capitals"),
        ("a:A)", 4, "no '(' belongs to this ')'", "Remove it"),
        ('a:"x', 3, "this quote is not closed", "Add a double quote"),
        ('a:"x\\n"', 5, "a backslash stands before neither", "backslash"),
        ('a:"x\\', 5, "a backslash stands before neither", "backslash"),
        ('a:x"y"', 4, "'\"y\"' joins nothing", "double quotes"),
        ("a:gre*", 3, "'gre*' is a pattern, which only path: takes", "field:* asks"),
        ("a=*", 3, "'*' is a pattern", "double quotes"),
        ("a:(x OR *)", 9, "'*' is a pattern", "double quotes"),
        ("-a:A", 1, "a field does not begin with '-'", "Write NOT a"),
        ("b:B OR year>=soon", 14, "'soon' is neither a number nor a date", "2024-05-31"),
        ("date>=2024-13", 7, "'2024-13' is neither a number nor a date", "2024-05-31"),
        ("date>=2024/05/31", 7, "neither", "2024-05-31"),
        ("n>.5", 3, "'.5' is neither", "such as 0.5"),
        ("path>a", 1, "'path' has no order", "Write path:a"),
        ("document<a", 1, "'document' has no order", "Write document:a"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, place: int, why: str, remedy: str) -> None:
    with pytest.raises(BadQuery, match="the filter is wrong at character") as e:
        parse(text)
    assert e.value.message.startswith(f"the filter is wrong at character {place}: ")
    assert why in e.value.message
    assert remedy in e.value.remedy


class TestBombs:
    def test_a_deep_one_is_refused_and_a_less_deep_one_read(self) -> None:
        assert parse("(" * DEEPEST + "a:A" + ")" * DEEPEST) == A
        for opened in ("(", "NOT ", "NOT("):
            with pytest.raises(BadQuery, match="nested more than 20 deep") as e:
                parse(opened * 2000 + "a:A")
            assert "flatter" in e.value.remedy

    @pytest.mark.parametrize("joint", [" AND ", " OR "])
    def test_a_wide_one_too(self, joint: str) -> None:
        found = parse(joint.join(["a:A"] * MOST_TESTS))
        assert not isinstance(found, Among | Exists | Compare | Not)
        assert found.parts == (A,) * MOST_TESTS
        with pytest.raises(BadQuery, match="more than 50 tests"):
            parse(joint.join(["a:A"] * (MOST_TESTS + 1)))

    def test_values_count(self) -> None:
        assert size(parse(f"a:({' OR '.join('x' * MOST_TESTS)})")) == MOST_TESTS
        with pytest.raises(BadQuery, match="more than 50 tests"):
            parse(f"a:({' OR '.join('x' * (MOST_TESTS + 1))})")

    def test_a_long_one(self) -> None:
        with pytest.raises(BadQuery, match="10,001 characters, the limit is 10,000"):
            parse("a" * 10_001)

    def test_a_long_number_is_one(self) -> None:
        found = parse(f"a>{'9' * 5000}")
        assert isinstance(found, Compare)
        assert found.number == float("inf")


def test_numbers_and_dates_are_told_from_texts() -> None:
    kinds = {
        "2024": (2024, "2024"), "-7": (-7, None), "1.50": (1.5, None), "1e2": (100.0, None),
        "007": (None, None), "2024-02-30": (None, None), "2024-02-29": (None, "2024-02-29"),
        "2024-05-31T09:05:07": (None, "2024-05-31T09:05:07"), "0000": (None, None),
        "1234567890123456789": (1.2345678901234568e18, None), "٣": (None, None),
    }  # fmt: skip
    for text, (number, date) in kinds.items():
        asked = Compare("f", "=", text)
        assert (asked.number, asked.date) == (number, date), text
        quoted = dataclasses.replace(asked, literal=True)
        assert (quoted.number, quoted.date) == (None, None)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["lang", "AND", "-x", "path", "document", "a b", "*", "(", "x*y"]
)
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9])?", fullmatch=True)
literals = st.builds(Compare, names.filter(lambda n: n not in ("path", "document")),
                     st.sampled_from(["=", "<", ">="]), names, st.just(value=True))  # fmt: skip
typed = st.builds(Compare, st.just("n"), st.sampled_from(["=", "<", "<=", ">", ">="]), numbers)
leaves = (
    st.builds(Exists, names.filter(lambda n: n != "path"))
    | st.builds(Among, names, st.lists(names, min_size=1, max_size=3).map(tuple))
    | literals
    | typed
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(joined, st.sampled_from([All, Any]), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=8,
)


@given(trees)
def test_what_is_written_reads_as_the_same(condition: Condition) -> None:
    assert parse(str(condition)) == condition


def outcome(text: str) -> Condition | BadQuery:
    try:
        return parse(text)
    except BadQuery as e:
        return e


@given(st.text('aAND ORT:=<>!()"*\\-15', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = outcome(text)
    if isinstance(found, BadQuery):
        place = re.match(r"the filter is wrong at character (\d+): ", found.message)
        assert place
        assert 1 <= int(place[1]) <= len(text) + 1
        assert found.remedy
    else:
        assert parse(str(found)) == found


def test_conditions_are_keys() -> None:
    text = "lang:ko AND (year>=2024 OR NOT tags:(a OR b)) AND t:*"
    assert {parse(text): 1}[parse(text)] == 1
    assert str(parse(text)) == "language:ko AND (year>=2024 OR NOT tags:(a OR b)) AND t:*"
