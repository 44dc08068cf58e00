"""`kit audit`: whether a security hole is known in anything that is pinned (pip-audit, asking PyPI's advisories).

Where PyPI's advisories cannot be reached (no network, or a mirror that has none) it says that it was skipped.
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
        say(f"· audit skipped: PyPI's advisories cannot be asked ({why})")
        return DONE
    return NO if subprocess.run([sys.executable, "-m", *COMMAND], check=False, cwd=ROOT).returncode else DONE


def why_not() -> str | None:
    """None if the advisories answer for one of our packages, else why they do not."""
    name, version = re.findall(r"^(pika)==(\S+)", (ROOT / PINNED).read_text(), re.MULTILINE)[0]
    try:
        with urllib.request.urlopen(
            f"https://pypi.org/pypi/{name}/{version}/json", timeout=SECONDS_TO_ANSWER
        ) as answer:
            return None if "vulnerabilities" in json.load(answer) else "the answer has none"
    except (OSError, ValueError) as error:
        return str(error)
