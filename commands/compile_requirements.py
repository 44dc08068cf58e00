"""`kit compile-requirements`: pin requirements.in and requirements-dev.in, with hashes."""

import argparse
import subprocess
import sys

from commands.console import CANNOT, DONE, Progress
from commands.state import ROOT

NAMES = ("requirements", "requirements-dev")
OPTIONS = ("--generate-hashes", "--allow-unsafe", "--strip-extras", "--quiet",
           "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host")  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that requirements.in allows")


def main(options: argparse.Namespace) -> int:
    for name in NAMES:
        with Progress(f"Pinned {name}.txt"):
            words = [*OPTIONS, *(["--upgrade"] if options.upgrade else []), "-o", f"{name}.txt", f"{name}.in"]
            if subprocess.run([sys.executable, "-m", "piptools", "compile", *words], check=False, cwd=ROOT).returncode:
                return CANNOT
    return DONE
