"""Pages for people. `/`: the channels, what was posted there, the sheets, the faults in force. `/docs`: the API."""

from pathlib import Path

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse

from outside_world import faults
from outside_world.sheets import as_text
from outside_world.world import World

NEWEST = 30
TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
TEMPLATES.filters["cell"] = as_text


def build_router(world: World) -> APIRouter:
    """The pages about `world`."""
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
    async def docs(request: Request) -> HTMLResponse:
        """The control room's and the services' routes, without a script: nothing has to be loaded from elsewhere."""
        described = request.app.openapi()
        html = TEMPLATES.get_template("docs.html").render(
            paths=described["paths"],
            fault=described["components"]["schemas"]["Fault"]["properties"],
            kinds=(faults.__doc__ or "").partition("\n\n")[2],
            address=str(request.base_url).rstrip("/"),
        )
        return HTMLResponse(html)

    return router
