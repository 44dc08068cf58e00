"""Dead letters: the messages that no worker will try again, on both lanes."""
