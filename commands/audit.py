"""`kit audit`: look for known security holes in the pinned packages. pip-audit asks PyPI's advisories.

Without the advisories (no network, or a mirror that has none) the command says that the audit was skipped.
"""

import argparse
import json
import re
import subprocess
import sys
import urllib.request

from commands.common.console import DONE, NO, say
from commands.common.state import ROOT

PINNED = "requirements-dev.txt"  # holds requirements.txt too
SECONDS_TO_ANSWER = 10
COMMAND = ("pip_audit", "--requirement", PINNED, "--require-hashes", "--disable-pip", "--progress-spinner", "off")


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def main(options: argparse.Namespace) -> int:
    if why := why_not():
        say(f"· audit skipped: PyPI's advisories cannot be read ({why}); try again where pypi.org can be reached")
        return DONE
    return NO if subprocess.run([sys.executable, "-m", *COMMAND], check=False, cwd=ROOT).returncode else DONE


def why_not() -> str | None:
    """Return None if the advisories answer for one of our packages, else the reason."""
    name, version = re.findall(r"^(pika)==(\S+)", (ROOT / PINNED).read_text(), re.MULTILINE)[0]
    try:
        with urllib.request.urlopen(
            f"https://pypi.org/pypi/{name}/{version}/json", timeout=SECONDS_TO_ANSWER
        ) as answer:
            return None if "vulnerabilities" in json.load(answer) else "the answer has no advisories"
    except (OSError, ValueError) as error:
        return str(error)
