# Two commands do everything on a fresh machine: `make quickstart` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: quickstart test check lint types imports pytest model clean

quickstart: $(READY)
	$(BIN)/teachwhy run studies/quickstart.yaml

test: $(READY) model check

# torch first and on its own: constraints.txt pins a build, and nothing else may choose another one.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	touch $(READY)

# The embedded model is fetched before the tests begin: they themselves have no network.
model: $(READY)
	$(BIN)/python -c "from teachwhy.models.embedded import ensure_embedded; print(ensure_embedded())"

check: lint types imports pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports --no-cache

# A file's tests stay together, so that what they share is made once.
pytest: $(READY)
	$(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile

clean:
	rm -rf $(VENV) runs logs build .mypy_cache .pytest_cache .ruff_cache .hypothesis
