"""Figures: one for each experiment, with the count that was due and the count that came.

They are readable in print, without colour, and with Cyrillic text.
"""

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

STYLE: Any = {
    "font.family": "DejaVu Sans",  # it has Cyrillic letters
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text, not curves
    "pdf.fonttype": 42,
    "svg.hashsalt": "antipatterns",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
LOOKS: dict[str, Any] = {"broken": {"color": "#b0b0b0", "hatch": "///"}, "fixed": {"color": "#404040", "hatch": ""}}
LOGARITHMIC_FROM = 10_000


def draw(
    path: Path, title: str, came: str, due: float, values: dict[str, list[float]], labels: dict[str, str] | None = None
) -> None:
    """Write `path`.svg and .pdf: a bar for each example (median and range), and a line at the count that was due.

    Args:
        labels: translations, by the English text; a text without a translation stays English.
    """
    said = labels or {}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(3.2, 2.6), layout="constrained")
        for place, (example, runs) in enumerate(values.items()):
            middle = statistics.median(runs)
            spread = [[middle - min(runs)], [max(runs) - middle]]
            axes.bar(
                place, middle, width=0.55, yerr=spread, capsize=3, edgecolor="black", linewidth=0.8, **LOOKS[example]
            )
            axes.annotate(in_words(middle), (place, max(runs)), xytext=(0, 3), textcoords="offset points", ha="center")
        if due:
            axes.axhline(due, linestyle="--", linewidth=1, color="black")
            axes.annotate(
                f"{said.get('due', 'due')}: {in_words(due)}",
                (0.5, due),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
            )
        top = max(due, *(max(runs) for runs in values.values()))
        if top > LOGARITHMIC_FROM and min(map(min, values.values())) * 100 < top:
            axes.set_yscale("symlog", linthresh=100)
        else:
            axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_ylim(0, top * 1.18 if axes.get_yscale() == "linear" else top * 4)
        axes.set_xlim(-0.5, 1.45)
        axes.set_xticks(range(len(values)), [said.get(example, example) for example in values])
        axes.set_ylabel(said.get(came, came))
        axes.set_title(said.get(title, title), fontsize=9)
        for kind in ("svg", "pdf"):
            figure.savefig(
                path.with_suffix(f".{kind}"), metadata={"Date": None} if kind == "svg" else {"CreationDate": None}
            )
        plt.close(figure)


def in_words(value: float) -> str:
    """Return the number as text, such as 1,234 or 0.15."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"
