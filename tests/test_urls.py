"""Canonical URLs, and how pages are shown as paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.urls import canonical, parse_url, path_of
from rag.errors import SourceError


@pytest.mark.parametrize(
    ("written", "is_"),
    [
        ("http://Example.ORG", "http://example.org/"),
        ("HTTP://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a?b#c", "https://example.org/a?b"),
        ("https://example.org:80/", "https://example.org:80/"),
        ("http://example.org/a/../b/./c", "http://example.org/b/c"),
        ("http://example.org/%7euser/%2f%ec%83%98", "http://example.org/~user/%2F%EC%83%98"),
        ("http://example.org/샘", "http://example.org/%EC%83%98"),
        ("http://샘.한국/", "http://xn--4g4b.xn--3e0b707e/"),
        ("http://[2606:4700::1]:80/", "http://[2606:4700::1]/"),
    ],
)
def test_a_page_has_one_url(written: str, is_: str) -> None:
    assert canonical(parse_url(written)) == is_


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_canonical_is_final(path: str) -> None:
    once = canonical(parse_url(f"http://example.org/{path}"))
    assert canonical(parse_url(once)) == once


def once(text: str) -> str:
    """The canonical form of a URL; nothing if it is none."""
    try:
        return canonical(parse_url(text))
    except SourceError:
        return ""


@given(
    st.sampled_from(["", "http://", "http://[", "http://xn--", "https://a:", "//", "http://a/"]),
    st.text(max_size=30),
)
def test_any_text_is_a_url_or_an_error(start: str, rest: str) -> None:
    found = once(start + rest)
    assert once(found) == found
    assert not found or "/" in path_of(found)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("http://example.org/", "example.org/index.html"),
        ("http://example.org:81/a/", "example.org:81/a/index.html"),
        ("http://example.org/guide.md", "example.org/guide.md"),
        ("http://example.org/guide", "example.org/guide"),
        ("http://example.org/view.PHP?id=3", "example.org/view.PHP?id=3.html"),
        ("http://example.org/a.pdf?v=%EC%83%98", "example.org/a?v=샘.pdf"),
        ("http://example.org/%EC%83%98%EB%AC%BC/", "example.org/샘물/index.html"),
        ("http://example.org/%E1%84%89%E1%85%A2%E1%86%B7", "example.org/샘"),
        ("http://xn--i-7iq.test/a", "xn--i-7iq.test/a"),
        ("http://xn--4g4b.xn--3e0b707e/a", "샘.한국/a"),
    ],
)
def test_a_path_is_host_and_path_as_people_read_them(uri: str, path: str) -> None:
    assert path_of(uri) == path
