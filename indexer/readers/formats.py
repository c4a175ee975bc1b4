"""The formats: their names, suffixes and readers. A reader's module is imported when first asked.

Knows not how a file's format is found out (``indexer.readers.sniff``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import cast

from indexer.readers.parsed import Reader


@dataclass(frozen=True, slots=True)
class Format:
    """A format, read by ``read_<name>`` of ``indexer.readers.<module>`` (``name`` by default).

    ``verbatim``: the document's text is the file's own text, so its lines are the file's lines.
    ``binary``: its files hold no text that could be decoded.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str = ""
    verbatim: bool = False
    binary: bool = False

    @property
    def reader(self) -> Reader:
        found = import_module(f"indexer.readers.{self.module or self.name}")
        return cast("Reader", getattr(found, f"read_{self.name}"))


_CODE = (
    ".py .pyi .pyx .js .mjs .cjs .jsx .ts .mts .cts .tsx .vue .svelte .css .scss .less .c .h .cc "
    ".cpp .cxx .hh .hpp .hxx .cu .m .mm .cs .fs .vb .java .kt .kts .scala .groovy .gradle .go .rs "
    ".rb .php .pl .pm .lua .r .jl .swift .dart .hs .ml .mli .ex .exs .erl .clj .el .lisp .scm .zig "
    ".nim .f90 .pas .sh .bash .zsh .fish .ps1 .bat .sql .proto .graphql .tf .hcl .nix .cmake .sol"
)

_TEXT = ".txt .text .log .org .tex .ini .cfg .conf .properties"

FORMATS = (
    Format("markdown", (".md", ".markdown", ".mdown", ".mkd"), verbatim=True),
    Format("mdx", (".mdx",), "markdown", verbatim=True),
    Format("rst", (".rst",), verbatim=True),
    Format("asciidoc", (".adoc", ".asciidoc"), verbatim=True),
    Format("html", (".html", ".htm", ".xhtml")),
    Format("text", tuple(_TEXT.split()), verbatim=True),
    Format("pdf", (".pdf",), binary=True),
    Format("docx", (".docx", ".docm"), binary=True),
    Format("pptx", (".pptx", ".pptm"), binary=True),
    Format("xlsx", (".xlsx", ".xlsm", ".xls"), binary=True),
    Format("odf", (".odt", ".ods", ".odp"), binary=True),
    Format("epub", (".epub",), binary=True),
    Format("rtf", (".rtf",)),
    Format("csv", (".csv", ".tsv"), verbatim=True),
    Format("json", (".json",)),
    Format("jsonl", (".jsonl", ".ndjson"), "json"),
    Format("xml", (".xml",)),
    Format("yaml", (".yaml", ".yml"), verbatim=True),
    Format("toml", (".toml",), verbatim=True),
    Format("notebook", (".ipynb",)),
    Format("email", (".eml", ".mht", ".mhtml")),
    Format("mbox", (".mbox",), "email"),
    Format("code", tuple(_CODE.split()), verbatim=True),
    Format("subtitles", (".srt", ".vtt", ".ass", ".ssa", ".smi")),
    Format("hwp", (".hwp",), binary=True),
    Format("hwpx", (".hwpx",), binary=True),
    Format("hwpml", (".hml",)),
)
BY_NAME: Mapping[str, Format] = MappingProxyType({f.name: f for f in FORMATS})
BY_SUFFIX: Mapping[str, Format] = MappingProxyType({s: f for f in FORMATS for s in f.suffixes})
SUFFIXES = frozenset(BY_SUFFIX)
