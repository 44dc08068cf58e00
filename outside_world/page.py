"""Pages for people. `/` shows the channels and their posts, the sheets, and the faults in force. `/docs` shows the API.

Swagger UI comes from our own files, because there may be no network.
"""

from pathlib import Path

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

from outside_world.google.sheet import as_text
from outside_world.world import World

NEWEST = 30
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
TEMPLATES.filters["cell"] = as_text


def build_router(world: World) -> APIRouter:
    """Return the routes of the pages, for `world`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(chat: str | None = None) -> HTMLResponse:
        html = TEMPLATES.get_template("world.html").render(
            chats=list(world.chats),
            chat=chat,
            messages=world.chats.messages(chat)[: -NEWEST - 1 : -1] if chat else [],
            spreadsheets=[world.drive.open(name) for name in world.drive.names()],
            faults=world.switchboard.faults,
            counters=world.counters,
        )
        return HTMLResponse(html)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return HTMLResponse(TEMPLATES.get_template("api.html").render())

    return router
