"""`kit bench …`: the lanes against each other and against stock Celery; the arguments are `python -m bench`'s."""

import argparse

from commands.exec_ import run_program


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="./kit bench --help lists them")


def main(options: argparse.Namespace) -> int:
    return run_program(["python", "-m", "bench", *options.words])
