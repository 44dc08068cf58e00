"""The commands that one types after `./kit`: one module per command."""
