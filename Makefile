# make run: start everything · make test: lint, tests and checks of the pages · make test-postgres: those of the database
# on PostgreSQL · make test ALSO=test-postgres: all of it, which is what CI runs · make test-thorough: what takes an hour
# make frontend: build the pages · make pages: check them · make schema: read the HTTP interface again for them
# make weights: pretrained weights · make lint, make format, make bench, make lock

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are cores: tests of processes wait half of their time.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

# On PostgreSQL beside the others: one process for two cores, without a worker of its own where it is one.
POSTGRES_WORKERS ?= $(shell cores=$$(( $$(getconf _NPROCESSORS_ONLN) / 2 )); [ $$cores -gt 1 ] && echo $$cores || echo 0)

.PHONY: run weights frontend pages schema test pytest test-thorough test-postgres lint format bench lock doctor keras-retinanet clean

run: $(VENV)/.installed
	@$(BIN)/python frontend/build.py
	@exec $(BIN)/python manage.py studio $(ARGS)

frontend: $(VENV)/.installed
	@$(BIN)/python frontend/build.py --strict

# The pages are checked after the tests: journeys in a browser want a machine that is not busy. Tests of processes wait half
# of their time, so those of PostgreSQL (ALSO=test-postgres) fill it. What each says comes when it ends.
test: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory keras-retinanet || echo "Without it the tests of keras-retinanet are skipped."
	@$(MAKE) --no-print-directory -j3 --output-sync=target lint pytest $(ALSO)
	@$(MAKE) --no-print-directory pages

# Biome, types, unit tests, build, size, journeys in Chromium.
pages: $(VENV)/.installed
	@$(BIN)/python frontend/check.py

# The HTTP interface as the pages read it.
schema: $(VENV)/.installed
	@$(BIN)/python manage.py spectacular --file frontend/schema/openapi.yml --data-dir $(VENV)/check
	@$(BIN)/python frontend/build.py --types

# On as many workers as WORKERS says, in an order that its seed decides; the output ends with the 25 slowest.
pytest: $(VENV)/.installed-dev
	@$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0 --data-dir $(VENV)/check
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

# Many examples of every property, many requests to every operation, 200 kills, the networks in full size; all tests of
# the database on PostgreSQL too, also those that say that it is the same on every database; and a campaign of random kills
# and faults against whole studios, MLSTUDIO_TEST_CAMPAIGNS at once, of MLSTUDIO_TEST_ROUNDS rounds together, on both.
test-thorough: $(VENV)/.installed-dev
	@MLSTUDIO_TEST_THOROUGH=1 $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)
	@MLSTUDIO_TEST_THOROUGH=1 $(BIN)/python -m tests.with_postgres -n $(WORKERS) -m database $(ARGS)
	@MLSTUDIO_TEST_THOROUGH=1 $(BIN)/python -m tests.with_postgres tests/test_campaign.py

# The quick tests of the database on a PostgreSQL server that is started for them, where Debian's package is installed;
# without those that say what they are about is the same on every database: `make test-thorough` runs these there too.
test-postgres: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.with_postgres -n $(POSTGRES_WORKERS) -m "database and not slow and not any_database" $(ARGS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Pretrained weights: make weights ARGS="download mobilenet_v2"
weights: $(VENV)/.installed
	@$(BIN)/python manage.py weights $(or $(ARGS),list)

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks $(ARGS)

doctor: $(VENV)/.installed
	@$(BIN)/python manage.py doctor

keras-retinanet: $(VENV)/.installed-keras-retinanet

lock: $(VENV)/.installed-dev
	@for name in requirements requirements-dev requirements-gpu; do \
	  $(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header \
	    --annotation-style=line $$name.in -o $$name.txt; done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ML Studio needs Python 3.11 or newer; this is %d.%d. Use: make run PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt $(VENV)/bin/python
	@echo "Installing what the studio needs (about 2 GB, some minutes the first time)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Needs a C compiler, so it is no part of what everybody installs.
$(VENV)/.installed-keras-retinanet: requirements-keras-retinanet.txt $(VENV)/.installed
	@echo "Installing keras-retinanet…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-keras-retinanet.txt
	@touch $@

clean:
	rm -rf $(VENV)
