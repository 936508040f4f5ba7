# One image for web, worker, beat and the commands: built from the lock file, run by a user who owns nothing of it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/ecare
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN PYTHON=/opt/venv/bin/python bin/static && /opt/venv/bin/python -m compileall -q .

FROM python:3.11-slim-bookworm
# pg_dump and pg_restore, for backups.
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --no-create-home ecare && mkdir /var/lib/ecare && chown ecare /var/lib/ecare
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ECARE_DATA=/var/lib/ecare
WORKDIR /srv/ecare
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/ecare /srv/ecare
USER ecare
EXPOSE 8000
CMD ["gunicorn"]
