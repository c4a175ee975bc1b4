"""Programming languages: their suffixes, and what their grammars call definitions.

The grammars are the published tree-sitter wheels, one a language; nothing is fetched. Knows no
text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Parser


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a language is parsed.

    ``scopes`` are the node types of definitions that hold others (classes, namespaces), ``leaves``
    those of definitions that are kept whole.
    """

    module: str
    scopes: frozenset[str]
    leaves: frozenset[str]
    function: str = "language"

    def parser(self) -> Parser:
        from tree_sitter import Language, Parser

        language = getattr(import_module(f"tree_sitter_{self.module}"), self.function)
        return Parser(Language(language()))


def _grammar(module: str, scopes: str, leaves: str, function: str = "language") -> Grammar:
    return Grammar(module, frozenset(scopes.split()), frozenset(leaves.split()), function)


_C = "function_definition type_definition struct_specifier enum_specifier union_specifier"
_JS = "function_declaration generator_function_declaration method_definition lexical_declaration"
_TS = (
    "class_declaration abstract_class_declaration interface_declaration internal_module module"
    " ambient_declaration"
)
_TS_LEAVES = (
    f"{_JS} enum_declaration type_alias_declaration function_signature method_signature"
    " abstract_method_signature"
)
_SQL = (
    "create_table create_view create_materialized_view create_function create_procedure"
    " create_trigger create_index create_type create_schema create_policy"
)

GRAMMARS: Mapping[str, Grammar] = MappingProxyType(
    {
        "Bash": _grammar("bash", "", "function_definition"),
        "C": _grammar("c", "", f"{_C} preproc_function_def"),
        "C#": _grammar(
            "c_sharp",
            "class_declaration struct_declaration interface_declaration record_declaration"
            " namespace_declaration",
            "method_declaration constructor_declaration property_declaration enum_declaration"
            " delegate_declaration operator_declaration",
        ),
        "C++": _grammar(
            "cpp",
            "class_specifier struct_specifier namespace_definition",
            "function_definition type_definition enum_specifier union_specifier"
            " preproc_function_def concept_definition alias_declaration",
        ),
        "Go": _grammar("go", "", "function_declaration method_declaration type_declaration"),
        "Java": _grammar(
            "java",
            "class_declaration interface_declaration enum_declaration record_declaration"
            " annotation_type_declaration",
            "method_declaration constructor_declaration compact_constructor_declaration",
        ),
        "JavaScript": _grammar("javascript", "class_declaration", _JS),
        "Kotlin": _grammar(
            "kotlin",
            "class_declaration object_declaration companion_object",
            "function_declaration secondary_constructor",
        ),
        "Lua": _grammar("lua", "", "function_declaration"),
        "PHP": _grammar(
            "php",
            "class_declaration interface_declaration trait_declaration enum_declaration"
            " namespace_definition",
            "function_definition method_declaration",
            "language_php",
        ),
        "Python": _grammar("python", "class_definition", "function_definition"),
        "Ruby": _grammar("ruby", "class module singleton_class", "method singleton_method"),
        "Rust": _grammar(
            "rust",
            "impl_item trait_item mod_item",
            "function_item function_signature_item struct_item enum_item union_item type_item"
            " macro_definition",
        ),
        "SQL": _grammar("sql", "", _SQL),
        "Scala": _grammar(
            "scala",
            "class_definition object_definition trait_definition enum_definition",
            "function_definition function_declaration type_definition",
        ),
        "Swift": _grammar(
            "swift",
            "class_declaration protocol_declaration",
            "function_declaration init_declaration protocol_function_declaration",
        ),
        "TSX": _grammar("typescript", _TS, _TS_LEAVES, "language_tsx"),
        "TypeScript": _grammar("typescript", _TS, _TS_LEAVES, "language_typescript"),
    }
)

_SUFFIXES = {
    "Bash": ".sh .bash .zsh",
    "C": ".c",
    "C#": ".cs",
    "C++": ".h .cc .cpp .cxx .hh .hpp .hxx .cu",
    "CSS": ".css .scss .less",
    "Clojure": ".clj",
    "Dart": ".dart",
    "Elixir": ".ex .exs",
    "Erlang": ".erl",
    "F#": ".fs",
    "Fortran": ".f90",
    "Go": ".go",
    "Groovy": ".groovy .gradle",
    "Haskell": ".hs",
    "Java": ".java",
    "JavaScript": ".js .mjs .cjs .jsx",
    "Julia": ".jl",
    "Kotlin": ".kt .kts",
    "Lua": ".lua",
    "OCaml": ".ml .mli",
    "PHP": ".php",
    "Perl": ".pl .pm",
    "Python": ".py .pyi .pyx",
    "R": ".r",
    "Ruby": ".rb",
    "Rust": ".rs",
    "SQL": ".sql",
    "Scala": ".scala",
    "Swift": ".swift",
    "TSX": ".tsx",
    "TypeScript": ".ts .mts .cts",
}
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
)
"""The language of a suffix (lower case). One without grammar is read by its blank lines."""
