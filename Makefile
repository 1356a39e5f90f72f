# Two commands do all the set-up: `make demo` and `make test`. Each builds .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= demo-out
MINUTES ?= 60
WORKERS ?= auto
AFTER ?=
SOAK ?= soak-out/$(shell date +%Y%m%d-%H%M%S)

.PHONY: demo test test-slow soak photos rigs speed lint wheel clean

$(STAMP): setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,device,web,dev]'
	touch $@

# The main job, end to end, on rendered surfaces; with DATA=folder WEIGHTS=file.npz on real photos.
demo: $(STAMP)
	$(BIN)/python tools/demo.py --out $(OUT) $(if $(DATA),--data $(DATA)) $(if $(WEIGHTS),--weights $(WEIGHTS))

# Files of tests in as many processes as there are cores; then likewise the rigs, apart from the
# others, so that their emulated machines keep their time. AFTER is a command that returns when
# they are built.
test: $(STAMP)
	$(BIN)/python -m pytest -m "not photos and not slow" -n $(WORKERS) --dist loadfile --ignore tests/rigs
	$(AFTER)
	$(BIN)/python -m pytest -m "not photos and not slow" -n $(WORKERS) --dist loadfile tests/rigs

# Faults by the hundred, see CONTRIBUTING.md; half an hour. Then a soak: make soak MINUTES=60
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow -v

# A watch under camera faults for MINUTES (no fewer than 30 say something of its memory).
soak: $(STAMP)
	$(BIN)/python -m corrosion_edge.benchmarks.soak $(SOAK) --minutes $(MINUTES)

# Ratios of one run against kept values: whether anything became slower.
speed: $(STAMP)
	$(BIN)/python -m corrosion_edge.benchmarks.guard

# The whole line on real photos: CORROSION_EDGE_SHARED names the folder with data/ and weights/.
photos: $(STAMP)
	$(BIN)/python -m pytest -m photos -n $(WORKERS) --dist loadfile -rP

# Builds real parts that need root and Debian: an arm64 interpreter, cameras, a stream's server.
# `make test` uses what is there and says why it skips the rest.
rigs:
	tests/rigs/setup.sh

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(STAMP)
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) build dist *.egg-info demo-out soak-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
