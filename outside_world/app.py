"""Puts the stand-ins together into one ASGI application."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from outside_world import control, google_api, openai_api, page, telegram_api
from outside_world.guard import Guard
from outside_world.sabotage import Saboteur
from outside_world.world import World


def build_app() -> ASGIApp:
    """A new world and the application that serves it, wrapped in the saboteur and, outermost, the guard."""
    world = World()
    api = FastAPI(title="Outside world", description=__doc__, docs_url=None, redoc_url=None)  # theirs load from a CDN
    for part in (control, openai_api, telegram_api, google_api, page):
        api.include_router(part.build_router(world))
    return Guard(Saboteur(api, world))
