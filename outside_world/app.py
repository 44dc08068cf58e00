"""The ASGI application: all stand-ins together."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from outside_world import control, page
from outside_world.google import api as google_api
from outside_world.guard import Guard
from outside_world.openai import api as openai_api
from outside_world.sabotage import Saboteur
from outside_world.telegram import api as telegram_api
from outside_world.world import World

SWAGGER = Path(__file__).parent.parent / "api" / "pages" / "static" / "vendor"  # the files of the kit's own page


def build_app() -> ASGIApp:
    """Make a new world, and return the application that serves it behind the guard and the saboteur."""
    world = World()
    api = FastAPI(title="Outside world", description=__doc__, docs_url=None, redoc_url=None)
    for part in (control, openai_api, telegram_api, google_api, page):
        api.include_router(part.build_router(world))
    api.mount("/swagger", StaticFiles(directory=SWAGGER))

    return Guard(Saboteur(api, world))
