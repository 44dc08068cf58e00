"""How each service says that something is wrong; the clients' error handling depends on these shapes."""

import json

from starlette.responses import Response


def json_response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """A compact UTF-8 JSON response."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, headers, media_type="application/json")


def openai_error(
    status: int, message: str, kind: str, code: str | None = None, retry_after: int | None = None
) -> Response:
    """`{"error": {message, type, param, code}}`"""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return json_response(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


def telegram_error(status: int, description: str, retry_after: int | None = None) -> Response:
    """`{"ok": false, error_code, description, parameters?}`"""
    body: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    headers = None
    if retry_after is not None:
        body["parameters"] = {"retry_after": retry_after}
        headers = {"Retry-After": str(retry_after)}
    return json_response(status, body, headers)


def google_error(status: int, message: str, name: str, retry_after: int | None = None) -> Response:
    """`{"error": {code, message, status}}`"""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return json_response(status, {"error": {"code": status, "message": message, "status": name}}, headers)


def throttled(service: str, retry_after: int) -> Response:
    """ "Come back in `retry_after` seconds", as `service` says it."""
    if service == "openai":
        return openai_error(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", retry_after)
    if service == "telegram":
        return telegram_error(429, f"Too Many Requests: retry after {retry_after}", retry_after)
    return google_error(
        429,
        "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user'",
        "RESOURCE_EXHAUSTED",
        retry_after,
    )


def broken(service: str) -> Response:
    """ "It is our fault", as `service` says it."""
    if service == "openai":
        return openai_error(500, "The server had an error while processing your request", "server_error")
    if service == "telegram":
        return telegram_error(500, "Internal Server Error")
    return google_error(500, "Internal error encountered.", "INTERNAL")
