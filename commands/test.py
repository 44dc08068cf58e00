"""`kit test [PYTEST ARGUMENTS]`: the tests. They start servers of their own and leave nothing running."""

import argparse

from commands.exec_ import run_program


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="as for pytest: tests/unit -k ports")


def main(options: argparse.Namespace) -> int:
    return run_program(["pytest", *options.words])
