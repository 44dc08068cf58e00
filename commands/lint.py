"""`kit lint`: run ruff, its formatter and mypy over everything, and the words of all texts."""

import argparse
import subprocess
import sys

from commands.common.console import DONE, NO
from commands.common.state import ROOT

CHECKS = (("ruff", "check", ".", "kit"), ("ruff", "format", "--check", ".", "kit"), ("mypy",),
          ("commands.common.prose",))  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    pass


def main(options: argparse.Namespace) -> int:
    results = [subprocess.run([sys.executable, "-m", *words], check=False, cwd=ROOT).returncode for words in CHECKS]
    return NO if any(results) else DONE
