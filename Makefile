# Needs only make and Python 3.11 or later. ARGS is passed on: make test ARGS="-k schema", make conform ARGS="--json out.json".
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: conform interop pyzmq test check site vectors go go-luxfi
conform: $(STAMP)
	$(BIN)/qzmq conform $(ARGS)

interop: $(STAMP)
	$(BIN)/qzmq interop $(ARGS)

pyzmq: $(STAMP)
	interop/pyzmq/run.sh $(ARGS)

vectors: $(STAMP)
	$(BIN)/qzmq vectors check --all $(ARGS)
	cd vectors && ../$(BIN)/python -m consumer

test: $(STAMP)
	$(BIN)/pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_house.py $(ARGS)

go:
	interop/go/check.sh

go-luxfi:
	interop/go-luxfi/build.sh

site: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "QZMQ needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs]'
	touch $@
