"""`kit audit` without access to the advisories: it says so, and does not fail."""

import os
import subprocess
import sys

from tests.kit import ROOT


def test_without_the_advisories_the_audit_says_that_it_was_skipped() -> None:
    nowhere = dict.fromkeys(("https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:1")
    done = subprocess.run(
        [sys.executable, "-m", "commands", "audit"],
        cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "audit skipped" in done.stderr


def test_the_pipeline_audits() -> None:
    assert "./kit audit" in (ROOT / ".ci" / "run").read_text()
