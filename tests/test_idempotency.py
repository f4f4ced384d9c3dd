"""A request that is sent twice with the same key is answered, not done, twice."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


class TestIdempotency:
    def post(self, api, key, body=None, path="/api/v1/projects/"):
        return api.post(path, body or {"name": "once", "task": "classification"}, HTTP_IDEMPOTENCY_KEY=key)

    def test_a_repeated_request_creates_once_and_answers_the_same(self, api):
        first, second = self.post(api, "k1"), self.post(api, "k1")
        assert first.status_code == second.status_code == 201
        assert first.json() == second.json() and second["Idempotency-Replayed"] == "true"
        assert len(api.get("/api/v1/projects/").json()["results"]) == 1
        assert self.post(api, "k2").json()["id"] != first.json()["id"]

    def test_another_body_under_the_same_key_is_refused(self, api):
        self.post(api, "k1")
        other = self.post(api, "k1", {"name": "other", "task": "classification"})
        assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "idempotency_key_reused")

    def test_a_failed_request_may_be_repeated(self, api):
        assert self.post(api, "k1", {"name": ""}).status_code == 400
        assert self.post(api, "k1").status_code == 201

    def test_secrets_are_not_kept(self, api):
        body = {"name": "script"}
        assert self.post(api, "k1", body, "/api/v1/tokens/").status_code == 201
        again = self.post(api, "k1", body, "/api/v1/tokens/")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_already_done")

    def test_a_request_still_at_work_is_not_done_twice(self, api):
        from mlstudio.models import IdempotencyRecord

        self.post(api, "k1")
        IdempotencyRecord.objects.update(status=None, body=None)
        again = self.post(api, "k1")
        assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "idempotency_in_progress")
