"""What can be typed after `./kit`: one module a command."""
