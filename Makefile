# The few commands. `make run` and `make test` do all of their set-up themselves.
VENV := .venv
PY := $(VENV)/bin/python
# One more than there are cores: tests wait for the processes they start. A file by one of them:
# its tests share processes.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: install run test lint audit fuzz soak bench bench-pages bench-scale lock screenshots \
	states api-docs clean

# The libraries alone: for processes that the system starts (docs/DEPLOY.md).
install: $(VENV)/run.done

run: $(VENV)/run.done
	@$(PY) -m restmon run

test: $(VENV)/test.done
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/test.done
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/codespell
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive \
		restmon pages jobs api_server.py app.py 2>/dev/null

# Known holes in the libraries that are installed; asks the internet.
audit: $(VENV)/test.done
	@$(VENV)/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip

# Generated input, RESTMON_FUZZ_INPUTS of it (100,000).
fuzz: $(VENV)/test.done
	@$(PY) -m tests.support.fuzz

# Faults for about a quarter of an hour: 100 SIGKILLs (RESTMON_SOAK_KILLS) on each database, and
# the readers of files under a fuzzer that watches which branches an input takes.
soak: $(VENV)/test.done
	@$(PY) -m tests.support.soak
	@$(PY) -m pip install --quiet --disable-pip-version-check atheris
	@$(PY) -m tests.support.guided -max_total_time=$${RESTMON_SOAK_FUZZ_SECONDS:-60} -verbosity=0 -print_final_stats=1

bench: $(VENV)/test.done
	@$(PY) -m benchmarks $(ARGS)

bench-pages: $(VENV)/test.done
	@$(PY) -m benchmarks.pages $(ARGS)

bench-scale: $(VENV)/test.done
	@$(PY) -m benchmarks.scale $(ARGS)

screenshots: $(VENV)/test.done
	@$(PY) tools/screenshots.py

# Every page in every state of the data, into the folder STATES: to be looked at.
STATES ?= /tmp/restmon-states
states: $(VENV)/test.done
	@$(PY) tools/states.py $(STATES) $(ARGS)

api-docs: $(VENV)/test.done
	@$(PY) tools/api_docs.py

# The exact versions, with hashes, that a fresh install gets.
lock: $(VENV)/test.done
	@$(PY) -m pip install --quiet uv
	@$(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header \
		--no-annotate --python-version 3.11 requirements.txt -o requirements.lock
	@$(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header \
		--no-annotate --python-version 3.11 -c requirements.lock requirements-dev.txt \
		-o requirements-dev.lock

# What the first lines of set-up check; a shell says it in one sentence, pip would not.
WRITABLE = @for folder in . $(wildcard $(VENV)); do if [ ! -w $$folder ]; then \
	echo "restmon: this folder is read-only; copy it to one you can write to." >&2; exit 2; fi; done

$(VENV)/bin/python:
	$(WRITABLE)
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
			>/dev/null 2>&1; then echo "Setting up $(VENV) ..."; \
			$$python -m venv $(VENV) && exit 0; fi; done; \
	echo "restmon: Python 3.11 or later, with venv, is needed and was not found; install it" \
		"(Debian: apt install python3-venv) or name it: make PYTHON=/path/to/python3 run" >&2; \
	exit 2

$(VENV)/run.done: requirements.lock | $(VENV)/bin/python
	$(WRITABLE)
	@echo "Installing restmon's libraries ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/test.done: requirements-dev.lock | $(VENV)/bin/python
	$(WRITABLE)
	@echo "Installing what the tests need ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-dev.lock
	@touch $@ $(VENV)/run.done

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis .mypy_cache .ruff_cache
