# `aisle serve` in a container; docs/docker.md tells how to build and run it.
FROM python:3.11-slim AS build
# PyTorch's CPU wheels: the default ones bring gigabytes of CUDA.
ARG PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/aisle \
    && /opt/aisle/bin/pip install --no-cache-dir --disable-pip-version-check $PIP_ARGS -c constraints.txt '.[serve]'

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home aisle \
    && mkdir /workspace \
    && chown aisle /workspace
COPY --from=build /opt/aisle /opt/aisle
ENV PATH=/opt/aisle/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    OMP_WAIT_POLICY=passive \
    AISLE_WORKSPACE=/workspace
USER aisle
WORKDIR /home/aisle
VOLUME /workspace
EXPOSE 8000
STOPSIGNAL SIGINT
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["aisle"]
# Reached from outside the container, so it starts only with an API key: AISLE_API_KEY, or --api-key-file.
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
