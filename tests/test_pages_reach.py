"""Whatever a person does by hand has a place in the pages: each operation is called there, or a reason says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.studio import ROOT
from tests.test_routes import SCHEMA

METHODS = ("get", "post", "put", "patch", "delete")
# Operation, or how its path begins → why no page calls it.
FOR_PROGRAMS = {
    "/edge/v1/": "the agent's",
    "GET /api/v1/uploads/{id}/": "the upload client's",
    "PATCH /api/v1/uploads/{id}/": "the upload client's",
    "DELETE /api/v1/uploads/{id}/": "the upload client's",
    "GET /api/v1/jobs/{id}/events/": "one stream, events/, has it",
    "GET /api/v1/trainings/{id}/events/": "one stream, events/, has it",
    "GET /api/v1/jobs/{id}/log/": "a job's report and outcome are shown",
    "POST /api/v1/auth/email/confirm/": "the page that the mail links to is the server's",
    "GET /api/v1/jobs/{id}/files/{name}/": "its address comes with the job",
    "GET /api/v1/models/{id}/files/{kind}/": "its address comes with the model",
    "GET /api/v1/snapshots/{id}/images/{row}/thumbnail/": "its address comes with the row",
    "GET /api/v1/trash/{id}/thumbnail/": "its address comes with the entry",
    "GET /api/v1/videos/{id}/strip/": "its address comes with the video",
    "GET /api/v1/trainings/{id}/picture/": "the pages draw their own curves",
    "GET /api/v1/datasets/{id}/uses/": "a delete that is refused says it",
    "GET /api/v1/projects/{id}/uses/": "a delete that is refused says it",
    "GET /api/v1/projects/{project_id}/members/candidates/": "names are typed whole",
    "GET /api/v1/images/{id}/file/": "rendition/ shows what browsers show; the file comes with exports",
    "GET /api/v1/enrolment-codes/{id}/": "in the list",
    "GET /api/v1/invitations/{id}/": "in the list",
    "GET /api/v1/projects/{project_id}/saved-filters/{id}/": "in the list",
    "GET /api/v1/system/users/{id}/": "in the list",
}
# Fields of requests that no page sends, and why.
FIELDS_FOR_PROGRAMS = {
    "correct": "the annotator corrects",
    "max_bits": "the dataset's own limit is used",
    "name_encoding": "found by itself, and said in the report",
    "largest_failure_rate": "a tenth, which the dialog says",
    "least_reports": "as many as the step has devices",
    "largest_drop": "what loses more is refused with its figures",
    "other_model": "for committees of models",
    "every_frames": "people think in seconds",
    "start_seconds": "a whole video is chosen from",
    "end_seconds": "a whole video is chosen from",
    "group_seconds": "all frames of a video are one group",
}
VALUE = re.compile(r"\$\{[^{}`]*\}|(?<=/)\{\w+\}(?=/)")


def sources() -> str:
    files = [path for path in (ROOT / "frontend" / "src").rglob("*.ts*") if path.name != "schema.d.ts"]
    return "\n".join(path.read_text() for path in files if ".test." not in path.name)


@pytest.fixture(scope="module")
def written() -> str:
    """The pages' sources, with each value that is put into an address as `{}`."""
    return VALUE.sub("{}", sources())


def operations() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, kinds in SCHEMA["paths"].items() for method in kinds if method in METHODS]


@pytest.mark.parametrize(("method", "path"), [pytest.param(*one, id=" ".join(one)) for one in operations()])
def test_it_has_a_place(method, path, written):
    name = f"{method} {path}"
    if name in FOR_PROGRAMS or any(path.startswith(start) for start in FOR_PROGRAMS if start.startswith("/")):
        return
    address = VALUE.sub("{}", path)
    # An action whose name is put in, such as `deployments/${id}/${action}/`.
    chosen = re.sub(r"(?<=\{\}/)[a-z-]+/$", "{}/", address)
    assert address in written or chosen in written, "no page asks for it"


@pytest.fixture(scope="module")
def words() -> set[str]:
    return set(re.findall(r"\w+", sources()))


@pytest.mark.parametrize(("method", "path"), [pytest.param(*one, id=" ".join(one)) for one in operations()])
def test_all_that_it_takes_can_be_said(method, path, words):
    """A word in the sources is a weak proof, but a field that nobody can set is missing there."""
    if f"{method} {path}" in FOR_PROGRAMS or path.startswith("/edge/v1/"):
        return
    bodies = SCHEMA["paths"][path][method.lower()].get("requestBody", {}).get("content", {}).values()
    taken = {name for body in bodies for name in fields_of(body["schema"])}
    assert taken - words - set(FIELDS_FOR_PROGRAMS) == set()


def fields_of(schema: dict) -> Iterator[str]:
    """Names of what may be sent."""
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from fields_of(part)
    for name, field in schema.get("properties", {}).items():
        if not field.get("readOnly") and not field.get("deprecated"):
            yield name
