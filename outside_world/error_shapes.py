"""Error answers in each service's own shape. The error handling of the clients depends on these shapes."""

import json

from starlette.responses import Response


def json_response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """Return a compact JSON response in UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), status, headers, media_type="application/json")


def openai_error(
    status: int, message: str, kind: str, code: str | None = None, retry_after: int | None = None
) -> Response:
    """Return `{"error": {message, type, param, code}}`."""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return json_response(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)


def telegram_error(status: int, description: str, retry_after: int | None = None) -> Response:
    """Return `{"ok": false, error_code, description, parameters?}`."""
    body: dict[str, object] = {"ok": False, "error_code": status, "description": description}
    headers = None
    if retry_after is not None:
        body["parameters"] = {"retry_after": retry_after}
        headers = {"Retry-After": str(retry_after)}
    return json_response(status, body, headers)


def google_error(status: int, message: str, name: str, retry_after: int | None = None) -> Response:
    """Return `{"error": {code, message, status}}`."""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    return json_response(status, {"error": {"code": status, "message": message, "status": name}}, headers)


def throttled(service: str, retry_after: int) -> Response:
    """Return `service`'s own answer for "try again in `retry_after` seconds"."""
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
    """Return `service`'s own answer for an error inside the server."""
    if service == "openai":
        return openai_error(500, "The server had an error while processing your request", "server_error")
    if service == "telegram":
        return telegram_error(500, "Internal Server Error")
    return google_error(500, "Internal error encountered.", "INTERNAL")
