"""A running kit in a terminal that knows only ASCII: the commands whose answers contain texts that people wrote."""

import json
import re
import subprocess

import pytest

from tests.kit import ROOT, Kit
from tests.unit.commands.test_terminal import TERMINALS

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize(
    "words",
    [["import", "data/result.json", "--json"], ["dead-letters", "list"], ["inspect"], ["logs"], ["doctor"], ["status"]],
    ids=" ".join,
)
def test_no_character_is_too_much(words: list[str], terminal: str, kit: Kit) -> None:
    done = subprocess.run(
        [ROOT / "kit", *words],
        cwd=ROOT,
        env=kit.environment | TERMINALS[terminal],
        capture_output=True,
        timeout=120,
        check=False,
    )
    output, errors = done.stdout.decode("ascii"), done.stderr.decode("ascii")

    # The printed log may contain a traceback. But each line of a log begins with the name of its process.
    assert not re.search(r"(?m)^Traceback", output + errors)
    assert output.strip() + errors.strip()
    if "--json" in words:
        assert {post["channel"] for post in json.loads(output)["posts"]} == {"Авто с рук · Cars & Bot"}
