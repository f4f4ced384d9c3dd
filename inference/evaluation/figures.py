"""Charts, as answers."""

from __future__ import annotations

from django.http import HttpResponse

from vision.analysis.charts import FORMATS


def image_response(content: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=FORMATS[kind])
    # Labels are in it: an SVG that is opened alone must not run anything.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
    return response
