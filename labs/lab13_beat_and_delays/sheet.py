"""Sheet: a job that is due each second writes it."""

from experiments.evidence import note


def write_sheet() -> None:
    """Write the channels into their sheet."""
    note("wrote the sheet")
