"""Rendering of a page: a template and its values become HTML. The templates escape all texts of jobs and workers."""

from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from api.controls import token
from api.live import live_queries
from api.pages import display
from cars_bot.settings import settings

HERE = Path(__file__).parent

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, undefined=StrictUndefined
)
_templates.filters |= display.FILTERS
_templates.globals |= {"LANES": display.LANES, "COUNTERS": display.COUNTERS, "CHARTS": display.CHARTS}
_templates.globals["BLANK"] = live_queries.BLANK


class Static(StaticFiles):
    """Our static files. Browsers ask each time whether a file has changed, so a new version is used at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """See `StaticFiles`."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


static = Static(directory=HERE / "static")


def render(template: str, request: Request, code: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made from a template and its values."""
    html = _templates.get_template(template).render(
        outside_world_url=settings().outside_world_url, base_url=request.base_url, token=token(), **values
    )
    return HTMLResponse(html, code, headers={"Cache-Control": "no-store"})
