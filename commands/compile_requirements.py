"""`kit compile-requirements`: pin requirements.in and requirements-dev.in, with hashes, for every Python from 3.11 on.

uv resolves for all versions at once. So a package that only Debian's 3.11.2 needs is pinned on a newer Python too.
"""

import argparse
import subprocess
import sys

from commands.common.console import CANNOT, DONE, Progress
from commands.common.state import ROOT

# The second file keeps the versions of the first. So the developers' tools change no package that the kit runs on.
FILES = (("requirements", ()), ("requirements-dev", ("--constraint=requirements.txt",)))
OPTIONS = ("--universal", "--python-version=3.11", "--generate-hashes", "--quiet",
           "--custom-compile-command=make compile-requirements")  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that requirements.in allows")


def main(options: argparse.Namespace) -> int:
    for name, more in FILES:
        with Progress(f"Pinned {name}.txt"):
            words = [*OPTIONS, *more, *(["--upgrade"] if options.upgrade else []), "-o", f"{name}.txt", f"{name}.in"]
            if subprocess.run([sys.executable, "-m", "uv", "pip", "compile", *words], check=False, cwd=ROOT).returncode:
                return CANNOT
    return DONE
