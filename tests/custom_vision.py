"""A client that sends what programs written for Azure Custom Vision send."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.services import issue_personal_token
from inference.models import Model
from training.models import TrainingRun

TRAINING = "/customvision/v3.4-preview/training/"
PREDICTION = "/customvision/v3.1/prediction/"
COMPACT = "0732100f-1a38-4e49-a514-c9b44c697ab5"
DETECTION = "da2e3a8a-40a5-4171-82f4-58522f70fbc1"


class Service:
    """The studio under the addresses of Custom Vision, with a key."""

    def __init__(self, secret: str, header: str = "Training-Key", base: str = TRAINING) -> None:
        self.secret, self.header, self.base = secret, header, base
        self._client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, body: Any = None, *, base: str = "", **headers: str) -> HttpResponse:
        """A request as it is: JSON of dicts and lists, bytes as they are."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        kind = headers.pop("content_type", "application/json; charset=utf-8")
        sent = {self.header: self.secret, **headers} if self.secret else headers
        # Whole, since a path that begins with two slashes is read as a host.
        address = f"http://testserver{base or self.base}{path}"
        return self._client.generic(method, address, content, content_type=kind, headers=sent)

    def get(self, path: str) -> Any:
        return answered(self.ask("GET", path))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return answered(self.ask("POST", path, body, **headers))

    def patch(self, path: str, body: Any) -> Any:
        return answered(self.ask("PATCH", path, body))

    def delete(self, path: str) -> None:
        answer = self.ask("DELETE", path)
        assert (answer.status_code, answer.content) == (204, b""), (answer.status_code, answer.content)

    def upload(self, path: str, content: bytes) -> Any:
        """As the SDK for Python sends bytes: a part of a form without a file name."""
        body, kind = nameless(content)
        return answered(self.ask("POST", path, body, content_type=kind))


def nameless(content: bytes, name: str = "imageData") -> tuple[bytes, str]:
    head = f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--b0undary--\r\n", "multipart/form-data; boundary=b0undary"


def answered(answer: HttpResponse) -> Any:
    assert answer.status_code in (200, 204, 207), (answer.status_code, answer.content)
    return json.loads(answer.content) if answer.content else None


def refused(answer: HttpResponse) -> tuple[int, str]:
    """Status and code; an error without a sentence is none that an SDK reads."""
    body = json.loads(answer.content)
    assert body["message"], body
    return answer.status_code, body["code"]


def service_of(user: Any, **options: Any) -> Service:
    return Service(issue_personal_token(user=user, name="key", expires_in_days=1, **options)[1])


def predictor_of(user: Any, **options: Any) -> Service:
    secret = issue_personal_token(user=user, name="key", expires_in_days=1, scope="predict", **options)[1]
    return Service(secret, "Prediction-Key", PREDICTION)


def trained(model: Model, owner, **fields) -> TrainingRun:
    """The run that has made a model."""
    snapshot = model.snapshot
    return TrainingRun.objects.create(
        project=model.project, snapshot=snapshot, configuration={}, state="succeeded", model=model, created_by=owner,
        started_at=model.created_at, finished_at=model.created_at, **fields,
    )  # fmt: skip
