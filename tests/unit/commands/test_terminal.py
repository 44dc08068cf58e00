"""Output in a terminal that knows only ASCII, and in one that knows more: no character causes a traceback."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands.common.console import any_terminal, as_json
from tests.kit import ROOT

# Python's own switch to UTF-8 is turned off, too.
TERMINALS = {
    "PYTHONIOENCODING": {"PYTHONIOENCODING": "ascii"},
    "LC_ALL": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}
TEXT = "Машина 🚗 half an emoji \ud83d, → ✓"


def kit(words: list[str], terminal: str, run_dir: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command in an ASCII terminal."""
    environment = {"PATH": os.environ["PATH"], "KIT_RUN_DIR": str(run_dir), "KIT_ENV_FILE": os.devnull}
    return subprocess.run(
        [ROOT / "kit", *words], env=environment | TERMINALS[terminal], capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize(
    "words",
    [
        ["logs", "api"],
        ["doctor"],
        ["status"],
        ["--help"],
        ["lab", "list"],
        ["antipattern", "list"],
        ["exec", "nothing"],
    ],
    ids=" ".join,
)
def test_a_command_writes_ascii_into_a_terminal_of_ascii(words: list[str], terminal: str, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_bytes(TEXT.encode(errors="surrogatepass") + b"\xff\n")
    done = kit(words, terminal, tmp_path)

    output = (done.stdout + done.stderr).decode("ascii")
    assert "Traceback" not in output
    assert output.strip()


def test_what_the_terminal_cannot_write_is_written_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, right in (
        ("ascii", r"\u041c\u0430\u0448\u0438\u043d\u0430 \U0001f697 half an emoji \ud83d, -> ok"),
        ("utf-8", r"Машина 🚗 half an emoji \ud83d, → ✓"),
    ):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        any_terminal()
        sys.stdout.writelines([TEXT, "\n", as_json({"text": TEXT})])
        sys.stdout.flush()
        text, as_data = written.getvalue().decode(encoding).splitlines()
        assert text == right
        assert json.loads(as_data) == {"text": TEXT}, "any program reads the same from JSON"
