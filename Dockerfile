# Two images, of one lock file (`make images` builds both):
#
#   docker build --target operator -t chatbot-operator:0.1.0 .
#   docker build --target chatbot  -t chatbot:0.1.0 .
#
# BASE is any image with Python 3.11 or newer as `python`, its venv module, and the system's authorities in
# /etc/ssl/certs. A release names it with its digest.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS python
RUN ["python", "-c", "import ssl; ssl.create_default_context(cafile='/etc/ssl/certs/ca-certificates.crt')"]
# Python's own images come without bytecode of the standard library, and nothing can be written where these
# run: every process would compile what it imports (operator/decisions/0134).
RUN ["python", "-c", "import compileall, re, sys, sysconfig; \
    others = re.compile('/(test|tests|idlelib|lib2to3|ensurepip|site-packages|dist-packages)/'); \
    sys.exit(not compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=1, rx=others))"]

FROM python AS locked
# uv installs what uv.lock says and compares every hash; files are compiled once, here.
RUN python -m venv /uv && /uv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/app UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=1
WORKDIR /source
COPY pyproject.toml uv.lock ./

# What others made comes first: it changes less often than what is here. Of the programs that packages bring
# only Python stays: the rest belong to parts that are not there, or to nobody in a pod.
FROM locked AS operator-installed
RUN /uv/bin/uv sync --frozen --quiet --no-dev --no-install-project --extra operator --extra telemetry
COPY README.md LICENSE ./
COPY operator/chatbot_operator operator/chatbot_operator
COPY crds crds
COPY deploy/azure deploy/azure
COPY deploy/kustomize deploy/kustomize
RUN mkdir -p chatbot/chatbot_app deploy/sandbox/sandbox && \
    /uv/bin/uv sync --frozen --quiet --no-dev --no-editable --extra operator --extra telemetry && \
    find /app/bin /app/.lock -not -name 'python*' -not -type d -delete

FROM locked AS chatbot-installed
RUN /uv/bin/uv sync --frozen --quiet --no-dev --no-install-project --extra chatbot --extra telemetry
COPY README.md LICENSE ./
COPY chatbot/chatbot_app chatbot/chatbot_app
RUN mkdir -p operator/chatbot_operator deploy/sandbox/sandbox && \
    /uv/bin/uv sync --frozen --quiet --no-dev --no-editable --extra chatbot --extra telemetry && \
    find /app/bin /app/.lock -not -name 'python*' -not -type d -delete

FROM python AS operator
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chatbot-operator" \
      org.opencontainers.image.description="Keeps AzureOpenAIChatbots as their resources say" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=operator-installed /app /app
ENV HOME=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /app
HEALTHCHECK NONE
ENTRYPOINT ["/app/bin/python", "-m", "chatbot_operator"]

FROM python AS chatbot
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="chatbot" \
      org.opencontainers.image.description="A chatbot on Azure OpenAI without a key" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=chatbot-installed /app /app
ENV HOME=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /app
HEALTHCHECK NONE
ENTRYPOINT ["/app/bin/python", "-m", "chatbot_app"]
