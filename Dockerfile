FROM python:3.11-slim AS packages
# --build-arg SEMANTIC=yes adds what comparing meaning needs
ARG SEMANTIC=no
COPY requirements.lock requirements-semantic.lock /tmp/
RUN python -m venv /opt/junto \
    && /opt/junto/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && if [ "$SEMANTIC" = yes ]; then \
         /opt/junto/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements-semantic.lock; fi

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/junto --create-home junto
COPY --from=packages /opt/junto /opt/junto
COPY . /srv/junto
WORKDIR /srv/junto
ENV PATH=/opt/junto/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=junto.settings \
    JUNTO_DATA_DIR=/var/lib/junto
USER junto
VOLUME /var/lib/junto
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["uvicorn", "junto.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "on", \
     "--ws-per-message-deflate", "false", "--ws-max-size", "65536", "--timeout-graceful-shutdown", "10", \
     "--no-access-log", "--no-server-header"]
