"""Handlers of the Sheets API: the shape that all of them share."""

from collections.abc import Callable
from typing import Any

from outside_world.google.drive import Spreadsheet

Query = dict[str, list[str]]
Body = dict[str, Any]
Handler = Callable[[Spreadsheet, Query, Body], Body]  # returns the reply
