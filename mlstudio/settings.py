"""Django settings: safe defaults, everything else from the environment. `docs/configuration.md` lists them."""

from __future__ import annotations

import logging
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from mlstudio import api_settings
from mlstudio.environment import BASE_DIR as BASE_DIR  # processes start in it
from mlstudio.environment import (
    OWN_WEIGHTS,
    WEIGHTS_ASKED,
    backup_folder,
    choice,
    cookie_ending,
    cookie_suffix,
    data_dir,
    existing_folders,
    flag,
    machine_memory,
    number,
    secret_key,
    text,
    words,
)
from mlstudio.log_settings import configure_structlog, logging_configuration

VERSION = "0.1.0"

DATA_DIR = data_dir()


def _half_of_the_disk() -> int:
    """Bytes; what one user may fill unless the operator says otherwise."""
    folder = DATA_DIR
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).total // 2


SECRET_KEY = secret_key(DATA_DIR)
WEIGHTS_DIRS = existing_folders("MLSTUDIO_WEIGHTS_DIR", DATA_DIR)  # the engine reads the variable itself
# Downloads of pretrained weights: asked for each time, without asking, or never; from their sources or from a mirror.
WEIGHTS = choice("MLSTUDIO_WEIGHTS", "ask", "auto", "off")
WEIGHTS_URL = text("MLSTUDIO_WEIGHTS_URL")
WEIGHTS_FOLDER = DATA_DIR / OWN_WEIGHTS
WEIGHTS_ASKED_FILE = WEIGHTS_FOLDER / WEIGHTS_ASKED
DEBUG = flag("MLSTUDIO_DEBUG", False)
ALLOWED_HOSTS = words("MLSTUDIO_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "knox",
    "corsheaders",
    "django_structlog",
    "accounts",
    "storage",
    "jobs",
    "projects",
    "webhooks",
    "datasets",
    "inference",
    "training",
    "edge",
    "custom_vision",
    "mlstudio",
]

MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "mlstudio.middleware.RequestIDHeader",
    "mlstudio.middleware.VersionHeader",
    "mlstudio.security_headers.SecurityHeaders",
    "mlstudio.compression.JsonCompression",
    "custom_vision.middleware.ErrorBodies",
    "django.middleware.security.SecurityMiddleware",
    "mlstudio.static_files.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "mlstudio.middleware.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.NotesLogins",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mlstudio.middleware.Refusals",
    "mlstudio.idempotency.IdempotencyMiddleware",
]

ROOT_URLCONF = "mlstudio.urls"
ASGI_APPLICATION = "mlstudio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database: SQLite in WAL mode. synchronous=FULL, because an answered upload must survive a power cut.
try:
    DATABASES: dict[str, Any] = {
        "default": dj_database_url.parse(text("DATABASE_URL") or f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
    }
except ValueError as error:
    raise ImproperlyConfigured(
        f"DATABASE_URL must be like postgres://user:password@host/studio; it cannot be read ({error})."
    ) from error
DATABASES["default"].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
        ),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# How many proxies stand in front: the client's address is then told by them.
PROXIES = number("MLSTUDIO_PROXIES", 0)
REGISTRATION_OPEN = not flag("MLSTUDIO_INVITE_ONLY", False)

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Built files have a hash of their content in their names, so browsers keep them. A pattern, not the name of a function.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/studio/assets/"
# The built pages; built from frontend/ by `make run`.
FRONTEND_DIR = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [("studio", FRONTEND_DIR)] if FRONTEND_DIR.is_dir() else []

# Storage
STORAGE_BACKEND = text("MLSTUDIO_STORAGE", "local")
STORAGE_CACHE_DIR = DATA_DIR / "blobs"
STORAGE_LOCAL_DIR = Path(text("MLSTUDIO_LOCAL_STORE") or STORAGE_CACHE_DIR)
# What the local cache may hold; 0: no limit. Only what the store has, and nobody used for a while, is dropped.
STORAGE_CACHE_BYTES = number("MLSTUDIO_CACHE_BYTES", 0)
STORAGE_CACHE_REST_SECONDS = number("MLSTUDIO_CACHE_REST_SECONDS", 60)
FASTDFS_TRACKERS = text("FASTDFS_TRACKERS", "")
# As devices reach the trackers; "" keeps FastDFS out of what they are told.
FASTDFS_PUBLIC_TRACKERS = text("FASTDFS_PUBLIC_TRACKERS", FASTDFS_TRACKERS)
FASTDFS_GROUP = text("FASTDFS_GROUP", "")
FASTDFS_ADDRESS_MAP = text("FASTDFS_ADDRESS_MAP", "")
FASTDFS_HTTP_URL = text("FASTDFS_HTTP_URL", "")
FASTDFS_HTTP_SECRET = text("FASTDFS_HTTP_SECRET", "")
FASTDFS_CONNECT_SECONDS = number("FASTDFS_CONNECT_SECONDS", 3)
FASTDFS_TIMEOUT_SECONDS = number("FASTDFS_TIMEOUT_SECONDS", 30)
# Where `imports/` may take a `source` from: buckets (or bucket/prefix) and groups, with commas.
IMPORT_BUCKETS = text("MLSTUDIO_IMPORT_BUCKETS", "")
IMPORT_GROUPS = text("MLSTUDIO_IMPORT_GROUPS", "")
S3_BUCKET = text("S3_BUCKET", "")
S3_PREFIX = text("S3_PREFIX", "")
S3_ENDPOINT = text("S3_ENDPOINT", "")
S3_REGION = text("S3_REGION", "")
S3_ADDRESSING_STYLE = text("S3_ADDRESSING_STYLE", "auto")
STORAGE_ORPHAN_HOURS = number("MLSTUDIO_ORPHAN_HOURS", 24)
THUMBNAIL_DIR = DATA_DIR / "thumbnails"
# Images as browsers show them are kept so long after they were last looked at.
RENDITION_DAYS = number("MLSTUDIO_RENDITION_DAYS", 7)
# How long changes can be taken back.
TRASH_DAYS = number("MLSTUDIO_TRASH_DAYS", 30)
WORK_DIR = DATA_DIR / "work"
# Features of images, and what live models make of them; all of it can be computed again.
FEATURES_DIR = DATA_DIR / "features"
# How fast networks train on this machine, as trainings and estimates have measured it.
SPEEDS_FILE = DATA_DIR / "speeds.json"
LIVE_MODEL = flag("MLSTUDIO_LIVE_MODEL", True)
# So often it is fitted again while images are still being compared; after a label it is at once.
LIVE_MODEL_SECONDS = 5
TEMPORARY_DIR = DATA_DIR / "tmp"
SIGNED_URL_SECONDS = number("MLSTUDIO_SIGNED_URL_SECONDS", 3600)
# Of links to exports and models, which are bound to a member.
BULK_URL_SECONDS = number("MLSTUDIO_BULK_URL_SECONDS", 600)

# Backups of the studio by itself: the folder ("": none), hours between two (0: only when the staff asks), and how many
# of them stay.
BACKUP_DIR = backup_folder("MLSTUDIO_BACKUP_DIR", DATA_DIR)
BACKUP_HOURS = number("MLSTUDIO_BACKUP_HOURS", 24)
BACKUPS_KEPT = number("MLSTUDIO_BACKUPS_KEPT", 7, least=1)

# Uploads: streamed straight into the blob cache, hashed on the way.
FILE_UPLOAD_HANDLERS = ["storage.uploads.BlobUploadHandler"]
MAX_UPLOAD_BYTES = number("MLSTUDIO_MAX_UPLOAD_BYTES", 20 << 30)
# Files in parts: where they wait, and how long after the last part.
UPLOADS_DIR = STORAGE_CACHE_DIR / "uploads"
UPLOAD_DAYS = number("MLSTUDIO_UPLOAD_DAYS", 7)
MAX_OPEN_UPLOADS = number("MLSTUDIO_MAX_OPEN_UPLOADS", 100)
MAX_MODEL_BYTES = number("MLSTUDIO_MAX_MODEL_BYTES", 2 << 30)
MAX_MODEL_PARAMETERS = number("MLSTUDIO_MAX_MODEL_PARAMETERS", 200_000_000)
MODEL_IMPORT_MEMORY_BYTES = number("MLSTUDIO_MODEL_IMPORT_MEMORY_BYTES", 8 << 30)
# Read by `vision/imaging` itself, which knows no Django; a wrong value is told here.
MAX_IMAGE_PIXELS = number("MLSTUDIO_MAX_IMAGE_PIXELS", 40_000_000, least=1)
DECODE_BYTES = number("MLSTUDIO_DECODE_BYTES", 512 << 20, least=1 << 20)
MAX_IMAGE_BYTES = number("MLSTUDIO_MAX_IMAGE_BYTES", 100 << 20)
MIN_FREE_BYTES = number("MLSTUDIO_MIN_FREE_BYTES", 512 << 20)
MAX_FILES_PER_UPLOAD = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_FILES_PER_UPLOAD
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 << 20
MAX_ARCHIVE_ENTRIES = number("MLSTUDIO_MAX_ARCHIVE_ENTRIES", 300_000)
MAX_ARCHIVE_BYTES = number("MLSTUDIO_MAX_ARCHIVE_BYTES", 200 << 30)
MAX_ANNOTATION_BYTES = number("MLSTUDIO_MAX_ANNOTATION_BYTES", 256 << 20)
ANNOTATION_MEMORY_BYTES = number("MLSTUDIO_ANNOTATION_MEMORY_BYTES", min(2 << 30, machine_memory() // 8))
ANNOTATION_SECONDS = number("MLSTUDIO_ANNOTATION_SECONDS", 900)
MAX_ARCHIVE_RATIO = number("MLSTUDIO_MAX_ARCHIVE_RATIO", 100)

# Work on strangers' files: "require" does none of it where the system lacks a protection; `manage.py doctor` names
# what is missing. "files" leaves trainings open, for drivers of graphics cards that need what is closed.
SANDBOX = choice("MLSTUDIO_SANDBOX", "auto", "require", "files")
MODEL_UPLOADS = flag("MLSTUDIO_MODEL_UPLOADS", True)
# Of one training; 0: nine tenths of the machine's.
ENGINE_MEMORY_BYTES = number("MLSTUDIO_TRAINING_MEMORY_BYTES", 0)
# How long a worker keeps a process with Keras imported for the next work that needs one; 0: it keeps none.
WARM_ENGINE_MINUTES = number("MLSTUDIO_WARM_ENGINE_MINUTES", 10)

# Requests that a web process works on at once; event streams and downloads need none of these threads.
WEB_THREADS = number("MLSTUDIO_WEB_THREADS", 8, least=1)

# Bodies: a pause longer than this, or a pace below this, ends the request with 408.
BODY_IDLE_SECONDS = number("MLSTUDIO_BODY_IDLE_SECONDS", 30)
BODY_MIN_BYTES_PER_SECOND = number("MLSTUDIO_BODY_MIN_BYTES_PER_SECOND", 1000)
# What all bodies without files may take together in a web process, and how many bodies with files a user sends at once.
BODY_MEMORY_BYTES = number("MLSTUDIO_BODY_MEMORY_BYTES", 256 << 20)
UPLOADS_AT_ONCE = number("MLSTUDIO_UPLOADS_AT_ONCE", 20)
# Connections of a web process: how long one may take to send its headers, how long it may stay open between two
# requests, how many there may be, and how many of one address (0: no limit of its own).
HEADER_SECONDS = number("MLSTUDIO_HEADER_SECONDS", 20)
KEEP_ALIVE_SECONDS = number("MLSTUDIO_KEEP_ALIVE_SECONDS", 65)
MAX_CONNECTIONS = number("MLSTUDIO_MAX_CONNECTIONS", 2000)
CONNECTIONS_PER_ADDRESS = number("MLSTUDIO_CONNECTIONS_PER_ADDRESS", 0 if PROXIES else 1000)

# Prediction
MAX_LOADED_MODELS = number("MLSTUDIO_MAX_LOADED_MODELS", 4, least=1)
PREDICTION_THREADS = number("MLSTUDIO_PREDICTION_THREADS", os.cpu_count() or 1, least=1)
MAX_PREDICTION_IMAGES = 100

# Devices. A manifest holds so long; they go on with what they have when it is over and the studio is away.
EDGE_MANIFEST_SECONDS = number("MLSTUDIO_MANIFEST_SECONDS", 2 * 86_400)
EDGE_IMAGES_PER_DAY = number("MLSTUDIO_DEVICE_IMAGES_PER_DAY", 1000)
EDGE_URL = text("MLSTUDIO_EDGE_URL", "").rstrip("/")

# Background work
REDIS_URL = text("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 3}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "periodic"
# Receivers are as slow as they like: they hold up nobody but each other.
CELERY_TASK_ROUTES = {"projects.tasks.deliver_webhooks": {"queue": "webhooks"}}
CELERY_TASK_PUBLISH_RETRY = False  # the row is the truth; the reaper sends again what the broker did not take
# How many pieces of work of each queue a worker process (of trainings: a trainer) does at once.
_CORES = os.cpu_count() or 1
QUEUE_SLOTS = {
    "quick": number("MLSTUDIO_QUICK_WORKERS", max(3, _CORES + 1), least=1),
    "heavy": number("MLSTUDIO_HEAVY_WORKERS", max(1, _CORES // 2), least=1),
    "preflight": number("MLSTUDIO_PREFLIGHT_WORKERS", 1, least=1),
    "training": number("MLSTUDIO_TRAINERS", 1, least=1),
    "webhooks": number("MLSTUDIO_WEBHOOK_WORKERS", 2, least=1),
    "live": 1,  # one core at most
}
# After so long a training pauses at its checkpoint when another user's waits; 0: never.
TRAINING_TURN_MINUTES = number("MLSTUDIO_TRAINING_TURN_MINUTES", 20)
# A quick job that takes longer goes on among the long jobs when others wait; 0: never.
QUICK_JOB_SECONDS = number("MLSTUDIO_QUICK_JOB_SECONDS", 120)
# What one user, or one project, may have; 0: no limit.
# Larger datasets are frozen by a job: their images are read and grouped outside of the request.
SNAPSHOT_REQUEST_IMAGES = number("MLSTUDIO_SNAPSHOT_REQUEST_IMAGES", 5000)
MAX_QUEUED_JOBS = number("MLSTUDIO_MAX_QUEUED_JOBS", 50)
MAX_QUEUED_JOBS_PER_PROJECT = number("MLSTUDIO_MAX_QUEUED_JOBS_PER_PROJECT", 100)
MAX_QUEUED_TRAININGS = number("MLSTUDIO_MAX_QUEUED_TRAININGS", 60)
MAX_QUEUED_TRAININGS_PER_PROJECT = number("MLSTUDIO_MAX_QUEUED_TRAININGS_PER_PROJECT", 120)
MAX_PROJECTS = number("MLSTUDIO_MAX_PROJECTS", 200)
MAX_PROJECT_IMAGES = number("MLSTUDIO_MAX_PROJECT_IMAGES", 2_000_000)
MAX_PROJECT_BYTES = number("MLSTUDIO_MAX_PROJECT_BYTES", 0)
MAX_USER_IMAGES = number("MLSTUDIO_MAX_USER_IMAGES", 5_000_000)
MAX_USER_BYTES = number("MLSTUDIO_MAX_USER_BYTES", _half_of_the_disk())
MAX_EVENT_STREAMS = number("MLSTUDIO_MAX_EVENT_STREAMS", 100)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "reap-jobs": {"task": "projects.tasks.reap_jobs", "schedule": 5.0, "options": {"expires": 30}},
    "reap-trainings": {"task": "training.tasks.reap_trainings", "schedule": 5.0, "options": {"expires": 30}},
    "replicate": {"task": "storage.tasks.replicate_pending", "schedule": 10.0, "options": {"expires": 10}},
    "sweep": {"task": "storage.tasks.sweep_orphans", "schedule": 3600.0, "options": {"expires": 3600}},
    "remove-projects": {"task": "projects.tasks.remove_projects", "schedule": 60.0, "options": {"expires": 60}},
    "thumbnails": {"task": "datasets.tasks.make_missing_thumbnails", "schedule": 60.0, "options": {"expires": 60}},
    "roll-outs": {"task": "edge.tasks.look_after_rollouts", "schedule": 10.0, "options": {"expires": 10}},
    "alarms": {"task": "edge.tasks.look_after_alarms", "schedule": 30.0, "options": {"expires": 30}},
    "webhooks": {"task": "projects.tasks.deliver_webhooks", "schedule": 10.0, "options": {"expires": 10}},
    "backups": {"task": "mlstudio.tasks.look_after_backups", "schedule": 60.0, "options": {"expires": 60}},
    "live-models": {"task": "inference.tasks.look_after_live_models", "schedule": 10.0, "options": {"expires": 10}},
    "searches": {"task": "training.tasks.look_after_searches", "schedule": 5.0, "options": {"expires": 10}},
    "predictions": {
        "task": "custom_vision.tasks.forget_predictions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "housekeeping": {"task": "mlstudio.tasks.housekeeping", "schedule": 3600.0, "options": {"expires": 3600}},
}
LEASE_SECONDS = number("MLSTUDIO_LEASE_SECONDS", 30, least=1)
MAX_ATTEMPTS = 10
JOB_DAYS = number("MLSTUDIO_JOB_DAYS", 30)
# Receivers of webhooks on the own network, by name or address (with the port when it is no usual one); every other
# address must be a public one, by https.
WEBHOOK_HOSTS = words("MLSTUDIO_WEBHOOK_HOSTS")
WEBHOOK_SECONDS = number("MLSTUDIO_WEBHOOK_SECONDS", 10, least=1)

# Programs written for Azure Custom Vision name images by addresses, which the studio then fetches: public ones, and
# those of these hosts on the own network, by name or address (with the port when it is no usual one).
FETCH_IMAGES = flag("MLSTUDIO_FETCH_IMAGES", True)
FETCH_HOSTS = words("MLSTUDIO_FETCH_HOSTS")
# Days that images are kept which such programs send for predictions, with the answers; 0: none is kept.
KEEP_PREDICTIONS_DAYS = number("MLSTUDIO_KEEP_PREDICTIONS_DAYS", 30)

# Who may read /metrics and the details of /readyz/ beside the staff: `Authorization: Bearer …`.
METRICS_TOKEN = text("MLSTUDIO_METRICS_TOKEN")

# API, see `api_settings`
REST_FRAMEWORK = {**api_settings.REST_FRAMEWORK, "NUM_PROXIES": PROXIES}
SPECTACULAR_SETTINGS = {**api_settings.SPECTACULAR_SETTINGS, "VERSION": VERSION}
DRF_STANDARDIZED_ERRORS = api_settings.DRF_STANDARDIZED_ERRORS
KNOX_TOKEN_MODEL = "accounts.Token"
REST_KNOX = {"TOKEN_TTL": timedelta(days=number("MLSTUDIO_LOGIN_DAYS", 30)), "TOKEN_MODEL": "accounts.Token"}

# Throttles count in the database: they need no broker and hold for every web process.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "throttle": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "throttle_cache",
        # With the usual 300, names made up at random would drive the counts of real ones out.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

CORS_ALLOWED_ORIGINS = words("MLSTUDIO_CORS_ORIGINS")
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = api_settings.CORS_EXPOSE_HEADERS
CORS_ALLOW_HEADERS = api_settings.CORS_ALLOW_HEADERS
CSRF_TRUSTED_ORIGINS = words("MLSTUDIO_CSRF_ORIGINS", tuple(CORS_ALLOWED_ORIGINS))
HTTPS = flag("MLSTUDIO_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Browsers send the cookies of a host to all its ports: studios beside each other would end each other's sessions.
_COOKIE_SUFFIX = cookie_ending("MLSTUDIO_COOKIE_SUFFIX", cookie_suffix(text("MLSTUDIO_STARTED_AT")))
SESSION_COOKIE_NAME = f"sessionid{_COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"csrftoken{_COOKIE_SUFFIX}"
SESSION_COOKIE_AGE = number("MLSTUDIO_SESSION_DAYS", 14, least=1) * 86_400  # since it was used last
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# Browsers then come by HTTPS only, for as long; a first time with less lets mistakes be undone.
_HSTS_SECONDS = number("MLSTUDIO_HSTS_SECONDS", 365 * 86_400)
SECURE_HSTS_SECONDS = _HSTS_SECONDS if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# Mail: printed to the console unless an SMTP server is named
EMAIL_HOST = text("MLSTUDIO_SMTP_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = number("MLSTUDIO_SMTP_PORT", 587)
EMAIL_HOST_USER = text("MLSTUDIO_SMTP_USER")
EMAIL_HOST_PASSWORD = text("MLSTUDIO_SMTP_PASSWORD")
EMAIL_USE_TLS = flag("MLSTUDIO_SMTP_TLS", True)
DEFAULT_FROM_EMAIL = text("MLSTUDIO_MAIL_FROM", "ML Studio <studio@localhost>")
CONFIGURED_PUBLIC_URL = text("MLSTUDIO_PUBLIC_URL").rstrip("/")
PUBLIC_URL = CONFIGURED_PUBLIC_URL or text("MLSTUDIO_STARTED_AT", "http://localhost:8000")

# Logs
LOG_FORMAT = choice("MLSTUDIO_LOG_FORMAT", "text", "json")
LOG_LEVEL = choice("MLSTUDIO_LOG_LEVEL", "info", "debug", "warning", "error", "critical").upper()
configure_structlog()
LOGGING = logging_configuration(LOG_FORMAT, LOG_LEVEL)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_REQUEST_CANCELLED_LOG_LEVEL = logging.INFO  # a tab was closed
CSRF_FAILURE_VIEW = "mlstudio.errors.csrf_failure"
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
