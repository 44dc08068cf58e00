"""Names and numbers in the texts: the named things exist, and the numbers are those of the code."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from api.pages.features import FEATURES
from cars_bot import VERSION
from cars_bot.catalogue import JOBS, QUEUES
from commands.__main__ import COMMANDS
from commands.servers.user_settings import SETTINGS
from commands.test_faults import HOW_MANY
from tests.docs.printed import IN_LINE, texts
from tests.docs.understood import targets
from tests.kit import ROOT

MARKDOWN = [file for file in texts() if file.suffix == ".md" and "vendor" not in file.parts]
PATH = re.compile(r"[\w.-]+(/[\w.-]+)+/?|[\w-]+\.(py|md|toml|yml|json|conf|in|cff)")
ENDING = re.compile(r"\.(py|md|toml|ya?ml|json|conf|in|cff|html|js|css|sh)$|/$")
# Files that are not in the project: made while somebody works, a student's, or those of any lab.
ELSEWHERE = re.compile(
    r"^(\.venv|\.run|reports|workspace|submissions|config|apps)/|NN|"
    r"^(manage|tasks|celery_lane)\.py$|^(progress|environment)\.json$|^table\.md$"
)
IN_WORDS = {18: "eighteen", 19: "nineteen", 20: "twenty"}


def said(file: str) -> str:
    """The text of a file, as one line."""
    return " ".join((ROOT / file).read_text(encoding="utf-8").split())


def exists(name: str, beside: Path) -> bool:
    """Return whether a path exists: in the project, in the folder `beside`, or as the end of a path of the project."""
    if (ROOT / name).exists() or (beside / name).exists():
        return True
    return any(ROOT.glob(f"*/{name}")) or any(ROOT.glob(f"*/*/{name}"))


def named_files(file: Path) -> list[str]:
    """The paths in the inline code of a text that must exist in the project."""
    code = IN_LINE.findall(file.read_text(encoding="utf-8"))
    return [name for name in code if PATH.fullmatch(name) and ENDING.search(name) and not ELSEWHERE.search(name)]


@pytest.mark.parametrize("file", [str(file.relative_to(ROOT)) for file in MARKDOWN])
def test_every_file_that_a_text_names_is_there(file: str) -> None:
    text, beside = (ROOT / file).read_text(encoding="utf-8"), (ROOT / file).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]

    assert [name for name in (*links, *named_files(ROOT / file)) if not exists(name, beside)] == []


def test_every_file_that_a_docstring_names_is_there() -> None:
    modules = [file for file in texts() if file.suffix == ".py"]

    assert [(file, name) for file in modules for name in named_files(file) if not exists(name, file.parent)] == []


@pytest.mark.parametrize("room", ["cars_bot", "raw_consumer", "api", "experiments"])
def test_the_door_of_a_room_names_all_its_modules(room: str) -> None:
    door = (ROOT / room / "README.md").read_text(encoding="utf-8")
    modules = [path for path in (ROOT / room).glob("*.py") if path.stem not in ("__init__", "__main__")]
    rooms = [path.parent for path in (ROOT / room).glob("*/__init__.py")]

    assert [
        path.name for path in (*modules, *rooms) if f"`{path.name}" not in door and f"{path.name}/" not in door
    ] == []


def test_the_reading_order_follows_a_run_in_at_most_twelve_files_a_lane() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([^`]+)`: .* \| (?:the same|`([^`]+)`: .*) \|$", readme, re.MULTILINE)
    celery, raw = [row[1] for row in rows], [row[2] or row[1] for row in rows]

    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert 10 <= len(celery) == len(set(celery)) <= 12
    assert len(raw) == len(set(raw))
    assert [name for name in {*celery, *raw} if not (ROOT / name).is_file()] == []
    writers = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "cars_bot").rglob("*.py")
        if re.search(r"""state["']?[=:] ?(literal_column\()?["']+IN_PROGRESS""", path.read_text(encoding="utf-8"))
    ]
    assert writers == ["cars_bot/run_store/begin_attempt.py"]
    assert writers[0] in celery
    assert writers[0] in raw


def test_every_link_to_a_place_in_a_file_finds_it() -> None:
    for file in MARKDOWN:
        for target, place in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", file.read_text(encoding="utf-8")):
            there = file.parent / target if target else file
            titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], (file, place)


def test_the_settings_that_are_explained_are_those_that_are_read() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    assert explained == set(SETTINGS) | {"KIT_RUN_DIR"}


def test_every_target_and_every_command_is_explained() -> None:
    files = ("README.md", "CONTRIBUTING.md", "labs/README.md", "antipatterns/README.md")
    words = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in files)
    known = {name for group in COMMANDS.values() for name in group}

    assert [name for name in sorted(known) if not re.search(rf"(\./kit|make) {name}\b", words)] == []
    assert [name for name in sorted(targets()) if not re.search(rf"(make|kit) {name}\b", words)] == []


def test_the_numbers_in_the_texts_are_those_of_the_code() -> None:
    labs, antipatterns = (len(list(ROOT.glob(pattern))) for pattern in ("labs/lab??_*", "antipatterns/ap??_*"))
    posts = len(json.loads((ROOT / "data" / "expected.json").read_text(encoding="utf-8")))
    readme, changes = said("README.md"), said("CHANGELOG.md")

    assert f"{IN_WORDS[len(JOBS)]} jobs" in readme
    assert f"{HOW_MANY} ways" in readme
    assert f"{IN_WORDS[labs]} steps" in readme.lower()
    assert f"{IN_WORDS[antipatterns]} mistakes" in readme
    assert f"{IN_WORDS[antipatterns].capitalize()} ways" in readme
    assert f"{posts} sample posts" in readme
    assert f"{len(FEATURES)} features" in changes
    assert len(re.findall(r"^\| [^|]*\|.*\|$", (ROOT / "docs" / "PARITY.md").read_text(encoding="utf-8"), re.M)) > 20


def test_the_ports_in_the_texts_are_the_first_that_the_kit_tries() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    published = {port.split(":")[-1] for service in compose["services"].values() for port in service.get("ports", [])}
    named = set(re.findall(r"127\.0\.0\.1:(\d+)", said("README.md")))

    assert named <= published


def test_the_rate_in_the_troubleshooting_is_the_catalogues() -> None:
    rate = JOBS["publish_post"].policy.rate
    assert rate is not None
    assert f"{rate.limit} in any {rate.window:.0f} s" in said("README.md")
    assert QUEUES["ai_processing"].max_priority == 10


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    from api.app import routes as app

    assert {project["version"], str(citation["version"]), app.version} == {VERSION}
    assert re.search(rf"^## \[?({VERSION}|Unreleased)\]?", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)


def test_one_licence_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert project["license"] == citation["license"] == "MIT"
    assert citation["authors"][0]["name"].removeprefix("The ") in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_workflow_tries_every_python_and_does_what_ci_does() -> None:
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]["everything"]

    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert any(".ci/run" in str(step.get("run")) for step in job["steps"])
