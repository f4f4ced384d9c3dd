# ruff: noqa: F811 - fixtures
"""All operations at once: the document that describes them, and which of them a key for predictions may call."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter

import pytest
from django.test import Client
from django.urls import URLPattern, resolve

from custom_vision import urls
from custom_vision.schema import Operation, operations
from tests.custom_vision import Service, predictor_of, refused
from tests.custom_vision_fixtures import at, path, run, service  # noqa: F401 - fixtures
from tests.pictures import shape_jpeg

NOT_OF_THE_SDK = {"ExportFile", "PredictionImage"}  # what signed addresses lead to


def test_each_address_is_described_and_no_other():
    assert Counter(operation.service for operation in operations()) == {"training": 52, "prediction": 8}
    described = Counter()
    for operation in operations():
        address = re.sub(r"\{\w+\}", str(uuid.uuid4()), operation.path)
        view = resolve(address).func.view_class
        assert hasattr(view, operation.method.lower()), operation
        described[view.__name__] += 1
    views = [pattern.callback.view_class for pattern in [*urls.training, *urls.prediction]]
    served = {
        view.__name__: sum(hasattr(view, method) for method in ("get", "post", "patch", "delete"))
        for view in views
        if view.__name__ not in NOT_OF_THE_SDK
    }
    assert all(isinstance(pattern, URLPattern) for pattern in urls.training) and described == served


@pytest.mark.django_db
def test_the_document():
    answer = Client().get("/api/schema/custom-vision/")
    document = answer.json()
    assert answer.status_code == 200 and document["openapi"] == "3.1.0"
    names = [row["operationId"] for methods in document["paths"].values() for row in methods.values()]
    assert len(names) == len(set(names)) == 60
    schemas = document["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document))) == set(schemas)
    tags = document["paths"]["/customvision/v3.4-preview/training/projects/{projectId}/tags"]["get"]
    assert tags["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"


class TestKeyForPredictions:
    """It is tried at each of the 60, as a key of either kind."""

    @pytest.fixture
    def answers(self, owner, service, at, run):
        service.post(f"{at}/publish?publishName=m&predictionId=x")
        key = predictor_of(owner).secret

        def ask(operation: Operation, header: str):
            ids = {"projectId": str(run.project_id), "iterationId": str(run.pk), "publishedName": "m"}
            address = re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], str(uuid.uuid4())), operation.path)
            body, kind = {"image": (shape_jpeg(1, "disc"), "image/jpeg")}.get(
                operation.body, (b"{}", "application/json")
            )
            return Service(key, header).ask(operation.method, "", body, base=address, content_type=kind)

        return ask

    @pytest.mark.django_db
    @pytest.mark.parametrize("header", ["Training-Key", "Prediction-Key", "Ocp-Apim-Subscription-Key"])
    def test_only_predictions_answer(self, answers, service, path, header):
        before = service.get(f"{path}/images/count"), service.get(f"{path}/tags"), service.get(f"{path}/iterations")
        for operation in operations():
            status, code = _outcome(answers(operation, header))
            if operation.service == "training":
                assert status in (401, 403) and code in ("Unauthorized", "Forbidden"), operation.name
            elif operation.name.startswith("detect"):
                assert (status, code) == (400, "BadRequestUnsupportedDomain"), operation.name
            elif operation.body == "image":
                assert status == 200, operation.name
            else:
                assert (status, code) == (400, "BadRequestImageUrl"), operation.name
        after = service.get(f"{path}/images/count"), service.get(f"{path}/tags"), service.get(f"{path}/iterations")
        assert before == after


def _outcome(answer) -> tuple[int, str]:
    return (200, "") if answer.status_code == 200 else refused(answer)
