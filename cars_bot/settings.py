"""Where everything is: read once from the environment, `.env` and what `./kit up` wrote down.

The first source that names a setting wins: the process environment, then `.env` beside this project (or the file that
`KIT_ENV_FILE` names), then `kit.env` in the run directory (the addresses of the kit that is up), then the defaults
below. An empty value counts as unset.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from dotenv import dotenv_values

from cars_bot.errors import NotConfigured

ROOT = Path(__file__).resolve().parent.parent
OWN_REDIS = "redis://"  # as CELERY_BROKER_URL: the Redis of REDIS_URL, wherever that is
REDIS_PRIORITIES = range(10)  # those that Celery keeps apart on Redis; 0 goes first
DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


LOOPBACK = ("127.0.0.1", "localhost", "::1")
# The classroom's login stands in every lesson, RabbitMQ's own in its manual, and a URL without one means the latter.
KNOWN_LOGINS = {("student", "qwerty"), ("guest", "guest")}
CLASSROOM_PASSWORD = "qwerty"  # noqa: S105 - printed in every lesson


@dataclass(frozen=True)
class Settings:
    """Every address, key and name the kit uses. URLs are complete; secrets are plain strings, never logged."""

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

    @property
    def celery_over_redis(self) -> bool:
        """Whether the Celery lane travels through Redis instead of RabbitMQ."""
        return urlsplit(self.celery_broker_url).scheme in ("redis", "rediss", "unix")


def redact(url: str) -> str:
    """Return `url` without its password, fit for a log."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rsplit("@", 1)[1]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))


def has_known_login(url: str, private_hosts: Collection[str] = ()) -> bool:
    """Whether everybody knows the login in `url` and others than this machine may reach the server.

    Args:
        private_hosts: names of servers that nobody else can reach, such as those of a compose network.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.hostname in (*LOOPBACK, *private_hosts):
        return False
    login = (parts.username, parts.password)
    if parts.scheme in ("amqp", "amqps") and login == (None, None):
        login = ("guest", "guest")
    return login in KNOWN_LOGINS or parts.password == CLASSROOM_PASSWORD


def read(environment: Mapping[str, str], root: Path = ROOT) -> Settings:
    """Build the settings from `environment` and the files under `root`.

    Raises:
        NotConfigured: a value is there but unusable; the message says which and what would be right.
    """
    env_file = environment.get("KIT_ENV_FILE") or root / ".env"
    sources: list[Mapping[str, str | None]] = [environment, dotenv_values(env_file)]

    def get(name: str, default: str = "") -> str:
        return next((value for source in sources if (value := source.get(name))), default)

    run_dir = Path(get("KIT_RUN_DIR", str(root / ".run"))).absolute()
    sources.append(dotenv_values(run_dir / "kit.env"))

    database_url = get("DATABASE_URL", f"sqlite:///{run_dir / 'kit.sqlite3'}")
    scheme, separator, rest = database_url.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        raise NotConfigured(
            f"DATABASE_URL starts with {scheme!r}; use sqlite:///path or postgresql://user:password@host:port/name"
        )
    if not (jobs_per_child := _whole(get("JOBS_PER_CHILD", "10000"))):
        raise NotConfigured("JOBS_PER_CHILD must be a whole number above 0: after so many jobs a child is replaced")
    if not (client_deadline := float(_whole(get("CLIENT_DEADLINE", "30")))):
        raise NotConfigured("CLIENT_DEADLINE must be whole seconds above 0: so long a call to the outside may take")
    outside_world = get("OUTSIDE_WORLD_URL", "http://127.0.0.1:8090").rstrip("/")
    rmq_url = get("RMQ_URL", "amqp://student:qwerty@127.0.0.1:5672/")
    redis_url = get("REDIS_URL", "redis://127.0.0.1:6379/0")
    private_hosts = get("PRIVATE_HOSTS").replace(" ", "").split(",")
    celery_broker_url = get("CELERY_BROKER_URL", rmq_url)
    for name, url in (("RMQ_URL", rmq_url), ("CELERY_BROKER_URL", celery_broker_url), ("DATABASE_URL", database_url)):
        if has_known_login(url, private_hosts):
            raise NotConfigured(
                f"{name}={redact(url)} has a login that everybody knows, and {urlsplit(url).hostname} is not this "
                f"machine; give that server a user of its own and set {name} to it (or name the host in PRIVATE_HOSTS "
                "if nobody else can reach it)"
            )
    openai_key, telegram_token = get("OPENAI_API_KEY"), get("TELEGRAM_BOT_TOKEN")
    service_account = get("GOOGLE_SERVICE_ACCOUNT_FILE")

    def base_url(name: str, has_key: bool, path: str) -> str | None:
        """The stand-in unless a real key is configured; an address given by name beats both."""
        return get(name) or (None if has_key else outside_world + path)

    return Settings(
        run_dir=run_dir,
        database_url=f"{DATABASE_SCHEMES[scheme]}://{rest}",
        rmq_url=rmq_url,
        redis_url=redis_url,
        celery_broker_url=redis_url if celery_broker_url == OWN_REDIS else celery_broker_url,
        celery_result_backend=get("CELERY_RESULT_BACKEND", redis_url),
        api_url=get("API_URL", "http://127.0.0.1:8080/update_task_status_api/"),
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
        jobs_per_child=jobs_per_child,
        client_deadline=client_deadline,
        allowed_hosts=tuple(filter(None, get("ALLOWED_HOSTS").lower().replace(" ", "").split(","))),
        extra_jobs=tuple(filter(None, get("EXTRA_JOBS").replace(" ", "").split(","))),
    )


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@cache
def settings() -> Settings:
    """The settings of this process, read at the first call."""
    return read(os.environ)
