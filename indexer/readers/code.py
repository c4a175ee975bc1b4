"""Source code by its definitions, through tree-sitter. Knows no language (`code_languages` does).

A function or method is one block, with the comments and decorators above it; its ``title`` is its
qualified name (``Class.method``). What stands between definitions is cut at blank lines. The text
is the file's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from indexer.readers.code_languages import GRAMMARS, LANGUAGES, Grammar
from indexer.readers.parsed import Parsed, Raw, line_offsets, paragraphs
from rag.types import Block

if TYPE_CHECKING:
    from tree_sitter import Node

# Larger files are data or generated; the worst of this size take 9 s and 250 MB.
_PARSED_CHARS = 1 << 19
_BROKEN = 0.3
_NAME_CHARS = 100
_CLOSER = re.compile(r"\s(?:\W|\bend\b)*")
# What stands around definitions without being one ...
_AROUND = frozenset(
    {"annotation_type_body", "ambient_declaration", "block", "body_statement", "class_body"}
    | {"compound_statement", "declaration", "declaration_list", "decorated_definition"}
    | {"else_clause", "enum_body", "enum_body_declarations", "enum_class_body", "ERROR"}
    | {"except_clause", "export_statement", "expression_statement", "field_declaration"}
    | {"field_declaration_list", "file_scoped_namespace_declaration", "if_statement"}
    | {"interface_body", "linkage_specification", "object_type", "preproc_else", "preproc_if"}
    | {"preproc_ifdef", "program", "protocol_body", "statement", "statement_block"}
    | {"template_body", "template_declaration", "try_statement"}
)
# ... and of these, what belongs to the one definition in it.
_WRAPPERS = frozenset(
    {"ambient_declaration", "declaration", "decorated_definition", "export_statement"}
    | {"expression_statement", "field_declaration", "statement", "template_declaration"}
)
_ABOVE = frozenset(
    {"attribute_item", "block_comment", "comment", "decorator", "doc_comment", "line_comment"}
    | {"marginalia", "multiline_comment"}
)
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "class", "generator_function"})
_NAMES = frozenset({"identifier", "object_reference", "simple_identifier", "type_identifier"})


@dataclass(frozen=True, slots=True)
class _Definition:
    """Lines ``first`` to ``last`` (from 0); ``whole``: what is defined within is not looked at."""

    first: int
    last: int
    name: str
    whole: bool


def read_code(raw: Raw) -> Parsed:
    """Blocks of source code; ``metadata["code"]`` is the language.

    A file of a language without a grammar, of more than half a million characters, or of which too
    much does not parse, is cut at blank lines.
    """
    path = PurePosixPath(raw.path)
    language = LANGUAGES.get(path.suffix.lower(), "")
    grammar = GRAMMARS.get(language)
    definitions: list[_Definition] = []
    if grammar and len(raw.text) <= _PARSED_CHARS:
        definitions = _definitions(raw.text, grammar)
    blocks = _closed(raw.text, _blocks(raw.text, definitions))
    return Parsed(raw.text, tuple(blocks), path.name, {"code": language} if language else {})


def _blocks(text: str, definitions: list[_Definition]) -> Iterator[Block]:
    """Whole definitions, and what is left between them under the name of what is around it."""
    offsets = line_offsets(text)
    lines = len(offsets) - 1
    scopes: list[_Definition] = []
    line = 0

    def until(end: int) -> Iterator[Block]:
        nonlocal line
        while line < end:
            while scopes and scopes[-1].last < line:
                scopes.pop()
            stop = min(end, scopes[-1].last + 1) if scopes else end
            name = scopes[-1].name if scopes else ""
            for block in paragraphs(text, offsets[line], offsets[stop]):
                yield Block("code", block.start, block.end, title=name)
            line = stop

    for definition in definitions:
        if definition.first < line:  # it begins on a line that another one ends on
            continue
        yield from until(definition.first)
        if definition.whole:
            start, line = offsets[line], min(definition.last + 1, lines)
            end = start + len(text[start : offsets[line]].rstrip())
            yield Block("code", start, end, title=definition.name)
        else:
            scopes.append(definition)
    yield from until(lines)


def _closed(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """``blocks``, a line that only closes what is around it joined to the block before."""
    held: Block | None = None
    for block in blocks:
        if held and _CLOSER.fullmatch(text, held.end, block.end):
            held = Block("code", held.start, block.end, title=held.title)
            continue
        if held:
            yield held
        held = block
    if held:
        yield held


def _definitions(text: str, grammar: Grammar) -> list[_Definition]:
    """Definitions in the order of their first lines; none where too much does not parse."""
    source = text.encode("utf-8", "replace")
    root = grammar.parser().parse(source).root_node
    broken = sum(node.end_byte - node.start_byte for node in root.children if node.is_error)
    if broken > _BROKEN * len(source):
        return []
    found: list[_Definition] = []
    todo = list(_children(root, ""))[::-1]
    while todo:
        node, prefix, first = todo.pop()
        kind = node.type
        scope = kind in grammar.scopes
        if (scope or kind in grammar.leaves) and _defines(node):
            name = ".".join(part for part in (prefix, _name(node)) if part)
            last = node.end_point.row - (node.end_point.column == 0)
            whole = not scope or last == node.start_point.row
            found.append(_Definition(first, last, name, whole))
            todo += [] if whole else list(_children(node, name))[::-1]
        elif kind in _AROUND:
            # What begins where this node does has its comments, too.
            at = sys.maxsize if kind in _WRAPPERS else node.start_point.row
            inner = list(_children(node, prefix))
            todo += [(n, p, min(first, y) if y <= at else y) for n, p, y in reversed(inner)]
    return found


def _children(node: Node, prefix: str) -> Iterator[tuple[Node, str, int]]:
    """Children with ``prefix`` and their first lines, comments and attributes above included."""
    above = below = -1  # lines of the comments that were met last
    end = -1
    for child in node.named_children:
        start, last = child.start_point.row, child.end_point.row - (child.end_point.column == 0)
        if child.type in _ABOVE:
            if start > end:
                above = start if start > below + 1 or above < 0 else above
                below = last
            continue
        yield child, prefix, above if above >= 0 and start <= below + 1 else start
        above = below = -1
        end = last


def _defines(node: Node) -> bool:
    """Whether it is more than a mention of a type or a plain variable."""
    if node.type.endswith("_specifier"):
        return node.child_by_field_name("body") is not None
    if node.type == "lexical_declaration":
        values = (child.child_by_field_name("value") for child in node.named_children)
        return any(value is not None and value.type in _FUNCTIONS for value in values)
    return True


def _name(node: Node) -> str:
    receiver = node.child_by_field_name("receiver")
    name = node.child_by_field_name("name")
    named: Node | None = name or node.child_by_field_name("declarator")
    while named is not None and (inner := named.child_by_field_name("declarator")) is not None:
        named = inner
    named = named or node.child_by_field_name("type")
    if named is None:
        inside = [
            c.child_by_field_name("name") or (c if c.type in _NAMES else None)
            for c in node.named_children
        ]
        named = next((c for c in inside if c is not None), None)
    parts = [receiver, named]
    words = [p.text.decode("utf-8", "replace") for p in parts if p is not None and p.text]
    if len(words) == 2:  # Go: "(s *Server)"
        words[0] = words[0].strip("()").split()[-1].lstrip("*") if words[0].strip("() ") else ""
    return ".".join(filter(None, words)).split("\n")[0].replace("::", ".")[:_NAME_CHARS]
