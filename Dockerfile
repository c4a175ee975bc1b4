# Two targets: `cpu` (everything in one container) and `gpu` (vLLM beside it, see compose.yaml).
#   docker build --target cpu -t saem:cpu .
#   docker build --target gpu -t saem:gpu .
# The build needs a package index. To use one of your own, give --build-arg PIP_INDEX_URL=... or
# PIP_EXTRA_INDEX_URL=...; pip reads both.

FROM python:3.11.16-slim-trixie AS cpu-base
# libgomp1: llama.cpp loads it; git: repositories as sources; tesseract: scanned pages. The versions
# follow the pinned base image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git libgomp1 tesseract-ocr tesseract-ocr-kor \
    && rm -rf /var/lib/apt/lists/*

FROM nvidia/cuda:13.0.1-runtime-ubuntu24.04 AS gpu-base
# Ubuntu 24.04 has Python 3.12. The versions follow the pinned base image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git libgomp1 python3 python3-venv tesseract-ocr tesseract-ocr-kor \
    && rm -rf /var/lib/apt/lists/*

FROM cpu-base AS cpu-build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PATH=/opt/saem/bin:$PATH RAG_CACHE=/opt/saem-models
RUN python3 -m venv /opt/saem
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY rag ./rag
COPY indexer ./indexer
COPY api ./api
COPY eval ./eval
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check -c requirements.lock '.[local]'
# The encoder's first use makes its 8-bit weights; done here, the cache of models may be read-only.
RUN rag models pull multilingual-e5-small \
    && python3 -c "import rag; rag.Workspace().encoder().query('ready')"

FROM gpu-base AS gpu-build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PATH=/opt/saem/bin:$PATH RAG_CACHE=/opt/saem-models
RUN python3 -m venv /opt/saem
WORKDIR /src
COPY pyproject.toml requirements-gpu.lock README.md LICENSE ./
COPY rag ./rag
COPY indexer ./indexer
COPY api ./api
COPY eval ./eval
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check -c requirements-gpu.lock '.[gpu]'
# Without a GPU, as during a build, the first use makes the 8-bit weights, for collections that were
# made on a CPU; those that a GPU works with are made beside them.
RUN rag models pull multilingual-e5-small \
    && python3 -c "import rag; rag.Workspace().encoder().query('ready')" \
    && python3 -c "from pathlib import Path; from rag import models; from rag.encode import e5; \
       m = models.MODELS['multilingual-e5-small']; \
       e5.folder(models.path(m.name, Path('$RAG_CACHE')), m.member_sha256[:16])"

FROM cpu-base AS cpu
COPY --from=cpu-build /opt/saem /opt/saem
COPY --from=cpu-build /opt/saem-models /opt/saem-models
RUN useradd --uid 10001 --create-home saem \
    && install -d -o saem -g saem /data
ENV PATH=/opt/saem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RAG_CACHE=/opt/saem-models \
    RAG_HOME=/data \
    RAG_HOST=0.0.0.0
USER 10001
WORKDIR /home/saem
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["rag", "serve"]

FROM gpu-base AS gpu
COPY --from=gpu-build /opt/saem /opt/saem
COPY --from=gpu-build /opt/saem-models /opt/saem-models
RUN useradd --uid 10001 --create-home saem \
    && install -d -o saem -g saem /data
# Without RAG_LLM_URL the service quotes: the language model of this target is an endpoint.
ENV PATH=/opt/saem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RAG_CACHE=/opt/saem-models \
    RAG_HOME=/data \
    RAG_HOST=0.0.0.0 \
    RAG_LLM=none
USER 10001
WORKDIR /home/saem
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["rag", "serve"]
