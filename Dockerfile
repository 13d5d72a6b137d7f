# One image for all parts: `serve` (the default), `worker`, `db upgrade` and the other commands of `settlement`.
FROM docker.io/library/debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9
# Both stages have the same Python at the same place, so the environment made here runs there.
ENV UV_PROJECT_ENVIRONMENT=/opt/settlement \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
WORKDIR /source
# The dependencies first, as locked: this layer is made again only when the lock file changes.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-install-project
# Then the service as a wheel, migrations and plans inside it.
COPY README.md LICENSE ./
COPY alembic alembic
COPY plans plans
COPY src src
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-editable

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 settlement \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/settlement --shell /usr/sbin/nologin settlement \
    && install --directory --owner=settlement --group=settlement --mode=0700 /var/lib/settlement
COPY --from=build /opt/settlement /opt/settlement
ENV PATH=/opt/settlement/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SETTLEMENT_DATA_DIR=/var/lib/settlement
USER 10001:10001
WORKDIR /var/lib/settlement
VOLUME /var/lib/settlement
EXPOSE 8000
# Alive, not ready: a service whose database is away must be told so by /readyz, not killed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python3", "-c", \
    "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ.get('SETTLEMENT_PORT', 8000)}/healthz\", timeout=2)"]
ENTRYPOINT ["settlement"]
CMD ["serve", "--host", "0.0.0.0"]
