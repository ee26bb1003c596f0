# Aisle: everything from an empty machine with Python 3.11 and make.
#   make install   .venv with aisle and every extra
#   make demo      the whole way on a generated shop, then the search page   (SERVE=0 ends after the table;
#                  DATA=icecat DATA_DIR=folder takes the real set)
#   make test      checks and tests        make check   lint, types, layers        make bench   benchmarks
# PIP_ARGS goes to pip, for instance: make install PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3.11
PIP_ARGS ?=
DATA ?= generated
DATA_DIR ?=
SERVE ?= 1
PORT ?= 8000
WORKSPACE ?= demo-workspace/$(DATA)
BENCH_ARGS ?=
BENCHMARKS ?= training encoding icecat fusion words mining simulation marketplace

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test check bench clean
.DEFAULT_GOAL := install

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "== install: making $(VENV) with aisle and every extra (pinned by constraints.txt)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[serve,cluster,train,peers,mteb,dev]'
	@touch $(STAMP)

demo: install
	@echo "== demo: import, train, index, evaluate ($(DATA)) in $(WORKSPACE)"
	$(BIN)/aisle demo --workspace $(WORKSPACE) --data $(DATA) $(if $(DATA_DIR),--data-dir $(DATA_DIR)) --port $(PORT) \
		$(if $(filter 0 no false,$(SERVE)),--no-serve)

check: install
	@echo "== check: format, lint, types, layers, a test file for every module"
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_mirrors.py

test: check
	@echo "== test: unit, property, integration and browser tests (real data where AISLE_TEST_DATA names its folder)"
	$(BIN)/python -m pytest

bench: install
	@echo "== bench: results go to benchmarks/results"
	set -e; for theme in $(BENCHMARKS); do $(BIN)/python benchmarks/$$theme.py $(BENCH_ARGS); done

clean:
	rm -rf $(VENV) demo-workspace build dist src/*.egg-info
