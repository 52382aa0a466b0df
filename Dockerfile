# clipform in an image: docker build -t clipform .
#
#   docker run --rm -v "$PWD:/work" clipform plan
#   docker run --rm -v "$PWD:/work" -e ARK_API_KEY --user "$(id -u):$(id -g)" clipform apply --yes
#
# A worker of a team: the extras below, and clipform worker as the command (examples/kubernetes).
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir "uv>=0.9,<1"
WORKDIR /source
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY reconciler ./reconciler
COPY docs/man ./docs/man
RUN uv build --wheel --out-dir /dist
# The versions of the lock file, then the wheel itself.
RUN uv export --frozen --no-dev --no-emit-project --extra team --extra cluster --extra s3 -o /requirements.txt \
 && uv venv /opt/clipform \
 && uv pip install --python /opt/clipform/bin/python --require-hashes -r /requirements.txt \
 && uv pip install --python /opt/clipform/bin/python --no-deps /dist/*.whl

FROM python:3.12-slim
COPY --from=build /opt/clipform /opt/clipform
RUN useradd --create-home --uid 10001 clipform && mkdir /work && chown clipform /work
USER clipform
WORKDIR /work
ENV PATH=/opt/clipform/bin:$PATH PYTHONUNBUFFERED=1
ENTRYPOINT ["clipform"]
CMD ["--help"]
