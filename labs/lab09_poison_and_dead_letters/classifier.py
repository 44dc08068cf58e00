"""Classifier: finds a post's category. It stands for a C library that crashes on some texts."""

import os
import signal

from experiments.evidence import hold

UNLUCKY = "Post 0"  # the check kills the process here, once
POISON = "Post with a picture of 2 GB"
NONSENSE = "Post without words"
DESK = "classifying"


def classify(text: str) -> str:
    """Return the post's category.

    Raises:
        ValueError: the post has no category, and a second try would not find one.
    """
    if text == UNLUCKY:
        hold(DESK)
    if text == POISON:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    if text == NONSENSE:
        raise ValueError("no words, no category")
    return "for sale"
