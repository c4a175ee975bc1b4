"""The page, as someone uses it: the real service, a real browser, a scripted language model."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import FILES, HERON
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

CORS = "How do I allow another origin to call my API?"
CORS_REPLY = (
    "The middleware lets another origin call the API [1]. "
    "The allowed origins are listed in `allow_origins` [1]."
)
CORS_QUOTES = [
    "The middleware allows another origin to call the API.",
    "List the allowed origins in `allow_origins`.",
]
TEA = "녹차는 몇 도에서 우리나요?"


def ask(page: Page, question: str, outcome: str = "answered") -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.wait_for_selector(f".result.{outcome}")


def press_until(page: Page, key: str, selector: str, times: int = 30) -> None:
    for _ in range(times):
        page.keyboard.press(key)
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"{times} times {key} did not lead to {selector}")


def in_view(page: Page, selector: str) -> bool:
    box = page.locator(selector).bounding_box()
    height = page.viewport_size["height"]
    return box is not None and box["y"] > 0 and box["y"] + box["height"] < height


def marked(page: Page) -> tuple[str, int, str]:
    """The text that the reader marks, its offset in the text shown, and that text."""
    start, text = page.evaluate(
        """() => {
          const all = document.getElementById("reader-text");
          const before = document.createRange();
          before.setStart(all, 0);
          before.setEndBefore(all.querySelector("mark"));
          return [[...before.toString()].length, all.textContent];
        }"""
    )
    return "".join(page.locator("#reader-text mark").all_text_contents()), start, text


class TestAnswer:
    def test_streams_and_ends_with_its_sources(self, page: Page, llm: FakeLLM) -> None:
        llm.reply, llm.pause = CORS_REPLY, 0.06
        page.fill("#question", CORS)
        page.press("#question", "Enter")
        expect(page.locator(".busy .prose")).to_contain_text("The middleware lets")
        assert "allow_origins" not in page.inner_text(".busy .prose")
        page.wait_for_selector(".answered")
        expect(page.locator(".answer h2")).to_have_text("Answer")
        words = " ".join(page.inner_text(".prose").split())
        assert words == re.sub(r"[`[\]]", "", CORS_REPLY)
        markers = page.locator("button.marker")
        assert markers.all_text_contents() == ["1", "1"]
        assert markers.nth(0).get_attribute("aria-label") == "Source 1: en/cors.md, line 3"
        assert page.locator("#source-1 mark").all_text_contents() == CORS_QUOTES
        expect(page.locator(".notes")).to_have_count(0)

    def test_shows_the_sentence_behind_each_marker(self, page: Page, llm: FakeLLM) -> None:
        llm.reply = CORS_REPLY
        ask(page, CORS)
        for n, quote in enumerate(CORS_QUOTES):
            page.locator("button.marker").nth(n).click()
            expect(page.locator("#note mark")).to_have_text(quote)
            expect(page.locator("#note .place")).to_have_text("en/cors.md:3")
            page.keyboard.press("Escape")
            expect(page.locator("#note")).to_be_hidden()

    def test_opens_the_document_at_exactly_the_quoted_characters(
        self, page: Page, llm: FakeLLM
    ) -> None:
        llm.reply = "It nests on the island above the second bridge [1]."
        ask(page, "Where does the heron nest?")
        page.locator("button.marker").click()
        page.locator("#note").get_by_text("Open document").click()
        page.wait_for_selector("#reader mark")
        whole = FILES["birds/river.md"]
        assert marked(page) == (HERON, whole.index(HERON), whole)
        expect(page.locator("#reader-note")).to_be_hidden()
        line = whole[: whole.index(HERON)].count("\n") + 1
        expect(page.locator("#reader-place")).to_have_text(f"birds/river.md:{line}")
        page.wait_for_function("document.getElementById('reader-text').scrollTop > 1000")
        assert in_view(page, "#reader mark")
        page.click("#reader-close")
        expect(page.locator("#reader")).to_be_hidden()

    def test_abstains_visibly(self, page: Page, llm: FakeLLM) -> None:
        ask(page, "Who walked on the moon?", "abstained")
        expect(page.locator(".answer h2")).to_have_text("Your documents do not say")
        expect(page.locator(".prose")).to_have_text("I could not find the answer in the documents.")
        expect(page.locator("button.marker")).to_have_count(0)
        expect(page.locator("summary")).to_have_text("The nearest passages")
        assert llm.chats() == []

    def test_shows_the_steps_of_a_program(self, visit: Visit, home: Path) -> None:
        said = ["I look for the middleware.\nAction 1: Search[CORS]",
                f"It is there.\nAction 2: Finish[{CORS_REPLY}]"]  # fmt: skip
        with (
            FakeLLM(replies=said, pause=0.1) as llm,
            running(docs.settings(home, llm_url=llm.url, program="react")) as url,
        ):
            page = visit(f"{url}/?q={CORS}")
            page.wait_for_selector(".busy .step:not(:empty)")
            page.wait_for_selector(".result.answered")
            expect(page.locator(".steps summary")).to_have_text("5 steps on the way")
            expect(page.locator(".steps li").first).to_have_text("I look for the middleware.")

    def test_tells_when_what_was_written_first_is_replaced(self, page: Page, llm: FakeLLM) -> None:
        llm.reply = "Bananas are yellow. Monkeys are said to like them."
        ask(page, CORS)
        expect(page.locator(".answer h2")).to_have_text("In your documents’ own words")
        expect(page.locator(".notes .lead")).to_have_text(
            "What was written first has been withdrawn."
        )
        expect(page.locator(".notes li")).to_contain_text("Too little of the model's answer")
        words = [w.split() for w in page.locator(".quotes blockquote").all_inner_texts()]
        assert words == [[*CORS_QUOTES[0].split(), "1"]]
        page.locator("button.marker").click()
        expect(page.locator("#note mark")).to_have_text(CORS_QUOTES[0])
        expect(page.locator("#announce")).to_contain_text("withdrawn")

    def test_quotes_and_says_why_when_the_model_is_down(self, visit: Visit, home: Path) -> None:
        with FakeLLM(mode="refused") as down, running(docs.settings(home, llm_url=down.url)) as url:
            page = visit(url)
            ask(page, CORS)
            expect(page.locator(".answer blockquote").first).to_contain_text(CORS_QUOTES[0])
            expect(page.locator(".notes")).to_contain_text(down.url)

    def test_shows_what_to_do_when_an_answer_fails(self, visit: Visit, service: str) -> None:
        page = visit(service)
        error = {"type": "CorruptIndex", "message": "a file is damaged", "remedy": "Restore it"}
        body = f"event: error\ndata: {json.dumps({'error': error})}\n\n"
        page.route("**/ask", lambda route: route.fulfill(
            status=200, content_type="text/event-stream", body=body
        ))  # fmt: skip
        ask(page, CORS, "failed")
        expect(page.locator(".failure h2")).to_have_text("That did not work")
        expect(page.locator(".failure .remedy")).not_to_be_empty()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()

    def test_speaks_korean(self, visit: Visit, service: str, llm: FakeLLM) -> None:
        llm.reply = "녹차는 80도에서 우립니다 [1]."
        page = visit(service, "ko-KR")
        assert page.get_attribute("html", "lang") == "ko"
        assert page.get_attribute("#question", "placeholder") == "문서에 물어보세요"
        ask(page, TEA)
        expect(page.locator(".answer h2")).to_have_text("답변")
        expect(page.locator(".sources > h2")).to_have_text("출처")
        page.locator("button.marker").click()
        expect(page.locator("#note mark")).to_have_text("녹차는 80도에서 우립니다.")
        expect(page.locator("#note .place")).to_have_text("ko/tea.md:3")
        page.locator("#note").get_by_text("문서 열기").click()
        page.wait_for_selector("#reader mark")
        whole = FILES["ko/tea.md"]
        quote = "녹차는 80도에서 우립니다."
        assert marked(page) == (quote, whole.index(quote), whole)
        page.keyboard.press("Escape")
        page.click("#language")
        expect(page.locator(".answer h2")).to_have_text("Answer")
        page.reload()
        expect(page.locator(".answer h2")).to_have_text("Answer")


class TestSearch:
    def test_marks_terms_and_shows_scores(self, page: Page, service: str) -> None:
        page.check("input[value=search]", force=True)
        ask(page, "black tea", "listed")
        body = json.dumps({"query": "black tea"}).encode()
        request = urllib.request.Request(
            f"{service}/search", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:
            hits = json.load(response)["hits"]
        cards = page.locator(".card")
        assert cards.count() == len(hits)
        first = cards.nth(0)
        expect(first.locator("h3")).to_have_text("Tea")
        assert first.locator("mark").all_text_contents() == ["tea", "Black", "tea"]
        for card, hit in zip(cards.all(), hits, strict=True):
            legs = [f"{leg} {score:.2f}" for leg, score in hit["scores"].items()]
            said = [f"{hit['score']:.3f}", *legs] if len(legs) > 1 else legs
            expect(card.locator(".scores")).to_have_text(" · ".join(said))
            expect(card.locator(".place")).to_have_text(hit["path"])
        page.select_option("#by", "bm25")
        page.wait_for_url("**mode=search&by=bm25")
        expect(page.locator(".card").nth(0).locator(".scores")).to_have_text(re.compile(r"^bm25 "))


class TestPage:
    def test_finds_an_uploaded_file(self, page: Page, llm: FakeLLM) -> None:
        before = page.locator("#status")
        expect(before).to_contain_text("documents")
        text = b"# Kettle\n\nThe copper kettle whistles a minor third.\n"
        with page.expect_file_chooser() as chooser:
            page.click("#add")
        good = {"name": "kettle.md", "mimeType": "text/markdown", "buffer": text}
        bad = {"name": "<b>x</b>.bin", "mimeType": "x/y", "buffer": b"\0\1"}
        chooser.value.set_files([good, bad])
        expect(page.locator("#added h2")).to_have_text("One file added, one failed")
        expect(page.locator("#added .good")).to_contain_text("kettle.md")
        expect(page.locator("#added .bad")).to_contain_text("b>.bin")
        llm.reply = "The copper kettle whistles a minor third [1]."
        ask(page, "What does the copper kettle whistle?")
        page.locator("button.marker").click()
        expect(page.locator("#note mark")).to_have_text("The copper kettle whistles a minor third.")
        expect(page.locator("#note .place")).to_have_text("kettle.md:3")

    def test_keeps_the_question_in_the_address(
        self, visit: Visit, service: str, llm: FakeLLM
    ) -> None:
        llm.reply = CORS_REPLY
        page = visit(f"{service}/?q=How+do+I+allow+another+origin+to+call+my+API%3F")
        for asked in (1, 2):
            page.wait_for_selector(".answered")
            assert page.input_value("#question") == CORS
            assert page.title() == f"{CORS} · Saem"
            assert len(llm.chats()) == asked
            if asked == 1:
                page.reload()
        page.check("input[value=search]", force=True)
        page.wait_for_selector(".listed")
        page.go_back()
        page.wait_for_selector(".answered")
        assert page.is_checked("input[value=ask]")
        assert len(llm.chats()) == 2, "going back asks nothing again"

    def test_works_by_keyboard_alone(self, page: Page, llm: FakeLLM) -> None:
        llm.reply = CORS_REPLY
        page.keyboard.type(CORS)  # the question has the focus from the start
        page.keyboard.press("Enter")
        page.wait_for_selector(".answered")
        press_until(page, "Tab", "button.marker")
        expect(page.locator("#note mark")).to_have_text(CORS_QUOTES[0])
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.closest('#note') !== null")
        page.keyboard.press("Enter")
        page.wait_for_selector("#reader mark:focus")
        assert marked(page)[0] == CORS_QUOTES[0]
        page.keyboard.press("Escape")
        expect(page.locator("#reader")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#note")).to_be_hidden()
        assert page.evaluate("document.activeElement.matches('button.marker')")
        press_until(page, "Shift+Tab", "#question")

    def test_hostile_text_stays_text(self, page: Page, llm: FakeLLM) -> None:
        llm.reply = (
            "The pelican password is <img src=x onerror=hacked=2> fish [1](javascript:hacked=4). "
            "See [the <script>hacked=7</script> page](javascript:hacked=8) "
            "and ![it](http://192.0.2.1/x.png)."
        )
        ask(page, "What is the pelican password?")
        assert "<img src=x onerror=hacked=2> fish" in page.inner_text(".prose")
        assert "See the <script>hacked=7" in page.inner_text(".prose")
        page.locator("button.marker").nth(0).click()
        expect(page.locator("#note mark")).to_contain_text("<img src=x onerror=hacked=2> fish")
        page.locator("#note").get_by_text("Open document").click()
        page.wait_for_selector("#reader mark")
        assert marked(page)[2] == FILES["hostile.md"]
        expect(page.locator("#reader-title")).to_have_text("Pelican <img src=x onerror=hacked=1>")
        made = "#result, #note, #reader"
        for tag in ("img", "script", "a", "iframe", "[onerror]"):
            assert page.locator(made).locator(tag).count() == 0
        assert page.evaluate("typeof hacked") == "undefined"
