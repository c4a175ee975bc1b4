"""A real service over a real collection, and a real Chromium that looks at it.

Everything lives as long as the module: Playwright keeps an event loop in the main thread, which
the tests after it must not find.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.workspace import Workspace
from tests.support import docs
from tests.support.fake_llm import FakeLLM
from tests.support.service import running

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERON = "The heron 🪶 nests on the 한강 island, above the second bridge."
FILES = docs.FILES | {
    "birds/river.md": "# Birds\n\n"
    + "".join(f"🦆 Duck {n} swims where 오리 {n} swims.\n\n" for n in range(400))
    + f"{HERON} It leaves in autumn.\n\n"
    + "".join(f"Gull {n} shouts at gull {n + 1}.\n\n" for n in range(400)),
    "hostile.md": (
        "# Pelican <img src=x onerror=hacked=1>\n\nThe pelican password is "
        "<img src=x onerror=hacked=2> fish <script>hacked=3</script> [1](javascript:hacked=4).\n"
    ),
}
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless."""
    reason = "needs Playwright: pip install playwright"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not found:
        pytest.skip("needs a Chromium on the PATH: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose default collection holds `FILES`; nothing of the caller's settings counts."""
    root = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("RAG_")]:
            patch.delenv(name)
        patch.chdir(root)
        workspace = Workspace(docs.settings(root / "home"))
        docs.index(workspace, docs.write(root / "docs", FILES))
        workspace.close()
        yield root / "home"


@pytest.fixture(scope="module")
def _llm() -> Iterator[FakeLLM]:
    with FakeLLM() as llm:
        yield llm


@pytest.fixture
def llm(_llm: FakeLLM) -> FakeLLM:
    """The language model of the service; a test says what it replies."""
    _llm.requests.clear()
    _llm.reply, _llm.pause = "The answer is 42.", 0.0
    return _llm


@pytest.fixture(scope="module")
def service(home: Path, _llm: FakeLLM, browser: object) -> Iterator[str]:
    """The URL of the service."""
    with running(docs.settings(home, llm_url=_llm.url)) as url:
        # Once: in a fresh environment the first search compiles, which may take a minute.
        httpx.post(f"{url}/search", json={"query": "warm up"}, timeout=180).raise_for_status()
        yield url


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a URL in a browser of its own; afterwards nothing may have gone wrong there."""
    contexts, problems = [], []

    def visit(url: str, locale: str = "en-US") -> Any:
        size = {"width": 1280, "height": 800}
        context = browser.new_context(viewport=size, locale=locale, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(5000)
        context.add_init_script(_WATCH)
        page = context.new_page()
        origin = "/".join(url.split("/")[:3]) + "/"

        def asked(request: Any) -> None:
            if not request.url.startswith((origin, "data:", "blob:")):
                problems.append(f"a request left for {request.url}")

        def said(message: Any) -> None:
            if message.type in ("error", "warning"):
                problems.append(f"the console says: {message.text}")

        def opened(dialog: Any) -> None:
            problems.append(f"a dialog: {dialog.message}")
            dialog.dismiss()

        page.on("request", asked)
        page.on("console", said)
        page.on("dialog", opened)
        page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(visit: Callable[..., Any], service: str) -> Any:
    """The start page, in English."""
    return visit(service)
