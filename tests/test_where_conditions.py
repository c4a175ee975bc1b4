"""Conditions in SQL against what they mean, said in Python, over documents of all sorts."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.conditions import All, Among, Any, Compare, Condition, Exists, Not, joined, typed
from rag.errors import BadQuery
from rag.index import Collection
from rag.index.where import glob
from rag.search import parse_filter
from rag.search.crosslingual import search
from rag.search.expression import DEEPEST, MOST_TESTS, parse
from rag.types import Document, Filter
from tests.support.corpus import document, encode, row, vector

VALUES = [
    "2023", "2024", "2024.0", "-5", "5", "007", "1e3", "1000", "99999999999999999999", " 5", "true",
    "null", "[5]", '"5"', "2024-05", "2024-05-03", "2024-05-03 10:00", "2024-05-03T09:30:00Z",
    "2024-5-3", "2024-05-03x", "tea", "green tea, 차, pot", "1, 2024, x", ", ", "", "a\0b",
    'say "x"', "back\\slash", "' OR 1=1 --", "*", "빨강",
]  # fmt: skip
ASKED = [v for v in VALUES if v not in ("", "*")]
SIGNS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
DOCUMENTS = [
    document(
        f"{('guide', 'guide/deep', '문서')[i % 3]}/{i}.{'md' if i % 2 else 'txt'}",
        f"alpha {i}",
        title=value.replace("\0", "") or "Plain",
        metadata={"a": value, **({"b": VALUES[i - 3]} if i % 4 else {})},
        groups=("staff",) if i % 5 == 0 else (),
    )
    for i, value in enumerate(VALUES)
] + [document("top.md", "alpha beta", title="Top")]
LANGUAGES = {d.path: ("ko", "en", "")[i % 3] for i, d in enumerate(DOCUMENTS)}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    opened = Collection(tmp_path_factory.mktemp("c") / "docs", create=True)
    opened.upsert(
        [
            row(d.path, d.text, language=LANGUAGES[d.path], title=d.title, metadata=d.metadata,
                groups=d.groups)
            for d in DOCUMENTS
        ]
    )  # fmt: skip
    encode(opened)
    yield opened
    opened.close()


def meets(condition: Condition, d: Document) -> bool:
    """What a condition means."""
    match condition:
        case Not(part):
            return not meets(part, d)
        case All(parts):
            return all(meets(part, d) for part in parts)
        case Any(parts):
            return any(meets(part, d) for part in parts)
        case Among("path", globs):
            return any(glob(pattern, d.path) for pattern in globs)
        case Among("document", ids):
            return d.id in ids
        case Among(field, values):
            return any(has(d, field, value) for value in values)
        case Exists(field):
            return any(listed(d, field))
        case Compare(field, sign, value):
            same = sign == "=" and has(d, field, value)
            return same or any(stands(v, condition) for v in listed(d, field))


def whole(d: Document, field: str) -> str | None:
    columns = {"title": d.title, "language": LANGUAGES[d.path]}
    found = columns.get(field, d.metadata.get(field))
    return None if found is None else found.replace("\0", "\ufffd")


def listed(d: Document, field: str) -> list[str]:
    value = whole(d, field)
    if value is None:
        return []
    return [value] if field in ("title", "language") else value.split(", ")


def has(d: Document, field: str, value: str) -> bool:
    found, value = whole(d, field), value.replace("\0", "\ufffd")
    if field in ("title", "language") or found is None:
        return found == value
    return f", {value}, " in f", {found}, "


def stands(found: str, asked: Compare) -> bool:
    compare = SIGNS[asked.sign]
    ways = []
    if asked.number is not None:
        ways.append((number := as_number(found)) is not None and compare(number, asked.number))
    if asked.date is not None:
        day = re.fullmatch(r"\d{4}(-\d\d(-\d\d([T ].*)?)?)?", found, re.DOTALL)
        short = found[: len(asked.date)].replace(" ", "T")
        ways.append(bool(day) and compare(short, asked.date))
    if asked.number is None and asked.date is None:
        ways.append(compare(found, asked.value.replace("\0", "\ufffd")))
    return any(ways)


def as_number(text: str) -> float | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    plain = isinstance(found, int | float) and not isinstance(found, bool)
    return (found if abs(found) < 2**63 else float(found)) if plain else None


def paths(collection: Collection, condition: Condition, **more: object) -> list[str]:
    filter_ = Filter(where=condition, **more)  # type: ignore[arg-type]
    return [d.path for d in collection.documents(filter_)]


def expected(condition: Condition) -> list[str]:
    return sorted(d.path for d in DOCUMENTS if meets(condition, d))


fields = st.sampled_from(["a", "b", "title", "language", "none"])
values = st.sampled_from(ASKED) | st.sampled_from(["ko", "en", "po", "green", "2024-05-03T09:30"])
numbers = st.integers(-10, 3000).map(str) | st.sampled_from(
    ["0.5", "2024.0", "1e3", "-5e0", "1e30"]
)
dates = st.sampled_from(["2023", "2024", "2024-05", "2024-06", "2024-05-03", "2024-05-03T10:00"])
signs = st.sampled_from(list(SIGNS))
globs = st.sampled_from(["guide/**", "guide/*", "**/*.md", "*", "**", "문서/?.*", "x'; --"])
ids = st.sampled_from([DOCUMENTS[0].id, DOCUMENTS[7].id, "no id", "' OR 1=1 --", "0" * 32])
leaves = (
    st.builds(Exists, fields | st.sampled_from(["path", "document"]))
    | st.builds(Among, fields, st.lists(values, min_size=1, max_size=3).map(tuple))
    | st.builds(Among, st.just("path"), st.lists(globs, min_size=1, max_size=2).map(tuple))
    | st.builds(Among, st.just("document"), st.lists(ids, min_size=1, max_size=2).map(tuple))
    | st.builds(Compare, fields, signs, numbers | dates | values.filter(typed), st.booleans())
    | st.builds(Compare, fields, signs, values.filter(lambda v: not typed(v)), st.just(value=True))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(joined, st.sampled_from([All, Any]), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=6,
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees.filter(lambda t: "path:*" not in str(t) and "document:*" not in str(t)))
def test_sql_says_what_the_condition_means(collection: Collection, condition: Condition) -> None:
    assert paths(collection, condition) == expected(condition)
    assert parse(str(condition)) == condition


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("literal", [False, True])
def test_every_value_against_every_other(collection: Collection, sign: str, literal: bool) -> None:
    for value in VALUES:
        condition = Compare("a", sign, value, literal)  # type: ignore[arg-type]
        assert paths(collection, condition) == expected(condition), value


class TestByValue:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("a=2024 AND NOT a:2024", ["2024.0", "2024-05", "2024-05-03", "2024-05-03 10:00",
              "2024-05-03T09:30:00Z"]),
            ("a=2024-05-03", ["2024-05-03", "2024-05-03 10:00", "2024-05-03T09:30:00Z"]),
            ("a>2024-05-03T09:30", ["2024-05-03 10:00"]),
            ("a>3000", ["99999999999999999999"]),
            ("a>1000.5", ["2023", "2024", "2024.0", "99999999999999999999", "1, 2024, x"]),
            ("a>2023 AND a<2", ["1, 2024, x"]),
            ("a<=5", ["-5", "5", " 5", "1, 2024, x"]),
            ("a=5", ["5", " 5"]),
            ("a:5", ["5"]),
            ("a=007", ["007"]),
            ('a="2024"', ["2024", "1, 2024, x"]),
            ("a:차", ["green tea, 차, pot"]),
            ('a>"te" AND a<"tf"', ["tea", "green tea, 차, pot", "1, 2024, x"]),
            ('a>"teb"', ["true", "green tea, 차, pot", "1, 2024, x", "빨강"]),
            ("NOT a:*", [", ", ""]),
        ],
    )  # fmt: skip
    def test_numbers_dates_and_texts(
        self, collection: Collection, text: str, found: list[str]
    ) -> None:
        expected = {d.path for d in DOCUMENTS if d.metadata.get("a") in found}
        expected |= {"top.md"} if text.startswith("NOT a:*") else set()
        assert set(paths(collection, parse(text))) == expected

    def test_places_exist_always(self, collection: Collection) -> None:
        assert len(paths(collection, Exists("path"))) == len(DOCUMENTS)
        assert len(paths(collection, Exists("document"))) == len(DOCUMENTS)

    def test_all_parts_of_a_filter_hold(self, collection: Collection) -> None:
        chosen = {"fields": {"language": ("ko",)}, "path": "guide/**", "groups": ()}
        mine = {d.path for d in DOCUMENTS if LANGUAGES[d.path] == "ko" and not d.groups}
        dated = set(paths(collection, parse("a>=2024 OR b:*"), **chosen))
        assert dated == mine & set(expected(parse("path:guide/** AND (a>=2024 OR b:*)")))
        assert dated
        assert paths(collection, parse("a:*"), fields={"a": ("none",)}) == []


class TestSearches:
    def test_a_condition_applies_within_both_legs(self, collection: Collection) -> None:
        chosen = Filter(where=parse("a>=2024 AND NOT path:문서/**"), groups=())
        assert chosen.where
        names = {d.path for d in DOCUMENTS if meets(chosen.where, d) and not d.groups}
        lexical = collection.sparse(["alpha"], 3, chosen)
        dense = collection.dense(vector("q"), 3, chosen)
        assert len(lexical) == len(dense) == min(3, len(names))
        for found, k in ((lexical, 3), (dense, 3)):
            chunks = collection.fetch([i for i, _ in found])
            assert {c.path for c in chunks.values()} <= names, k
        everything = collection.fetch([i for i, _ in collection.sparse(["alpha"], 99, chosen)])
        assert {c.path for c in everything.values()} == names
        assert collection.count(chosen) == len(names)

    @pytest.mark.parametrize("text", ["a>=2024", "lang:ko AND b:*", "NOT lang:(ko OR en)"])
    def test_and_beside_a_search_by_language(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setattr("rag.index.reader._FEW", 1)
        monkeypatch.setattr(collection, "_centroids", {})
        found, languages = search(collection, vector("q"), 99, Filter(where=parse(text)))
        chunks = collection.fetch([i for i, _ in found])
        assert sorted(c.path for c in chunks.values()) == expected(parse(text))
        assert {LANGUAGES[chunks[i].path] for i in languages} == {
            language for group in languages.values() for language in group
        }

    def test_a_selection_is_made_once_a_generation(
        self, collection: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = []
        snapshot = collection._searchable(None)[1]
        select = type(snapshot).select
        monkeypatch.setattr(
            type(snapshot), "select", lambda self, rows: made.append(1) or select(self, rows)
        )
        for _ in range(3):
            chosen = parse_filter("b>=3 AND (lang:ko OR path:guide/**)")
            collection.sparse(["alpha"], 5, chosen)
            collection.dense(np.asarray(vector("q")), 5, chosen)
        assert made == [1]


class TestLimits:
    @pytest.mark.parametrize("opened", ["NOT ", "(", "NOT ("])
    def test_the_deepest_and_widest_are_run(self, collection: Collection, opened: str) -> None:
        count = DEEPEST // (2 if opened == "NOT (" else 1)
        closing = ")" * count if "(" in opened else ""
        deep = parse(opened * count + "a>5" + closing)
        assert paths(collection, deep) == expected(deep)
        alternate: Condition = Compare("a", ">", "5")
        for i in range(DEEPEST - 1):
            alternate = joined((All, Any)[i % 2], [Not(alternate), Exists("b")])
        assert paths(collection, alternate) == expected(alternate)

    @pytest.mark.parametrize("joint", [" AND ", " OR "])
    @pytest.mark.parametrize("test", ["a>=2024-05-03", "NOT a=5", "path:**/x/**"])
    def test_the_widest(self, collection: Collection, joint: str, test: str) -> None:
        wide = parse(joint.join([test] * MOST_TESTS))
        assert paths(collection, wide) == expected(parse(test))

    def test_no_values_are_refused(self, collection: Collection) -> None:
        with pytest.raises(BadQuery, match="'a' has no values"):
            paths(collection, Among("a", ()))

    def test_another_sign_is_never_written_into_sql(self, collection: Collection) -> None:
        with pytest.raises(KeyError):
            paths(collection, Compare("a", "; DROP TABLE documents; --", "5"))  # type: ignore[arg-type]
        assert len(collection.documents()) == len(DOCUMENTS)
