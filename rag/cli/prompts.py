"""``rag prompts``: the templates of what models are told, ours and the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.cli import options, view

if TYPE_CHECKING:
    from rag.answer.prompts import Prompt, Prompts
    from rag.settings import Settings
    from rag.types import Message

app = typer.Typer(help="The prompts: list, show, test.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="A name from `rag prompts list`.")]
Folder = Annotated[Path | None, typer.Option(help="Folder of your own (setting `prompts`).")]
_QUESTION = {"en": "How is green tea brewed?", "ko": "녹차는 어떻게 우리나요?"}
_PASSAGES = {
    "en": "[1] Tea\nGreen tea is brewed at 80 degrees.\n\n[2] Tea\nBlack tea needs boiling water.",
    "ko": "[1] 차\n녹차는 80도에서 우립니다.\n\n[2] 차\n홍차는 끓는 물이 필요합니다.",
}


@app.command("list")
def list_prompts(
    prompts: Folder = None, config: options.Config = None, as_json: options.Json = False
) -> None:
    """Show the patterns and personas: version, kind, what for."""
    from rag.errors import ConfigError

    found, rows, broken = _prompts(_settings(config, prompts)), [], {}
    for name in found.names():
        try:
            rows.append(_row(found.get(name)))
        except ConfigError as e:
            broken[name] = str(e)
    if as_json:
        failed = [{"name": name, "error": error} for name, error in broken.items()]
        view.print_json({"prompts": rows, "failed": failed})
    else:
        for row in rows:
            mine = "" if row["ours"] else f"  ({row['file']})"
            view.say(f"{row['name']:<28}{row['kind']:<9}{row['version']:>2}{mine}")
            view.say(f"    {row['about']['en']}")
        for error in broken.values():
            view.warn(error)
    if broken:
        raise typer.Exit(3)


@app.command("show")
def show(
    name: Name,
    prompts: Folder = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Print a prompt's texts as its file has them."""
    prompt = _prompts(_settings(config, prompts)).get(name)
    if as_json:
        view.print_json(_row(prompt) | {"parts": prompt.parts})
    else:
        view.say(prompt.file.read_text("utf-8-sig"))


@app.command("test")
def try_out(
    name: Name,
    question: Annotated[str | None, typer.Option(help="The question to put into it.")] = None,
    prompts: Folder = None,
    config: options.Config = None,
    llm_url: options.LlmUrl = None,
    llm: options.Llm = None,
    as_json: options.Json = False,
) -> None:
    """Fill in a prompt with sample values, each part in each language; ask a model if one is named.

    Exits with 3 if a placeholder of a user's prompt means nothing to the program it is for.
    """
    from rag.answer.llm import load_llm

    settings = _settings(config, prompts, llm_url=llm_url, llm=llm)
    found = _prompts(settings)
    prompt = found.get(name)
    problems = _problems(prompt)
    shown = [
        {
            "part": part,
            "language": language,
            "messages": [
                {"role": m.role, "content": m.content}
                for m in _filled(found, prompt, part, language, question)
            ],
        }
        for part, languages in prompt.parts.items()
        for language in languages
    ]
    reply = ""
    model = load_llm(settings) if llm_url or llm else None
    if model:
        language = _language(question)
        part = "answer" if "answer" in prompt.parts else min(prompt.parts)
        chat = _filled(found, prompt, part, language, question)
        reply = "".join(model.stream(chat, max_tokens=settings.answer_tokens))
        model.close()
    if as_json:
        view.print_json({**_row(prompt), "rendered": shown, "problems": problems, "reply": reply})
    else:
        _print(shown, reply)
        for problem in problems:
            view.warn(problem)
    if problems:
        raise typer.Exit(3)


def _print(shown: list[dict[str, Any]], reply: str) -> None:
    for one in shown:
        view.say(f"== {one['part']}, {one['language']}")
        for message in one["messages"]:
            view.say(f"-- {message['role']}\n{message['content']}\n")
    if reply:
        view.say(f"== reply\n{reply}")


def _settings(config: Path | None, folder: Path | None, **flags: Any) -> Settings:  # noqa: ANN401
    prompts = None if folder is None else str(folder)
    return options.settings(None, None, config=config, prompts=prompts, **flags)


def _prompts(settings: Settings) -> Prompts:
    from rag.answer.prompts import Prompts

    return Prompts(Path(settings.prompts).expanduser() if settings.prompts else None)


def _row(prompt: Prompt) -> dict[str, Any]:
    from rag.answer.prompts import OURS

    return {
        "name": prompt.name,
        "version": prompt.version,
        "kind": prompt.kind,
        "about": prompt.about,
        "file": str(prompt.file),
        "ours": prompt.file.parent == OURS,
    }


def _problems(prompt: Prompt) -> list[str]:
    """What a program would stumble over, by what ours of the same name has."""
    from rag.answer.prompts import Prompts
    from rag.errors import BadQuery

    if prompt.kind == "persona":
        return []
    try:
        ours = Prompts().get(prompt.name, "pattern")
    except BadQuery:
        ours = Prompts().get("zero-shot")
    known_anywhere = set().union(*map(ours.placeholders, ours.parts))
    problems = [f"{prompt.file} lacks the part '{p}'" for p in ours.parts if p not in prompt.parts]
    for part in prompt.parts:
        known = ours.placeholders(part) if part in ours.parts else known_anywhere
        known = known | {"question", "passages", "refusal"}
        problems += [
            f"{prompt.file}: part '{part}' has ${name}, which means nothing there; "
            f"known are {', '.join(sorted(known))}"
            for name in sorted(prompt.placeholders(part) - known)
        ]
    return problems


def _language(question: str | None) -> str:
    from rag.analysis import detect

    return detect(question) if question else "en"


def _filled(
    found: Prompts, prompt: Prompt, part: str, language: str, question: str | None
) -> list[Message]:
    """The messages of a part; those of a persona in zero-shot's words."""
    from rag.answer.prompts import voiced
    from rag.answer.refusal import refusal

    sample = language if language in _QUESTION else "en"
    values = {
        "passages": f"<passages 0123456789ab>\n{_PASSAGES[sample]}\n</passages 0123456789ab>",
        "question": question or _QUESTION[sample],
        "refusal": refusal(sample),
    }
    if prompt.kind == "persona":
        chat = found.get("zero-shot").messages("answer", language, **values)
        return voiced(chat, prompt, language)
    others = {name: f"‹{name}›" for name in prompt.placeholders(part)}
    return prompt.messages(part, language, **others | values)
