# One image for every Python process of the kit; docker-compose.yml says which process each container runs.
FROM python:3.12-slim

# Logs must reach `docker compose logs` at once; byte code is made below, because the running container may not write any.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_INPUT=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    KIT_RUN_DIR=/var/lib/carsbot

# A worker executes what arrives in a message: it does so as a user who owns nothing but the run directory.
RUN groupadd --gid 1000 carsbot \
 && useradd --uid 1000 --gid carsbot --no-create-home --home-dir "$KIT_RUN_DIR" --shell /usr/sbin/nologin carsbot \
 && install -d -o carsbot -g carsbot "$KIT_RUN_DIR" "$KIT_RUN_DIR/reports"

WORKDIR /app

# The base image leaves Python's own library uncompiled to be small. A health check starts a Python every few seconds and
# would compile what it imports each time.
RUN python -m compileall -q -x '/(site-packages|lib2to3)/' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

# Requirements first: this layer is rebuilt only when they change, not with every edit of the code.
# --require-hashes refuses a tampered package, --only-binary a package that would need a compiler (there is none here).
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --require-hashes --only-binary=:all: -r requirements.txt

# Owned by root, readable by all: the processes cannot change their own code.
COPY . .
RUN python -m compileall -q .

USER carsbot
CMD ["python", "-m", "commands", "--help"]
