"""Liveness, readiness by dependency, figures for Prometheus."""

from __future__ import annotations

import shutil

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from rest_framework.views import APIView

from common.words import format_bytes
from jobs.models import Job, WorkState
from mlstudio.doors import identify
from mlstudio.errors import error_response
from storage.backends import BackendError, get_backend
from storage.models import Blob, BlobState
from storage.replication import sampled_cached_bytes
from training.models import TrainingRun


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """503 when something that requests need is away. The broker is named but not needed: work waits for it.

    What exactly is away, and how full the disk is, is told only to those who may read the metrics.
    """
    checks = {"database": _database(), "disk": _disk()}
    ready = checks["database"] == "ok" and checks["disk"] == "ok"
    if checks["database"] != "ok" or not _may_look(request):
        return JsonResponse({"status": "ready" if ready else "not ready"}, status=200 if ready else 503)
    checks["broker"] = broker_state()
    pending = Blob.objects.filter(state=BlobState.CACHED).count()
    checks["store"] = store_state()
    body = {"status": "ready" if ready else "not ready", "checks": checks, "blobs_to_replicate": pending}
    return JsonResponse(body, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_look(request):
        response = error_response(
            401, "not_authenticated", "The metrics are for the staff, and for MLSTUDIO_METRICS_TOKEN."
        )
        response["WWW-Authenticate"] = "Bearer"
        return response
    registry = CollectorRegistry()
    for model, name in ((Job, "jobs"), (TrainingRun, "trainings")):
        gauge = Gauge(f"mlstudio_{name}", f"{name.capitalize()} by state", ["state"], registry=registry)
        for state in (WorkState.QUEUED, WorkState.RUNNING):
            gauge.labels(state).set(model.objects.filter(state=state).count())
    pending = Gauge("mlstudio_blobs_to_replicate", "Blobs that are not in the store yet", registry=registry)
    pending.set(Blob.objects.filter(state=BlobState.CACHED).count())
    failing = Gauge("mlstudio_blobs_failing", "Of these, such that the store refused at least once", registry=registry)
    failing.set(Blob.objects.filter(state=BlobState.CACHED, attempts__gt=0).count())
    cached = Gauge("mlstudio_cache_bytes", "What the local cache holds", registry=registry)
    cached.set(sampled_cached_bytes())
    free = Gauge("mlstudio_disk_free_bytes", "Free space under the data directory", registry=registry)
    free.set(shutil.disk_usage(settings.DATA_DIR).free)
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_look(request: HttpRequest) -> bool:
    """The staff, or a caller with the token. An address proves nothing: behind a proxy all have the same one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    is_bearer = bool(settings.METRICS_TOKEN) and kind.lower() == "bearer"
    if is_bearer and constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        return True
    caller = identify(request, APIView)
    return caller is not None and bool(getattr(caller.user, "is_staff", False))


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return "ok"
    except Exception as error:  # any driver's error means the same here
        return f"unreachable ({type(error).__name__})"


def _disk() -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free
    return "ok" if free >= settings.MIN_FREE_BYTES else f"full ({format_bytes(free)} free)"


def store_state() -> str:
    """Not needed to be ready: uploads wait in the cache until it answers."""
    try:
        get_backend().check()
        return "ok"
    except BackendError as error:
        return f"unreachable ({error})"


def broker_state() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as broker:
            broker.ping()
        return "ok"
    except redis.RedisError as error:
        return f"unreachable ({type(error).__name__})"
