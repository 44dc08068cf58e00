"""Settings: addresses, keys and names, read once for each process.

The first source that names a setting wins, in this order:

1. the process environment
2. `.env` beside this project, or the file that `KIT_ENV_FILE` names
3. `kit.env` in the run directory, where `./kit up` writes the addresses of the running kit
4. the defaults below

An empty value counts as unset.
"""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cars_bot.boundary import database_url, urls
from cars_bot.boundary.setting_values import authority, modules, read_file, refuse_invisible, whole_number
from cars_bot.boundary.url_parts import Unreadable
from cars_bot.errors import NotConfigured

ROOT = Path(__file__).resolve().parent.parent
OWN_REDIS = "redis://"  # this value of CELERY_BROKER_URL means the Redis of REDIS_URL
REDIS_PRIORITIES = range(10)  # Celery has these priorities on Redis; 0 goes first
# Every lesson prints the classroom's login; RabbitMQ's manual prints the other, which a URL without a login means.
KNOWN_LOGINS = {("student", "qwerty"), ("guest", "guest")}
CLASSROOM_PASSWORD = "qwerty"  # noqa: S105 - printed in every lesson
# The settings that a user may change.
SETTINGS = (
    "DATABASE_URL", "RMQ_URL", "CELERY_BROKER_URL", "REDIS_URL", "CELERY_RESULT_BACKEND", "TLS_CA_FILE", "API_URL",
    "OUTSIDE_WORLD_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_BASE_URL", "TELEGRAM_CHANNEL", "GOOGLE_SERVICE_ACCOUNT_FILE", "SHEETS_BASE_URL", "SPREADSHEET_ID",
    "KIT_SECRET", "EXTRA_JOBS", "JOBS_PER_CHILD", "CLIENT_DEADLINE", "ALLOWED_HOSTS", "PRIVATE_HOSTS",
)  # fmt: skip
# Name, default, meaning.
WHOLE_NUMBERS = (
    ("JOBS_PER_CHILD", "10000", "after so many jobs a child is replaced"),
    ("CLIENT_DEADLINE", "30", "so many seconds a call to the outside may take"),
)
# The function that reads the address of each setting.
ADDRESSES: dict[str, Callable[[str], Any]] = {
    "DATABASE_URL": database_url.read,
    "RMQ_URL": urls.broker,
    "REDIS_URL": urls.redis,
    "CELERY_BROKER_URL": urls.address,
    "CELERY_RESULT_BACKEND": urls.redis,
    **dict.fromkeys(
        ("API_URL", "OUTSIDE_WORLD_URL", "OPENAI_BASE_URL", "TELEGRAM_BASE_URL", "SHEETS_BASE_URL"), urls.web
    ),
}


@dataclass(frozen=True)
class Settings:
    """All addresses, keys and names of the kit. URLs are complete. Secrets are plain strings and never logged."""

    run_dir: Path
    database_url: str
    rmq_url: str
    redis_url: str
    celery_broker_url: str
    celery_result_backend: str
    api_url: str
    kit_secret: str
    outside_world_url: str
    openai_api_key: str
    openai_base_url: str | None
    openai_model: str
    telegram_bot_token: str
    telegram_base_url: str | None
    google_service_account_file: str | None
    sheets_base_url: str | None
    spreadsheet_id: str
    channel: str
    worker_name: str | None
    jobs_per_child: int
    client_deadline: float
    allowed_hosts: tuple[str, ...]
    extra_jobs: tuple[str, ...]
    tls_ca_file: str | None
    controls: bool  # true: a comparison may kill and freeze workers

    @property
    def celery_over_redis(self) -> bool:
        """True if the Celery lane uses Redis as its broker instead of RabbitMQ."""
        return urls.is_redis(self.celery_broker_url)


def redact(url: str) -> str:
    """Return the address of a server or a database without its secrets, for a log; see `urls.shown`."""
    return database_url.shown(url) if url.partition("://")[0] in database_url.SCHEMES else urls.shown(url)


def has_known_login(url: str, private_hosts: Collection[str] = ()) -> bool:
    """True if the login in `url` is public knowledge, and other machines may reach the server.

    Args:
        url: the address of a RabbitMQ, a Redis or a database.
        private_hosts: names of servers that no other machine can reach, such as those of a compose network.

    Raises:
        ValueError: the address cannot be read.
    """
    if url.partition("://")[0] in database_url.SCHEMES:
        database = database_url.read(url)
        host, user, password = database.host or "", database.username, database.password
    else:
        server = urls.address(url)
        host, user, password = server.host, server.user, server.password
    if not host or host in (*urls.LOOPBACK, *private_hosts):
        return False
    return (user, password) in KNOWN_LOGINS or password == CLASSROOM_PASSWORD


def read(environment: Mapping[str, str], root: Path = ROOT) -> Settings:
    """Build the settings from `environment` and the files under `root`.

    Raises:
        NotConfigured: a value cannot be used; the message names it and says what is right.
    """
    named = environment.get("KIT_ENV_FILE")
    sources: list[Mapping[str, str | None]] = [environment, read_file(named or root / ".env", bool(named))]

    def get(name: str, default: str = "") -> str:
        return next((value for source in sources if (value := source.get(name))), default)

    def checked(name: str, default: str = "") -> str:
        """Return the address in a setting, checked."""
        if url := get(name, default):
            try:
                ADDRESSES[name](url)
            except Unreadable as error:
                raise NotConfigured(f"{name} is no address the kit can use (so it is not shown): {error}") from None
        return url

    run_dir = Path(get("KIT_RUN_DIR", str(root / ".run"))).absolute()
    sources.append(read_file(run_dir / "kit.env", interpolate=False))
    for source in sources:
        refuse_invisible(source, (*SETTINGS, "KIT_RUN_DIR"))

    database = checked("DATABASE_URL", database_url.of_file(run_dir / "kit.sqlite3"))
    whole_numbers = {name: whole_number(name, get(name, default), why) for name, default, why in WHOLE_NUMBERS}
    outside_world = checked("OUTSIDE_WORLD_URL", "http://127.0.0.1:8090").rstrip("/")
    rmq_url = checked("RMQ_URL", "amqp://student:qwerty@127.0.0.1:5672/")
    redis_url = checked("REDIS_URL", "redis://127.0.0.1:6379/0")
    celery_broker_url = rmq_url
    if get("CELERY_BROKER_URL"):
        own = get("CELERY_BROKER_URL") == OWN_REDIS
        celery_broker_url = redis_url if own else checked("CELERY_BROKER_URL")
    private_hosts = get("PRIVATE_HOSTS").replace(" ", "").split(",")
    for name, url in (("RMQ_URL", rmq_url), ("CELERY_BROKER_URL", celery_broker_url), ("DATABASE_URL", database)):
        if has_known_login(url, private_hosts):
            raise NotConfigured(
                f"{name}={redact(url)} has a login that everybody knows, and its server is not this "
                f"machine; give that server a user of its own and set {name} to it (or name the host in PRIVATE_HOSTS "
                "if nobody else can reach it)"
            )
    openai_key, telegram_token = get("OPENAI_API_KEY"), get("TELEGRAM_BOT_TOKEN")
    service_account = get("GOOGLE_SERVICE_ACCOUNT_FILE")

    def base_url(name: str, has_key: bool, path: str) -> str | None:
        """Return the address in the setting. Without one: None if there is a real key, else the stand-in's."""
        return checked(name) or (None if has_key else outside_world + path)

    return Settings(
        run_dir=run_dir,
        database_url=database_url.read(database).render_as_string(hide_password=False),
        rmq_url=rmq_url,
        redis_url=redis_url,
        celery_broker_url=celery_broker_url,
        celery_result_backend=checked("CELERY_RESULT_BACKEND", redis_url),
        api_url=checked("API_URL", "http://127.0.0.1:8080/update_task_status_api/"),
        kit_secret=get("KIT_SECRET"),
        outside_world_url=outside_world,
        openai_api_key=openai_key or "stand-in",
        openai_base_url=base_url("OPENAI_BASE_URL", bool(openai_key), "/openai/v1"),
        openai_model=get("OPENAI_MODEL", "gpt-4o-mini"),
        telegram_bot_token=telegram_token or "1:stand-in",
        telegram_base_url=base_url("TELEGRAM_BASE_URL", bool(telegram_token), "/telegram"),
        google_service_account_file=service_account or None,
        sheets_base_url=base_url("SHEETS_BASE_URL", bool(service_account), "/google"),
        spreadsheet_id=get("SPREADSHEET_ID", "cars-bot"),
        channel=get("TELEGRAM_CHANNEL", "@cars_bot_demo"),
        worker_name=get("KIT_WORKER_NAME") or None,
        jobs_per_child=whole_numbers["JOBS_PER_CHILD"],
        client_deadline=float(whole_numbers["CLIENT_DEADLINE"]),
        allowed_hosts=tuple(filter(None, get("ALLOWED_HOSTS").lower().replace(" ", "").split(","))),
        extra_jobs=modules(get("EXTRA_JOBS")),
        tls_ca_file=authority(get("TLS_CA_FILE")),
        controls=environment.get("KIT_CONTROLS") == "1",
    )


@cache
def settings() -> Settings:
    """Return the settings of this process. The first call reads them."""
    return read(os.environ)
