"""Verdict of a comparison: a few sentences that only say what the figures hold."""

from typing import Any

NAMES = {"celery": "the Celery lane", "raw": "the lane by hand", "inline": "the inline lane"}
BAD = ("failed", "unknown", "expired", "revoked", "lost")
Figures = dict[str, dict[str, Any]]


def verdict(lanes: Figures, marks: list[dict[str, Any]]) -> str:
    """Return the verdict on the figures of `result.compute`."""
    sentences = [_jobs(lanes), *_twice(lanes), *_again(lanes, marks), *_speed(lanes)]
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences if sentence)


def _jobs(lanes: Figures) -> str:
    if not any(figures["accepted"] for figures in lanes.values()):
        return "no job was submitted."
    if all(figures["done"] == figures["accepted"] for figures in lanes.values()):
        each = next(iter(lanes.values()))["accepted"]
        return f"all {each} jobs were done on each lane." if len(lanes) > 1 else f"all {each} jobs were done."
    return "; ".join(_of_lane(lane, figures) for lane, figures in lanes.items()) + "."


def _of_lane(lane: str, figures: dict[str, Any]) -> str:
    bad = [f"{figures[name]} {name}" for name in BAD if figures[name]]
    return f"{NAMES[lane]}: " + ", ".join([f"{figures['done']} of {figures['accepted']} done", *bad])


def _twice(lanes: Figures) -> list[str]:
    return [
        f"{NAMES[lane]} has {figures['duplicated']} effects too many." for lane, figures in lanes.items()
        if figures["duplicated"]
    ]  # fmt: skip


def _again(lanes: Figures, marks: list[dict[str, Any]]) -> list[str]:
    again = [_of_messages(lane, figures) for lane, figures in lanes.items() if figures["redelivered"]]
    if not again:
        return ["no message was delivered twice."] if marks else []
    return [f"messages delivered again: {', '.join(again)}."]


def _of_messages(lane: str, figures: dict[str, Any]) -> str:
    text, number, unbegun = f"{figures['redelivered']} on {NAMES[lane]}", figures["redelivered"], figures["unbegun"]
    if not unbegun:
        return text
    which = "any of them" if unbegun == number else f"{unbegun} of them"
    return f"{text} (their worker had not begun {which})"


def _speed(lanes: Figures) -> list[str]:
    took = {lane: figures["took"] for lane, figures in lanes.items() if figures["took"]}
    if len(took) < 2:
        return []
    first, *others = sorted(took, key=lambda lane: took[lane])
    later = ", ".join(f"{NAMES[lane]} after {took[lane]:.2f} s" for lane in others)
    return [f"{NAMES[first]} was ready after {took[first]:.2f} s, {later}."]
