"""`python -m outside_world --host H --port P`: serve the stand-ins until a signal stops them."""

import argparse

import uvicorn

from outside_world import language
from outside_world.app import build_app


def main() -> None:
    """Parse the address and serve. All state is in memory, so there is one process and one event loop."""
    parser = argparse.ArgumentParser(prog="python -m outside_world", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    arguments = parser.parse_args()
    language.prepare()
    uvicorn.run(
        build_app(),
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
