from __future__ import annotations

from pathlib import Path

import pytest

from rag.answer.programs import NAMES
from rag.answer.prompts import OURS, Prompt, Prompts, read, voiced
from rag.errors import BadQuery, ConfigError
from rag.types import Message

GOOD = """
version = 3
kind = "pattern"
[about]
en = "For tests."
[answer.en]
system = "Rules cost $$5."
user = "Q: $question"
[answer.ko]
system = "규칙"
user = "질문: $question"
"""


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("name", sorted(f.stem for f in OURS.glob("*.toml")))
def test_ours_speak_korean_and_english(name: str) -> None:
    prompt = read(OURS / f"{name}.toml")
    assert set(prompt.about) == {"en", "ko"}
    for part, languages in prompt.parts.items():
        assert set(languages) >= {"en", "ko"}, part
        used = {
            language: Prompt(name, 1, "pattern", {}, {"p": {language: texts}}, prompt.file)
            for language, texts in languages.items()
        }
        assert len({frozenset(p.placeholders("p")) for p in used.values()}) == 1, part


def test_every_program_has_its_templates() -> None:
    found = Prompts().names("pattern")
    # One takes chain-of-thought's; the other asks nothing itself.
    assert set(NAMES) - set(found) == {"self-consistency", "router"}


def test_personas() -> None:
    assert Prompts().names("persona") == ["brief", "bullets", "expert", "plain", "teacher"]


def test_a_template_is_filled_in(tmp_path: Path) -> None:
    prompt = read(write(tmp_path, "x", GOOD))
    assert (prompt.name, prompt.version, prompt.kind) == ("x", 3, "pattern")
    assert prompt.messages("answer", "en", question="$why $$?") == [
        Message("system", "Rules cost $5."),
        Message("user", "Q: $why $$?"),
    ]
    assert prompt.messages("answer", "ko", question="왜")[1].content == "질문: 왜"
    assert prompt.messages("answer", "de", question="x") == prompt.messages(
        "answer", "en", question="x"
    )
    assert prompt.placeholders("answer") == {"question"}


def test_a_placeholder_that_means_nothing(tmp_path: Path) -> None:
    prompt = read(write(tmp_path, "x", GOOD))
    with pytest.raises(ConfigError) as caught:
        prompt.messages("answer", "en", passages="", refusal="")
    assert str(tmp_path / "x.toml") in caught.value.message
    assert caught.value.message.endswith(
        "part 'answer' has a placeholder that means nothing: $question"
    )
    assert caught.value.remedy == "Known are: $passages, $refusal; write $$ for a dollar"


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml has no part 'think'.*\[think\.en\]"):
        read(write(tmp_path, "x", GOOD)).messages("think", "en")


def test_a_users_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    write(tmp_path, "zero-shot", GOOD)
    write(tmp_path, "mine", GOOD)
    write(tmp_path, "내-말투", GOOD.replace("pattern", "persona").partition("[answer")[0]
          + '[voice.en]\nsystem = "Hm."\n')  # fmt: skip
    prompts = Prompts(tmp_path)
    assert prompts.get("zero-shot").version == 3
    assert prompts.get("expert").file.parent == OURS
    assert prompts.added() == ["mine"]
    assert "내-말투" in prompts.names("persona")
    assert set(prompts.names()) == {*Prompts().names(), "mine", "내-말투"}


def test_a_name_that_is_none(tmp_path: Path) -> None:
    write(tmp_path, "mine", GOOD)
    for name in ("", "yours", "../mine", str(tmp_path / "mine")):
        with pytest.raises(BadQuery, match=r"there is no prompt '.*Known are .*, mine,"):
            Prompts(tmp_path).get(name)
    with pytest.raises(BadQuery, match=r"there is no persona 'mine'. Known are brief"):
        Prompts(tmp_path).get("mine", "persona")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"there is no folder {tmp_path / 'gone'} of prompts"):
        Prompts(tmp_path / "gone")


def test_a_persona_goes_below_the_rules() -> None:
    expert = Prompts().get("expert")
    chat = [Message("system", "Rules."), Message("user", "Q")]
    spoken = voiced(chat, expert, "ko")
    assert spoken[0].content.startswith("Rules.\n\n동료에게 쓰는 전문가처럼")
    assert spoken[1:] == chat[1:]
    assert voiced(chat[1:], expert, "ko") == chat[1:]


@pytest.mark.parametrize(
    ("change", "to", "why"),
    [
        ("version = 3", "version = ", "cannot be read: .*line 2"),
        ("version = 3", "version = 0", "version must be a whole number from 1"),
        ("version = 3", "version = true", "version must be a whole number from 1"),
        ('"pattern"', '"recipe"', "kind must be one of pattern, persona"),
        ("[about]\nen", "[about]\nko", r"\[about\] must say in a line"),
        ('en = "For tests."', "en = 7", r"\[about\] must say in a line"),
        ("[answer.en]", "[answer.fr]", r"part 'answer' needs a table \[answer.en\]"),
        ("[answer.ko]", "[answer.Korean]", r"\[answer.Korean\] is no language"),
        (
            'user = "질문: $question"',
            "",
            r"\[answer.ko\] must have the roles that \[answer.en\] has",
        ),
        ('user = "질문: $question"', "user = 7", r"\[answer.ko\] must hold texts named system"),
        ('system = "규칙"', 'systm = "규칙"', r"\[answer.ko\] has 'systm'. Roles are system"),
        ("$$5", "$5", r"\[answer.en\] has a \$ that begins no placeholder. Write \$\$"),
        ('"pattern"', '"persona"', "a persona has a part 'voice' with a system text alone"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, change: str, to: str, why: str) -> None:
    assert change in GOOD
    file = write(tmp_path, "x", GOOD.replace(change, to))
    with pytest.raises(ConfigError, match=why) as caught:
        read(file)
    assert str(file) in caught.value.message


def test_files_that_are_no_prompts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"X x.toml: a prompt's name has lower-case letters"):
        read(write(tmp_path, "X x", GOOD))
    with pytest.raises(ConfigError, match=r"x.toml has no part"):
        read(write(tmp_path, "x", GOOD.partition("[answer")[0]))
    (tmp_path / "y.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"y.toml cannot be read"):
        read(tmp_path / "y.toml")
    voice = '[voice.en]\nsystem = "As $name."\n'
    persona = GOOD.partition("[answer")[0].replace("pattern", "persona") + voice
    with pytest.raises(ConfigError, match=r"x.toml: a persona has no placeholder such as \$name"):
        read(write(tmp_path, "x", persona))
