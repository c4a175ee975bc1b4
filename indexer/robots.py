"""What the robots.txt of each host allows, as RFC 9309 has it; knows no pages.

Read by Protego: the standard library's parser takes the first rule that fits rather than the
longest, knows no wildcards, and does not let several agents share rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
from protego import Protego

from indexer.fetch import AGENT, BadStatus, Page
from rag.errors import SourceError

_MAX_BYTES = 1_000_000
_MAX_DELAY = 5.0


class Robots:
    """The rules of the hosts that were asked for, each fetched once; ``fetch`` is `safe_fetch`."""

    def __init__(self, fetch: Callable[..., Page]) -> None:
        self._fetch = fetch
        self._rules: dict[str, Protego | SourceError] = {}

    def check(self, url: str) -> None:
        """Do nothing if ``url`` may be fetched.

        Raises
        ------
        SourceError
            It may not, or the host does not say.
        """
        if not self.allows(url):
            remedy = f"Ask the site's owner to allow '{AGENT}'"
            raise SourceError(url, "robots.txt does not allow it", remedy=remedy)

    def allows(self, url: str) -> bool:
        """Whether ``url`` may be fetched.

        Raises
        ------
        SourceError
            The host does not say: its robots.txt fails, though there may be one.
        """
        return bool(self._of(url).can_fetch(url, AGENT))

    def delay(self, url: str) -> float:
        """Seconds between two requests that the host wishes, at most 5.

        Raises
        ------
        SourceError
            As `allows`.
        """
        return min(self._of(url).crawl_delay(AGENT) or 0.0, _MAX_DELAY)

    def sitemaps(self, url: str) -> Sequence[str]:
        """The sitemaps that the robots.txt of ``url``'s host names.

        Raises
        ------
        SourceError
            As `allows`.
        """
        return list(self._of(url).sitemaps)

    def _of(self, url: str) -> Protego:
        address = str(httpx.URL(url).copy_with(raw_path=b"/robots.txt"))
        if address not in self._rules:
            self._rules[address] = self._read(address)
        rules = self._rules[address]
        if isinstance(rules, SourceError):
            raise SourceError(url, f"{rules.path}: {rules.why}", remedy=rules.remedy)
        return rules

    def _read(self, address: str) -> Protego | SourceError:
        try:
            text = self._fetch(address, max_bytes=_MAX_BYTES).data.decode("utf-8-sig", "replace")
        except BadStatus as e:
            if not 400 <= e.status < 500 or e.status == 429:
                return e
            text = ""  # there are no rules
        except SourceError as e:
            return e
        return Protego.parse(text)
