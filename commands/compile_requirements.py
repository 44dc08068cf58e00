"""`kit compile-requirements`: pin requirements.in and requirements-dev.in, with hashes, for every Python from 3.11 on.

uv resolves for all versions at once: what only Debian's 3.11.2 needs is pinned even when this runs on a newer one.
"""

import argparse
import subprocess
import sys

from commands.common.console import CANNOT, DONE, Progress
from commands.common.state import ROOT

# The second is held to the versions of the first: installing the developers' tools changes nothing the kit runs on.
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
