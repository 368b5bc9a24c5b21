# make demo    the whole way, from nothing to labelled, exported recordings and a page; with SOUND=fire_demo, of fire
# make test    the quick tests, which protect most; make test-all runs all of them
# make docs    the documentation, in build/docs
# All set themselves up first: a virtual environment in .venv, and what is needed in it.

PYTHON ?= python3
SOUND ?= demo
RECORDINGS ?=
OPTIONS ?=

BIN := .venv/bin
READY := .venv/ready

.PHONY: setup demo test test-all docs lint schemas clean

demo: $(READY)
	@$(BIN)/texture-pipeline configs/$(SOUND) $(if $(RECORDINGS),--recordings "$(RECORDINGS)") $(OPTIONS)

test: $(READY)
	$(BIN)/pytest -m "not slow and not long" $(OPTIONS)

test-all: $(READY)
	$(BIN)/pytest -m "not long" $(OPTIONS)

# NO_MKDOCS_2_WARNING: what the theme says of another project's plans.
docs: $(READY)
	@$(BIN)/python -c 'import material, mkdocs' 2>/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "docs: build/docs/index.html"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

schemas: $(READY)
	$(BIN)/python -m texture_pipeline.schemas configs/schemas

setup: $(READY)

# Made anew when the dependencies change, or when setup.sh does.
$(READY): pyproject.toml setup.sh
	@PYTHON="$(PYTHON)" bash setup.sh
	@touch $(READY)

clean:
	rm -rf .venv
