# make run, make test: the two commands; make prod-local: production without Docker; make backup, make restore: docs/storage.md;
# make guides: the pictures of the guides. Nothing is needed but Python 3.11 or later, git and make.
.SILENT:
.PHONY: run prod-local chaos load test guides backup restore check format lock

# One process runs the tests of a group: those of production share its servers.
PYTEST = .venv/bin/python -m pytest -n $(or $(PYTEST_WORKERS),2) --dist loadgroup
SAME_ON_BOTH = look test_house.py ecare/test_embedded.py evidence/test_refused_files.py evidence/test_accepted_files.py \
	production test_access_matrix.py test_headers.py test_typed.py ecare/test_saved_as_shown.py letters/test_texts.py \
	test_letters_shown.py reviews/test_letters_shown.py attacks/test_canaries.py
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links --no-header pyproject.toml

# PORT (8000) and ECARE_DATA (var/) are honoured.
run:
	bin/install requirements.lock
	exec .venv/bin/python -m ecare.embedded

# Production on this machine, without Docker: https://localhost:8443/; what it writes is in var/production.
prod-local:
	bin/install requirements-dev.lock
	bin/nginx >/dev/null
	bin/clamav >/dev/null
	bin/static
	exec .venv/bin/python -m deploy.local

# People transmit while servers are killed at random; then all that was acknowledged is looked for (docs/chaos.md). For
# less: CHAOS='--people 20 --faults 30'.
chaos:
	bin/install requirements-dev.lock
	bin/nginx >/dev/null
	bin/clamav >/dev/null
	bin/static
	.venv/bin/python -m deploy.chaos $(CHAOS)

# The last day of a domain, sent by locust to a running `make prod-local` (docs/load.md).
# For less: LOAD='--users 20 --run-time 2m', and PEOPLE=50 accounts.
load:
	.venv/bin/python -m deploy.load $(or $(PEOPLE),1500) $(LOAD)

# All on SQLite, then on PostgreSQL (DATABASE_URL's server, or one that lives as long as the tests) all but the browser and
# what no engine decides: words, files, the house, the embedded start.
test:
	bin/install requirements-dev.lock
	bin/nginx >/dev/null
	bin/clamav >/dev/null || true
	CHROMIUM=$$(bin/chromium) && export CHROMIUM && env -u DATABASE_URL $(PYTEST)
	.venv/bin/python -m tests.postgres $(PYTEST) -m "not browser" $(addprefix --ignore=tests/,$(SAME_ON_BOTH))

# The pictures of docs/guides/, taken anew in a real browser, and the words that their pages say.
guides:
	bin/install requirements-dev.lock
	CHROMIUM=$$(bin/chromium) && export CHROMIUM && \
		env -u DATABASE_URL $(PYTEST) --take-pictures tests/guides/test_guide_of_*.py

# TO, FROM: the folder of the backup. Without DATABASE_URL it is the demo of `make run`; OPTIONS: of manage.py restore.
DEMO = export ECARE_EMBEDDED=$${ECARE_EMBEDDED:-$$(test -n "$$DATABASE_URL" || echo true)}; test -n "$$ECARE_EMBEDDED" || unset ECARE_EMBEDDED;
backup:
	$(if $(TO),,$(error Name the folder: make backup TO=/srv/backups/$(shell date +%F)))
	bin/install requirements.lock
	$(DEMO) exec .venv/bin/python manage.py backup "$(TO)"

restore:
	$(if $(FROM),,$(error Name the backup: make restore FROM=/srv/backups/…))
	bin/install requirements.lock
	$(DEMO) exec .venv/bin/python manage.py restore "$(FROM)" $(OPTIONS)

check:
	bin/install requirements-dev.lock
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	git ls-files -z -- 'templates/*.html' | xargs -0 .venv/bin/djade --check --target-version 5.2
	.venv/bin/djlint --lint --quiet templates
	.venv/bin/lint-imports --no-logo
	ECARE_EMBEDDED=true ECARE_DATA=.venv/check .venv/bin/mypy --no-incremental
	ECARE_EMBEDDED=true ECARE_DATA=.venv/check .venv/bin/python manage.py makemigrations --check --dry-run

format:
	bin/install requirements-dev.lock
	.venv/bin/ruff check --fix --exit-zero
	.venv/bin/ruff format
	git ls-files -z -- 'templates/*.html' | xargs -0 .venv/bin/djade --target-version 5.2

lock:
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -o requirements-dev.lock
