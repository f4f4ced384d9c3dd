# syntax=docker/dockerfile:1
# docker build --target cpu -t mlstudio .        docker build --target gpu -t mlstudio:gpu .
ARG PYTHON=3.11-slim-bookworm

# What needs a compiler is built here and stays here.
FROM python:${PYTHON} AS base-builder
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends -y gcc g++ \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/studio
COPY requirements*.txt /build/

# The pages.
FROM node:24-bookworm-slim AS pages-builder
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY frontend/ ./
RUN node node_modules/vite/bin/vite.js build

FROM base-builder AS cpu-builder
RUN /opt/studio/bin/pip install -r /build/requirements.txt psycopg[binary]==3.3.9 \
    && /opt/studio/bin/pip install --no-deps -r /build/requirements-keras-retinanet.txt

FROM base-builder AS gpu-builder
RUN /opt/studio/bin/pip install -r /build/requirements-gpu.txt psycopg[binary]==3.3.9 \
    && /opt/studio/bin/pip install --no-deps -r /build/requirements-keras-retinanet.txt

FROM python:${PYTHON} AS runtime
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin studio \
    && mkdir /data && chown studio:studio /data
WORKDIR /srv/mlstudio
COPY . .
COPY --from=pages-builder /build/dist frontend/dist
ENV PATH=/opt/studio/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MLSTUDIO_DATA_DIR=/data \
    MLSTUDIO_HOST=0.0.0.0 \
    MLSTUDIO_PORT=8000 \
    MLSTUDIO_WEIGHTS_DIR=/data/weights
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s --retries=3 \
    CMD ["python", "docker/healthcheck.py"]
ENTRYPOINT ["python", "manage.py"]
CMD ["studio"]

FROM runtime AS cpu
COPY --from=cpu-builder /opt/studio /opt/studio

FROM runtime AS gpu
COPY --from=gpu-builder /opt/studio /opt/studio
