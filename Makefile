# make demo    the whole way, from nothing to labelled, exported recordings and a page; with SOUND=fire_demo, of fire
# make test    the tests
# Both set themselves up first: a virtual environment in .venv, and what is needed in it.

PYTHON ?= python3
SOUND ?= demo
RECORDINGS ?=
OPTIONS ?=

BIN := .venv/bin
READY := .venv/ready

.PHONY: setup demo test lint schemas clean

demo: $(READY)
	@$(BIN)/texture-pipeline configs/$(SOUND) $(if $(RECORDINGS),--recordings "$(RECORDINGS)") $(OPTIONS)

test: $(READY)
	$(BIN)/pytest --cov --cov-report=term --cov-fail-under=85 $(OPTIONS)

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
