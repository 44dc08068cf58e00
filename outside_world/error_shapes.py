"""How each service says that something is wrong; the clients' error handling depends on these shapes."""

import json

from starlette.responses import Response

Wait = int | float | str
GOOGLE_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
                 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}  # fmt: skip


def json_response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """A compact UTF-8 JSON response. Half an emoji, which a fault may ask for, is written as JSON escapes it."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        written = text.encode()
    except UnicodeEncodeError:
        written = json.dumps(body, separators=(",", ":")).encode()
    return Response(written, status, headers, media_type="application/json")


def openai_error(
    status: int, message: str, kind: str, code: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """`{"error": {message, type, param, code}}`"""
    return json_response(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


def telegram_error(
    status: int, description: str, retry_after: Wait | None = None, headers: dict[str, str] | None = None
) -> Response:
    """`{"ok": false, error_code, description, parameters?}`"""
    body: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    if retry_after is not None:
        body["parameters"] = {"retry_after": retry_after}
    return json_response(status, body, headers)


def google_error(status: int, message: str, name: str, headers: dict[str, str] | None = None) -> Response:
    """`{"error": {code, message, status}}`"""
    return json_response(status, {"error": {"code": status, "message": message, "status": name}}, headers)


def throttled(service: str, retry_after: Wait, header: str = "Retry-After") -> Response:
    """ "Come back in `retry_after` seconds", as `service` says it."""
    headers = {header: str(retry_after)}
    if service == "openai":
        return openai_error(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", headers)
    if service == "telegram":
        return telegram_error(429, f"Too Many Requests: retry after {retry_after}", retry_after, headers)
    return google_error(
        429,
        "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'",
        "RESOURCE_EXHAUSTED",
        headers,
    )


def worded(service: str, status: int, words: str) -> Response:
    """A refusal, or a failure, as `service` says it."""
    if service == "openai":
        return openai_error(status, words, "invalid_request_error" if status < 500 else "server_error")
    if service == "telegram":
        return telegram_error(status, words)
    return google_error(status, words, GOOGLE_STATUS.get(status, "INTERNAL"))


def broken(service: str) -> Response:
    """ "It is our fault", as `service` says it."""
    words = {
        "openai": "The server had an error while processing your request",
        "telegram": "Internal Server Error",
        "google": "Internal error encountered.",
    }
    return worded(service, 500, words[service])
