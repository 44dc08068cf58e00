"""Addresses for Celery: its settings for the same servers and options that the raw lane uses.

Celery passes all parameters after a URL's `?` on as arguments of its connection. It splits a URL at `;`. It checks the
name on a certificate only if a setting asks for it. So it gets addresses without parameters, and everything else as
settings. This module does not need Celery itself.
"""

import ssl
from typing import Any
from urllib.parse import quote

from cars_bot.boundary import urls
from cars_bot.settings import Settings


def connection(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings for its broker, and for TLS to its broker and its result backend."""
    broker, results = urls.address(settings.celery_broker_url), urls.redis(settings.celery_result_backend)
    return {
        "broker_url": broker.url if isinstance(broker, urls.Broker) else _redis_url(broker),
        "broker_use_ssl": _tls(broker, settings.tls_ca_file),
        "redis_backend_use_ssl": _tls(results, settings.tls_ca_file) or None,
    }


def result_backend(settings: Settings) -> str:
    """Return the address at which Celery keeps results."""
    return _redis_url(urls.redis(settings.celery_result_backend))


def broker_options(settings: Settings) -> dict[str, int]:
    """Return the options after the `?` of the broker's URL, by the names of `urls.BROKER_OPTIONS`."""
    broker = urls.address(settings.celery_broker_url)
    return dict(broker.options) if isinstance(broker, urls.Broker) else {}


def _redis_url(at: urls.Redis) -> str:
    if at.socket:
        return f"redis+socket://{at.login}{quote(at.socket)}?virtual_host={at.database}"
    return f"redis{'s' * at.tls}://{at.login}{urls.in_url(at.host)}:{at.port}/{at.database}"


def _tls(at: urls.Broker | urls.Redis, authority: str | None) -> Any:
    """Return the checks of a certificate: its authority and the server's name. False without TLS."""
    if not at.tls:
        return False
    if isinstance(at, urls.Broker):
        return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": authority, "server_hostname": at.host}
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": authority, "ssl_check_hostname": True}
