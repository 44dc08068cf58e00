"""`kit doctor`: name what is wrong, and the exact command that mends it. `diagnosis/checks.py` lists the checks."""

import argparse
import json
from dataclasses import asdict

from cars_bot.errors import NotConfigured
from commands.common.console import DONE, NO, colour
from commands.common.state import RunDir, run_dir
from commands.diagnosis.checks import CHECKS, Check
from commands.diagnosis.fault import Fault
from commands.servers.supervisor import Supervisor


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the faults as a JSON list")


def main(options: argparse.Namespace) -> int:
    run = run_dir()
    found = {name: looked_at(name, check, run) for name, check in CHECKS.items()}
    faults = [fault for group in found.values() for fault in group if not fault.note]
    if options.json:
        print(
            json.dumps([{"check": name} | asdict(fault) for name, group in found.items() for fault in group], indent=2)
        )
        return NO if faults else DONE
    for name, group in found.items():
        serious = any(not fault.note for fault in group)
        print(f"{colour('✗', '31') if serious else colour('✓', '32')} {name}")
        for fault in group:
            print(f"    {fault.what}")
            if fault.remedy:
                print(f"    {colour('→', '32;1')} {fault.remedy}")
    if not Supervisor(run).is_up():
        print("\nThe kit is not up: ./kit up")
    return NO if faults else DONE


def looked_at(name: str, check: Check, run: RunDir) -> list[Fault]:
    """Return the faults that a check finds. While a setting is wrong, most checks cannot run. One of them says so."""
    try:
        return list(check(run))
    except NotConfigured:
        return [Fault(f"{name}: not checked, because a setting is wrong; correct that first", "", note=True)]
