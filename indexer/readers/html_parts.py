"""Which parts of an HTML page are not its main content: navigation, banners, comments and such.

Knows element trees only, no text that is made of them.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

DROPPED = frozenset(
    {"aside", "button", "canvas", "dialog", "footer", "head", "iframe", "nav", "noscript"}
    | {"object", "rp", "script", "select", "style", "svg", "template", "textarea", "video", "audio"}
)
_HIDDEN = (
    "[hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo],"
    "[role=search], [role=menu], [role=menubar], [role=toolbar], [role=dialog],"
    "[role=alertdialog], [role=complementary], [style*='display:none'], [style*='display: none']"
)
_NAMED = ", ".join(
    f"{tag}[{by}]"
    for tag in ("div", "section", "ul", "ol", "header", "p", "table", "details", "a")
    for by in ("class", "id")
)
# Words of class names and ids, with which people name what is no content.
_WORDS = frozenset(
    {"ad", "ads", "advert", "advertisement", "breadcrumb", "breadcrumbs", "byline", "comments"}
    | {"consent", "cookie", "cookies", "disqus", "footer", "gdpr", "localtoc", "menu", "menubar"}
    | {"modal", "nav", "navbar", "navigation", "navigator", "newsletter", "pager", "pagination"}
    | {"paywall", "popup", "prevnext", "promo", "recommendations", "recommended", "related"}
    | {"searchbox", "share", "sharing", "sidebar", "sidenav", "skip", "social", "sponsored"}
    | {"subscribe", "toc", "tableofcontents", "toolbar", "topbar", "sphinxsidebar", "mw-jump-link"}
)
_LINKS = frozenset({"headerlink", "permalink", "hash-link", "anchor-link", "anchorjs-link"})
_NOTES = re.compile(r"\b(?:footnotes?|admonition|callout|note|warning|tip)\b")
_WORD = re.compile(r"[A-Za-z]+")
_MANY = 5
_LOOKS = 50
_PROSE_CHARS = 200
_INTRODUCTIONS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"})
_PROSE = "p, h1, h2, h3, article, main, table"


class Parts:
    """A page's main content, and which nodes within are left out.

    Attributes
    ----------
    root
        ``main``, or the one ``article`` that holds most of the page, or ``body``.
    """

    def __init__(self, tree: LexborHTMLParser) -> None:
        body = tree.body
        self._size = _size(body) if body else 0
        self._prose = self._size - sum(map(_size, tree.css("a")))
        self._looked_at = 0
        self.root = self._main(tree) or body
        self._left_out: set[int] = set()
        if self.root is None:
            return
        self._left_out = {node.mem_id for node in tree.css(_HIDDEN)}
        self._left_out |= {node.mem_id for node in tree.css(_NAMED) if self._boilerplate(node)}
        self._left_out |= {
            node.mem_id for node in tree.css("form") if node.css_first(_PROSE) is None
        }
        if self.root.tag == "body" and self._prose > _PROSE_CHARS:
            self._left_out |= {node.mem_id for node in tree.css("ul, ol") if self._links(node)}
        self._kept = {
            node.mem_id
            for node in tree.css("aside[class]")
            if _NOTES.search(node.attributes.get("class") or "")
        }
        self._left_out.discard(self.root.mem_id)

    def wanted(self, node: LexborNode, tag: str) -> bool:
        if tag in DROPPED:
            return tag == "aside" and node.mem_id in self._kept
        return node.mem_id not in self._left_out

    def _main(self, tree: LexborHTMLParser) -> LexborNode | None:
        found = tree.css("main, [role=main]")
        if found:
            return max(found, key=_size)
        articles = [node for node in tree.css("article") if _size(node) * 2 > self._size]
        return articles[0] if articles else None

    def _boilerplate(self, node: LexborNode) -> bool:
        """Whether it is named so and holds less than half of the page's text, links not counted."""
        names = node.attributes
        named = f"{names.get('class') or ''} {names.get('id') or ''}".lower()
        if node.tag == "a":
            return not _LINKS.isdisjoint(named.split())
        if _WORDS.isdisjoint(_WORD.findall(named)):
            return False
        size = _size(node)
        self._looked_at += size
        if self._looked_at > _LOOKS * self._size:  # names nest in names
            return False
        return (size - sum(map(_size, node.css("a")))) * 2 < self._prose

    def _links(self, node: LexborNode) -> bool:
        """Whether a list is of links alone, introduced by nothing, on a page with more text."""
        links = node.css("a")
        size = _size(node)
        if len(links) < _MANY or sum(map(_size, links)) * 10 < size * 9:
            return False
        before = node.prev
        while before is not None and before.tag in ("-text", "-comment"):
            before = before.prev
        return before is None or before.tag not in _INTRODUCTIONS


def _size(node: LexborNode) -> int:
    return len(node.text(deep=True).strip())
