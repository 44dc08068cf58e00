"""python -m api --port 8080: the web application, with limits for each connection (`protocol.py`)."""

import argparse

import uvicorn

from api import protocol
from cars_bot.processes import startup


def main() -> None:
    """Serve requests until a signal stops the process."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--goodbye", type=int, default=1, metavar="S", help="seconds for open requests at shutdown (1)")
    options = parser.parse_args()
    startup.need_folder()
    protocol.raise_limit()
    uvicorn.run(
        "api.app:app", host=options.host, port=options.port, log_level=options.log_level, access_log=False,
        http=protocol.CarefulProtocol, ws="none", timeout_graceful_shutdown=options.goodbye,
    )  # fmt: skip


if __name__ == "__main__":
    main()
