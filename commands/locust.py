"""`kit locust …`: load on the kit that is up; the arguments are locust's, such as --headless -u 20 -t 30s."""

import argparse

from commands.client import base_url
from commands.exec_ import run_program


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="…", help="as for locust")


def main(options: argparse.Namespace) -> int:
    return run_program(["locust", "-f", "loadtest/locustfile.py", "--host", base_url(), *options.words])
