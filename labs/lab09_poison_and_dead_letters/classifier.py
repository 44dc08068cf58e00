"""What a post is about. Underneath it is a library in C, and there are texts that it does not survive."""

import os
import signal

from experiments.evidence import hold

UNLUCKY = "Post 0"  # here the check kills the process, once
POISON = "Post with a picture of 2 GB"
NONSENSE = "Post without words"
DESK = "classifying"


def classify(text: str) -> str:
    """Return the post's category.

    Raises:
        ValueError: it has none, and never will.
    """
    if text == UNLUCKY:
        hold(DESK)
    if text == POISON:
        os.kill(os.getpid(), signal.SIGKILL)  # what the kernel does when memory runs out
    if text == NONSENSE:
        raise ValueError("no words, no category")
    return "for sale"
