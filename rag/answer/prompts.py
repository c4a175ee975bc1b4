"""Named templates of what models are told, from files: ours, and those that users add.

A file ``NAME.toml`` has a ``version``, a ``kind`` (``pattern`` or ``persona``), a line ``about`` it
in each language, and parts. A part has, in each language, texts for ``system``, ``user`` and
``assistant`` with placeholders such as ``$question``; a persona has the part ``voice`` with a
``system`` alone. A user's file takes the place of ours with the same name. Knows no model.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Literal, cast, get_args

from rag.errors import BadQuery, ConfigError
from rag.types import Message, Role

OURS = Path(__file__).with_name("prompts")
"""The folder of the templates that come with the program."""
_NAME = re.compile(r"[a-z0-9가-힣][a-z0-9가-힣-]{0,63}")
_SHOWN = 64
_LANGUAGE = re.compile(r"[a-z]{2,3}")
Kind = Literal["pattern", "persona"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template.

    Attributes
    ----------
    parts
        Part, language and role to text with placeholders.
    """

    name: str
    version: int
    kind: Kind
    about: Mapping[str, str]
    parts: Mapping[str, Mapping[str, Mapping[Role, str]]]
    file: Path

    def messages(self, part: str, language: str, **values: object) -> list[Message]:
        """The part's messages in ``language``, or in English if it has none in that.

        Raises
        ------
        ConfigError
            It has no such part, or a placeholder that has no value.
        """
        texts = self._texts(part, language)
        said = {name: str(value) for name, value in values.items()}
        try:
            return [
                Message(role, Template(text).substitute(said).strip())
                for role, text in texts.items()
            ]
        except KeyError as e:
            known = ", ".join(f"${name}" for name in sorted(said)) or "none"
            raise ConfigError(
                f"{self.file}: part '{part}' has a placeholder that means nothing: ${e.args[0]}",
                remedy=f"Known are: {known}; write $$ for a dollar",
            ) from e

    def placeholders(self, part: str) -> set[str]:
        """Their names, in any language of the part."""
        texts = [t for by_role in self.parts[part].values() for t in by_role.values()]
        return {name for text in texts for name in Template(text).get_identifiers()}

    def _texts(self, part: str, language: str) -> Mapping[Role, str]:
        languages = self.parts.get(part)
        if languages is None:
            raise ConfigError(
                f"{self.file} has no part '{part}'", remedy=f"Add a table [{part}.en]"
            )
        return languages.get(language) or languages["en"]


class Prompts:
    """The templates by name.

    Parameters
    ----------
    folder
        The user's own, if there are such.

    Raises
    ------
    ConfigError
        There is no such folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder and not folder.is_dir():
            raise ConfigError(
                f"there is no folder {folder} of prompts", remedy="Make it, or leave `prompts` out"
            )
        self._folders = [OURS, *([folder] if folder else [])]
        self._read: dict[str, Prompt] = {}

    def get(self, name: str, kind: Kind | None = None) -> Prompt:
        """The template ``name``, a user's before ours.

        Raises
        ------
        BadQuery
            There is none, or it is of another kind.
        ConfigError
            Its file makes no sense.
        """
        if name not in self._read and (file := self.files().get(name)):
            self._read[name] = read(file)
        found = self._read.get(name)
        if found is None or kind not in (None, found.kind):
            known = ", ".join(self.names(kind))
            what = f"{kind or 'prompt'} '{name[:_SHOWN]}'"
            raise BadQuery(f"there is no {what}", remedy=f"Known are {known}")
        return found

    def names(self, kind: Kind | None = None) -> list[str]:
        """All templates, or those of a kind, by name.

        Raises
        ------
        ConfigError
            A file makes no sense, for which a kind was asked.
        """
        return sorted(n for n in self.files() if kind is None or self.get(n).kind == kind)

    def added(self) -> list[str]:
        """Patterns of the user's that take the place of none of ours.

        Raises
        ------
        ConfigError
            A file makes no sense.
        """
        ours = {file.stem for file in OURS.glob("*.toml")}
        own = sorted(self.files().keys() - ours)
        return [name for name in own if self.get(name).kind == "pattern"]

    def files(self) -> dict[str, Path]:
        """The file that each name stands for."""
        return {file.stem: file for folder in self._folders for file in folder.glob("*.toml")}


def voiced(messages: list[Message], persona: Prompt, language: str) -> list[Message]:
    """``messages``, spoken as the persona does: its voice goes below the rules."""
    first, *others = messages
    if first.role != "system":
        return messages
    (voice,) = persona.messages("voice", language)
    return [Message("system", f"{first.content}\n\n{voice.content}"), *others]


def read(file: Path) -> Prompt:
    """The template that ``file`` holds.

    Raises
    ------
    ConfigError
        It cannot be read or makes no sense.
    """
    try:
        found = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError) as e:
        raise ConfigError(f"{file} cannot be read: {e}") from e
    if not _NAME.fullmatch(file.stem):
        raise ConfigError(f"{file}: a prompt's name has lower-case letters, digits and '-' only")
    kind, version, about = found.pop("kind", ""), found.pop("version", 0), found.pop("about", None)
    if kind not in get_args(Kind):
        raise ConfigError(f"{file}: kind must be one of {', '.join(get_args(Kind))}")
    if type(version) is not int or version < 1:
        raise ConfigError(f"{file}: version must be a whole number from 1")
    if not (isinstance(about, dict) and "en" in about) or not _are_texts(about):
        raise ConfigError(f"{file}: [about] must say in a line what it is for, as en at least")
    parts = {name: dict(_part(file, name, value)) for name, value in found.items()}
    if not parts:
        raise ConfigError(f"{file} has no part", remedy="Add a table such as [answer.en]")
    prompt = Prompt(file.stem, version, kind, about, parts, file)
    if kind == "persona":
        if set(parts) != {"voice"} or set(parts["voice"]["en"]) != {"system"}:
            raise ConfigError(f"{file}: a persona has a part 'voice' with a system text alone")
        if names := prompt.placeholders("voice"):
            raise ConfigError(
                f"{file}: a persona has no placeholder such as ${min(names)}",
                remedy="Write $$ for a dollar",
            )
    return prompt


def _are_texts(values: Mapping[str, Any]) -> bool:
    return all(isinstance(text, str) and text.strip() for text in values.values())


def _part(file: Path, name: str, value: Any) -> Iterator[tuple[str, Mapping[Role, str]]]:  # noqa: ANN401
    if not isinstance(value, dict) or not isinstance(value.get("en"), dict):
        raise ConfigError(f"{file}: part '{name}' needs a table [{name}.en]")
    roles = get_args(Role)
    for language, texts in value.items():
        where = f"{file}: [{name}.{language}]"
        if not _LANGUAGE.fullmatch(language):
            raise ConfigError(f"{where} is no language", remedy="Write it as en or ko")
        if not isinstance(texts, dict) or not texts or not _are_texts(texts):
            raise ConfigError(f"{where} must hold texts named {' or '.join(roles)}")
        if unknown := texts.keys() - set(roles):
            raise ConfigError(
                f"{where} has '{min(unknown)}'", remedy=f"Roles are {', '.join(roles)}"
            )
        if texts.keys() != value["en"].keys():
            raise ConfigError(f"{where} must have the roles that [{name}.en] has, and no other")
        if not all(Template(text).is_valid() for text in texts.values()):
            raise ConfigError(
                f"{where} has a $ that begins no placeholder", remedy="Write $$ for a dollar"
            )
        yield language, {cast("Role", r): texts[r] for r in roles if r in texts}
