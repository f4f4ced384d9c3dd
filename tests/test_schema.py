"""The schema is complete and true: schemathesis sends what it allows and what it forbids, and checks every answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from drf_spectacular import validation

from tests.environment import THOROUGH
from tests.made_videos import made_video
from tests.once import read_yaml
from tests.pictures import jpeg, shapes_zip
from tests.studio import ROOT, Studio
from tests.test_routes import SCHEMA

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance"
)
# These end the login that the others need.
ENDING = "^/api/v1/(auth/logout|auth/logout-all|users/me|users/me/password)/$"
EXAMPLES = int(os.environ.get("MLSTUDIO_FUZZ_EXAMPLES", 100 if THOROUGH else 3))


def test_the_schema_is_valid_openapi_3_1():
    assert SCHEMA["openapi"].startswith("3.1")
    # With the file of `validation.validate_schema`, which takes ten seconds to read it in Python.
    rules = json.loads(Path(validation.__file__).with_name("openapi_3_1_schema.json").read_text())
    jsonschema_rs.validator_for(rules).validate(SCHEMA)


def test_every_operation_says_what_it_answers():
    for path, operations in SCHEMA["paths"].items():
        for method, operation in operations.items():
            codes = set(operation["responses"])
            assert codes & {"200", "201", "202", "204"}, (method, path)
            if path.startswith("/api/v1/"):
                assert {"400", "404"} <= codes, (method, path)


@pytest.mark.django_db
@pytest.mark.any_database("writing the schema")
@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_the_schema_is_written_once_for_everybody(client, kind, monkeypatch):
    first = client.get(f"/api/schema/?format={kind}")
    monkeypatch.setattr("drf_spectacular.generators.SchemaGenerator.get_schema", lambda *_, **__: pytest.fail("again"))
    second = client.get(f"/api/schema/?format={kind}&version=9")
    assert first.status_code == second.status_code == 200 and first.content == second.content
    read = json.loads if kind == "json" else read_yaml
    assert set(read(second.content)["paths"]) == set(SCHEMA["paths"])


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    fast = {
        "MLSTUDIO_LOGIN_RATE": "10000/min",
        "MLSTUDIO_REGISTRATION_RATE": "10000/min",
        "MLSTUDIO_PASSWORD_RESET_RATE": "10000/min",
    }
    running = Studio(tmp_path_factory.mktemp("fuzz") / "data", **fast).start()
    running.register()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def house(studio) -> dict[str, str]:
    project = studio.call("POST", "projects/", json={"name": "p", "task": "classification"})["id"]
    dataset = studio.call("POST", "datasets/", json={"project": project, "name": "d"})["id"]
    files = {"file": ("shapes.zip", shapes_zip(20), "application/zip")}
    job = studio.call("POST", f"datasets/{dataset}/imports/", files=files)["id"]
    studio.wait_for_end(f"jobs/{job}/")
    image = studio.call("POST", f"datasets/{dataset}/images/", files={"files": ("a.jpg", jpeg(1))})["created"][0]["id"]
    deleted = studio.call("POST", f"datasets/{dataset}/images/", files={"files": ("b.jpg", jpeg(2))})["created"][0][
        "id"
    ]
    studio.call("POST", "images/bulk/", json={"images": [deleted], "action": "delete"})
    (entry,) = studio.call("GET", f"trash/?project={project}")["results"]
    snapshot = studio.call("POST", f"datasets/{dataset}/snapshots/", json={})["id"]
    settings = {"project": project, "snapshot": snapshot, "architecture": "small_cnn", "image_size": 32, "epochs": 1}
    run = studio.call("POST", "trainings/", json=settings)["id"]
    model = studio.wait_for_end(f"trainings/{run}/")["model"]
    label = studio.call("GET", f"projects/{project}/labels/")["results"][0]["id"]
    group = studio.call("POST", "device-groups/", json={"project": project, "name": "g"})["id"]
    device = studio.call("POST", "devices/", json={"project": project, "name": "d"})["id"]
    deployment = studio.call("POST", "deployments/", json={"group": group, "model": model})["id"]
    video = studio.call(
        "POST", f"datasets/{dataset}/videos/", files={"file": ("video.mp4", made_video(8), "video/mp4")}
    )["id"]
    job = studio.call("POST", f"models/{model}/evaluations/", json={"snapshot": snapshot})["id"]
    evaluation = studio.wait_for_end(f"jobs/{job}/")["result"]["evaluation"]
    member = studio.call("GET", f"projects/{project}/members/")["results"][0]["id"]
    return {
        "projects": project,
        "datasets": dataset,
        "jobs": job,
        "images": image,
        "snapshots": snapshot,
        "trainings": run,
        "models": model,
        "labels": label,
        "members": member,
        "device-groups": group,
        "devices": device,
        "deployments": deployment,
        "videos": video,
        "evaluations": evaluation,
        "trash": entry["id"],
        "changes": entry["change"],
    }


@pytest.fixture
def authorization(studio, part) -> str:
    """Of the account that has the house; what ends logins gets one of its own."""
    if part == "--exclude-path-regex":
        return studio.client.headers["Authorization"]
    account = {"username": "leaver", "email": "leaver@example.com", "password": "a long pass phrase"}
    return f"Token {studio.call('POST', 'auth/register/', json=account)['token']}"


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", ["--exclude-path-regex", "--include-path-regex"])
def test_no_answer_leaves_the_schema_and_none_is_a_server_error(studio, house, authorization, part):
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{studio.url}/api/schema/?format=json",
        "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "1",
        "--header", f"Authorization: {authorization}", "--request-timeout", "60",
        "--generation-deterministic", "--no-color", part, ENDING,
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "tests.schema_hooks", "PYTHONPATH": str(ROOT)}  # others have a `tests` too
    environment = {**os.environ, "STUDIO_HOUSE": json.dumps(house), **hooks}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    problems = re.split("= (?:FAILURES|ERRORS) =", done.stdout, maxsplit=1)[-1].partition("WARNINGS")[0]
    assert done.returncode == 0, problems[:20000] + done.stderr[-2000:]
