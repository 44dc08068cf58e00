"""What can be typed after `./kit`: one module a command, and the few helpers they share."""
