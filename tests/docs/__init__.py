"""Tests of the texts: their commands are typed, and their names and numbers are compared with the code."""
