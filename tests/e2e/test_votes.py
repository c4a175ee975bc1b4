"""Thumbs on the page, as someone presses them, and what the query log then says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support import docs
from tests.support.fake_llm import FakeLLM
from tests.support.service import running

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs Playwright: pip install playwright"
)
expect = sync_api.expect
expect.set_options(timeout=5000)

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]
QUESTION = "How is black tea made?"
REPLY = "Black tea needs boiling water [1]."


@pytest.fixture(scope="module")
def logging_service(home: Path, _llm: FakeLLM, browser: object) -> Iterator[str]:
    """The URL of a service that keeps a query log."""
    with running(docs.settings(home, llm_url=_llm.url, query_log=True)) as url:
        yield url


@pytest.fixture
def file(home: Path) -> Iterator[Path]:
    """The log of the default collection."""
    file = home / "collections" / "default" / "query-log.jsonl"
    yield file
    file.unlink(missing_ok=True)


def votes(file: Path) -> list[tuple[int, int | None]]:
    query, *votes = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {v["id"] for v in votes} <= {query["id"]}
    return [(v["vote"], v["hit"]) for v in votes]


def pressed(page: Page, group: str) -> list[str | None]:
    return [b.get_attribute("aria-pressed") for b in page.locator(f"{group} button.thumb").all()]


def test_votes_by_pointer_and_by_key(
    visit: Visit, logging_service: str, llm: FakeLLM, file: Path
) -> None:
    llm.reply = REPLY
    page = visit(f"{logging_service}/?q={quote(QUESTION)}")
    page.wait_for_selector(".answered")
    answer, source = ".answer > .votes", "#source-1 .votes"
    expect(page.get_by_role("group", name="Was this answer helpful?")).to_have_count(1)
    assert pressed(page, answer) == pressed(page, source) == ["false", "false"]

    def press(group: str, label: str, *, key: str = "") -> None:
        button = page.locator(group).get_by_role("button", name=label, exact=True)
        with page.expect_response("**/votes") as got:
            if key:
                button.press(key)
            else:
                button.click()
        assert got.value.status == 204

    press(answer, "Helpful")
    assert pressed(page, answer) == ["true", "false"]
    press(answer, "Not helpful", key="Enter")
    assert pressed(page, answer) == ["false", "true"]
    press(source, "Helpful", key="Space")
    page.click("#language")
    assert pressed(page, answer) == ["false", "true"], "another language keeps the votes"
    expect(page.get_by_role("group", name="이 답변이 도움이 되었나요?")).to_have_count(1)
    press(answer, "도움이 안 됨")
    assert pressed(page, answer) == ["false", "false"]
    assert pressed(page, source) == ["true", "false"]
    query = json.loads(file.read_text("utf-8").splitlines()[0])
    (cited,) = query["cited"]
    assert (query["question"], query["hits"][cited]["path"]) == (QUESTION, "en/tea.md")
    assert votes(file) == [(1, None), (-1, None), (1, cited), (0, None)]


def test_every_passage_found_can_be_voted_on(
    visit: Visit, logging_service: str, file: Path
) -> None:
    page = visit(f"{logging_service}/?q=tea&mode=search", "ko-KR")
    page.wait_for_selector(".listed")
    cards = page.locator(".card")
    expect(page.locator(".card .votes")).to_have_count(cards.count())
    with page.expect_response("**/votes"):
        cards.nth(2).get_by_role("button", name="도움이 됨").click()
    assert votes(file) == [(1, 2)]


def test_a_vote_that_is_not_kept_is_taken_back_and_said(
    visit: Visit, logging_service: str, llm: FakeLLM, file: Path
) -> None:
    llm.reply = REPLY
    page = visit(f"{logging_service}/?q={quote(QUESTION)}")
    page.wait_for_selector(".answered")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('offline')); }")
    page.locator(".answer .thumb.up").click()
    note = page.locator(".answer .vote-note")
    expect(note).to_have_text("The vote was not kept: The service does not answer.")
    assert pressed(page, ".answer > .votes") == ["false", "false"]
    assert votes(file) == []


HOLD = """() => {
  window.sent = [];
  window.fetch = (url, { body }) => new Promise((kept, lost) => {
    sent.push({ vote: JSON.parse(body).vote, kept: () => kept(new Response(null, { status: 204 })),
                lost: () => lost(new TypeError("offline")) });
  });
}"""
"""From here on a test says what becomes of each vote that the page sends."""


def sent(page: Page, count: int) -> list[int]:
    """The votes that left the page, once there are so many."""
    page.wait_for_function("count => sent.length === count", arg=count)
    return [int(vote) for vote in page.evaluate("() => sent.map(({ vote }) => vote)")]


@pytest.fixture
def page(visit: Visit, logging_service: str, llm: FakeLLM, file: Path) -> Page:
    """An answer whose votes reach the service only when the test says so."""
    llm.reply = REPLY
    page = visit(f"{logging_service}/?q={quote(QUESTION)}")
    page.wait_for_selector(".answered")
    page.evaluate(HOLD)
    return page


def test_another_language_meanwhile_loses_no_failure(page: Page) -> None:
    answer, note = ".answer > .votes", page.locator(".answer .vote-note")
    page.locator(".answer .thumb.up").click()
    assert sent(page, 1) == [1]
    page.click("#language")
    assert pressed(page, answer) == ["true", "false"]
    page.evaluate("() => sent[0].lost()")
    expect(note).to_have_text("평가를 남기지 못했습니다: 서비스가 응답하지 않습니다.")
    assert pressed(page, answer) == ["false", "false"]
    page.click("#language")
    expect(note).to_contain_text("The vote was not kept: ")
    page.locator(".answer .thumb.down").click()
    expect(note).to_have_text("")
    assert sent(page, 2) == [1, -1]


def test_fast_presses_follow_what_is_shown(page: Page) -> None:
    answer, note = ".answer > .votes", page.locator(".answer .vote-note")
    up, down = page.locator(".answer .thumb.up"), page.locator(".answer .thumb.down")
    up.click()
    up.click()
    assert pressed(page, answer) == ["false", "false"]
    up.click()
    assert pressed(page, answer) == ["true", "false"]
    for n, wanted in enumerate([1, 0, 1]):
        assert sent(page, n + 1)[n] == wanted, "one after the other, in order"
        page.evaluate("n => n === 1 ? sent[n].lost() : sent[n].kept()", n)
    expect(note).to_have_text("")
    down.click()
    assert sent(page, 4)[3] == -1
    assert pressed(page, answer) == ["false", "true"]
    expect(note).to_have_text("")
    page.evaluate("() => sent[3].lost()")
    expect(note).not_to_have_text("")
    assert pressed(page, answer) == ["true", "false"], "back to what the service has"


def test_without_a_log_there_is_nothing_to_press(visit: Visit, service: str, llm: FakeLLM) -> None:
    llm.reply = REPLY
    page = visit(f"{service}/?q={quote(QUESTION)}")
    page.wait_for_selector(".answered")
    expect(page.locator(".votes")).to_have_count(0)
