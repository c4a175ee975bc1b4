"""Boosts as they are written and what they and age make of an order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.index.passages import About
from rag.search.boosts import Boost, boosted, day, decay, parse_boosts

TODAY = date(2026, 3, 31)


def about(path: str = "a.md", language: str = "en", **metadata: str) -> About:
    return About("d", path, "Title", language, metadata)


def test_boosts_are_read_once_into_values() -> None:
    found = parse_boosts(("language=ko: 1.2", " path = guide/** :1.5", "url=http://x:80: 2"))
    assert found == (
        Boost("language", "ko", 1.2),
        Boost("path", "guide/**", 1.5),
        Boost("url", "http://x:80", 2.0),
    )


@pytest.mark.parametrize(
    "text",
    ["language=ko", "language: 2", "=ko: 2", "language=: 2", "a=b: often", "a=b: -1", "a=b: nan",
     "a=b: inf", "a=b: 1e9", ""],
)  # fmt: skip
def test_a_boost_that_is_none_is_named_with_a_remedy(text: str) -> None:
    with pytest.raises(ConfigError, match="is no boost") as e:
        parse_boosts((text,))
    assert f"'{text}'" in e.value.message
    assert "path=guide/**: 1.5" in e.value.remedy


@pytest.mark.parametrize(
    ("boost", "meets", "not_met"),
    [
        (Boost("path", "guide/**", 2), about("guide/a/b.md"), about("other/guide/a.md")),
        (Boost("language", "ko", 2), about(language="ko"), about(language="en")),
        (Boost("title", "Title", 2), about(), About("d", "a", "Tit", "en", {})),
        (Boost("tags", "차", 2), about(tags="녹차, 차"), about(tags="녹차, 홍차")),
        (Boost("tags", "tea", 2), about(tags="tea"), about()),
        (Boost("document", "d", 2), about(), About("e", "a", "", "en", {})),
    ],
)
def test_what_a_boost_is_for(boost: Boost, meets: About, not_met: About) -> None:
    assert boost.meets(meets)
    assert not boost.meets(not_met)


def test_scores_are_multiplied_by_every_boost_that_is_met() -> None:
    of = {"a": about(language="en"), "b": about("guide/x.md", "ko"), "c": about(language="ko")}
    boosts = parse_boosts(("language=ko: 2", "path=guide/**: 3"))
    found = boosted([("a", 1.0), ("b", 0.5), ("c", 0.25)], of, boosts)
    assert found == [("b", 3.0), ("a", 1.0), ("c", 0.5)]


def test_negative_scores_are_moved_up_first() -> None:
    of = {"a": about(), "b": about(language="ko"), "c": about()}
    found = boosted([("a", 1.0), ("b", -1.0), ("c", -3.0)], of, parse_boosts(("language=ko: 3",)))
    assert found == [("b", 6.0), ("a", 4.0), ("c", 0.0)]


def test_one_of_no_known_document_stays_as_it_is() -> None:
    boosts = parse_boosts(("language=en: 2",))
    found = boosted([("gone", 1.0), ("a", 0.75)], {"a": about()}, boosts)
    assert found == [("a", 1.5), ("gone", 1.0)]
    assert boosted([], {}, boosts, recency_days=1) == []


@given(st.lists(st.floats(-9, 9), max_size=6, unique=True), st.floats(1, 9))
def test_a_factor_above_one_never_lowers_a_rank(scores: list[float], factor: float) -> None:
    order = [(f"p{i}", score) for i, score in enumerate(sorted(scores, reverse=True))]
    of = {id_: about(language="ko" if i % 2 else "en") for i, (id_, _) in enumerate(order)}
    found = boosted(order, of, [Boost("language", "ko", factor)])
    before, after = ([id_ for id_, _ in x] for x in (order, found))
    lifted = [id_ for id_ in before if of[id_].language == "ko"]
    assert all(after.index(id_) <= before.index(id_) for id_ in lifted)
    assert sorted(after) == sorted(before)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01", date(2024, 5, 1)),
        ("2024-05-01T23:10:00+09:00", date(2024, 5, 1)),
        ("20240501", date(2024, 5, 1)),
        ("2024.5.1.", date(2024, 5, 1)),
        ("2024/05/01 10:00", date(2024, 5, 1)),
        ("2024년 5월 1일", date(2024, 5, 1)),
        ("2024년 5월", date(2024, 5, 15)),
        ("2024-05", date(2024, 5, 15)),
        ("2024", date(2024, 7, 1)),
        ("1998년", date(1998, 7, 1)),
        ("31.12.2023", date(2023, 12, 31)),
        ("Wed, 01 May 2024 10:00:00 +0900", date(2024, 5, 1)),
        ("1 May 2024", date(2024, 5, 1)),
        ("", None),
        ("recently", None),
        ("2024-13-45", None),
        ("0000-01-01", None),
        ("version 3", None),
        ("123456", None),
        ("Wed, 01 May 99999999999999999999 10:00", None),
    ],
)
def test_dates_of_many_forms(text: str, expected: date | None) -> None:
    assert day(text) == expected


@given(st.text("0123456789-./ :TZ년월일 MayWed,", max_size=24))
def test_no_text_breaks_it(text: str) -> None:
    found = day(text)
    assert found is None or 1 <= found.year <= 9999


def test_a_half_life_halves() -> None:
    dates = {"new": TODAY, "month": date(2026, 3, 1), "two": date(2026, 1, 30)}
    found = decay(dates, 30, TODAY)
    assert found == {"new": 1.0, "month": 0.5, "two": 0.25}


def test_the_old_keep_something_and_what_is_to_come_is_of_today() -> None:
    found = decay({"old": date(1950, 1, 1), "ahead": date(2030, 1, 1)}, 30, TODAY)
    assert found == {"old": 0.05, "ahead": 1.0}


def test_the_undated_are_as_old_as_the_median_one() -> None:
    dates = {"a": TODAY, "b": date(2026, 3, 1), "c": date(2020, 1, 1), "none": None}
    assert decay(dates, 30, TODAY)["none"] == 0.5
    assert decay({"none": None}, 30, TODAY) == {}


def test_recency_changes_the_order() -> None:
    of = {"a": about(date="2026-01-30"), "b": about(date="2026-03-31"), "c": about(date="what?")}
    order = [("a", 1.0), ("b", 0.75), ("c", 0.25)]
    found = boosted(order, of, (), recency_days=30, today=TODAY)
    assert found == [("b", 0.75), ("a", 0.25), ("c", 0.125)]  # c as old as 30 days, the median
    by_year = {"a": about(year="2026"), "b": about(year="1990")}
    found = boosted([("b", 1.0), ("a", 0.9)], by_year, (), recency_days=365, recency_field="year",
                    today=TODAY)  # fmt: skip
    assert found == [("a", 0.9), ("b", 0.05)]
