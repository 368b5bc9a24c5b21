# make instrument RECORDINGS=FOLDER    the short way, from recordings (a folder, or one file) to instruments and a page
# make demo    the whole way, from nothing to labelled, exported recordings and a page; with SOUND=fire_demo, of fire
# make test    the quick tests, which protect most; make test-all runs all of them
# make docs    the documentation, in build/docs
# All set themselves up first: a virtual environment in .venv, and what is needed in it.

PYTHON ?= python3
SOUND ?= demo
RECORDINGS ?=
OPTIONS ?=
# Tests run on so many processes, each with a thread: a gigabyte of memory is enough for one.
PROCESSES ?= 2

BIN := .venv/bin
READY := .venv/ready
# What only work on the toolkit needs: tests, checkers, and the clusters that the tests play on.
READY_DEV := .venv/ready-dev
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -n $(PROCESSES)

.PHONY: setup setup-dev instrument demo test test-all docs lint schemas clean

instrument: $(READY)
	@$(BIN)/texture-pipeline configs/instrument $(if $(RECORDINGS),--recordings "$(RECORDINGS)") $(OPTIONS)

demo: $(READY)
	@$(BIN)/texture-pipeline configs/$(SOUND) $(if $(RECORDINGS),--recordings "$(RECORDINGS)") $(OPTIONS)

test: $(READY_DEV)
	$(PYTEST) -m "not slow and not long" $(OPTIONS)

test-all: $(READY_DEV)
	$(PYTEST) -m "not long" $(OPTIONS)

# NO_MKDOCS_2_WARNING: what the theme says of another project's plans.
docs: $(READY)
	@$(BIN)/python -c 'import material, mkdocs' 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "docs: build/docs/index.html"

lint: $(READY_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

schemas: $(READY)
	$(BIN)/python -m texture_pipeline.schemas configs/schemas

setup: $(READY)

setup-dev: $(READY_DEV)

# Made anew when the dependencies change, or when setup.sh does.
$(READY): pyproject.toml constraints.txt setup.sh
	@PYTHON="$(PYTHON)" bash setup.sh all
	@touch $(READY)

$(READY_DEV): $(READY)
	@bash setup.sh dev
	@touch $(READY_DEV)

clean:
	rm -rf .venv
