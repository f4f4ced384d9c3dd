"""Every error below the addresses of Custom Vision has the body that its SDKs read, whatever made it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from custom_vision.errors import translated

OURS = re.compile(r"^/*customvision(?:/|\Z)", re.IGNORECASE)


class ErrorBodies:
    """Stands outside of all that may refuse a request before a view sees it: bodies that were not received, hosts that
    are unknown, addresses with nothing behind them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not OURS.match(request.path):
            return response
        content = b"" if response.streaming else response.content
        response.status_code, body = translated(response.status_code, content)
        response.content = json.dumps(body).encode()
        response["Content-Type"] = "application/json"
        if "Content-Length" in response:
            response["Content-Length"] = str(len(response.content))
        return response
