# `make demo`, `make demo-crawl` and `make test` set up .venv by themselves and reuse it while pyproject.toml stands as it is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-crawl desk test transcripts chaos backfill lint docs fuzz bench clean

$(VENV)/.base: pyproject.toml tests/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt --editable .
	touch $@

$(VENV)/.web: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt --editable '.[web]'
	touch $@

# In one step, and modules are compiled when they are imported, by four processes: half a minute less.
$(VENV)/.test: pyproject.toml tests/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --constraint tests/constraints.txt --editable '.[test]'
	touch $(VENV)/.base $@

$(VENV)/.docs: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt --editable '.[docs]'
	touch $@

$(VENV)/.fuzz: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt --editable '.[fuzz]'
	touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --constraint tests/constraints.txt --editable '.[test,bench]'
	touch $@

# The main job as one would run it by hand; each command is shown before its output.
demo: $(VENV)/.base
	@mkdir -p demo
	@$(BIN)/copydesk demo --db sqlite:///demo/copydesk.db

# A web of its own on loopback, crawled twice while news breaks on it.
demo-crawl: $(VENV)/.base
	@mkdir -p demo
	@rm -f demo/crawl.db demo/crawl.db-wal demo/crawl.db-shm
	@$(BIN)/copydesk demo --crawl --db sqlite:///demo/crawl.db

# The examples in a browser, at http://127.0.0.1:8017/.
desk: export COPYDESK_DB = sqlite:///demo/copydesk.db
desk: $(VENV)/.web
	@mkdir -p demo
	$(BIN)/copydesk ingest examples/news
	$(BIN)/copydesk serve

# Two processes a core, because crawls wait. Each takes whole files, whose tests share crawls, in the order of
# tests/conftest.py. Bytecode is kept, or each of the many programs that tests start would compile all modules again.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.test
	$(BIN)/python -m pytest -n $$((2 * $$(getconf _NPROCESSORS_ONLN))) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Writes into the pages of the documentation what their commands print now; see tests/docs/renewing.py.
transcripts: $(VENV)/.test
	TRANSCRIPTS=renew $(BIN)/python -m pytest -n 0 tests/docs/test_commands.py tests/docs/test_crawls.py

# Four writers and a reader under faults, on both databases: tests/chaos/README.md.
chaos: $(VENV)/.test
	$(BIN)/python -m tests.chaos $(CHAOS)

# A made world of 5,000 documents: ingest, a backfill on this machine and on Spark, and loads of it, compared.
backfill: $(VENV)/.test
	$(BIN)/python -m tests.crawler.backfill $(BACKFILL)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Into site/. Strict: a dead link or a dead anchor fails, and so does a page that would load anything from the web.
docs: $(VENV)/.docs
	$(BIN)/python docs/generate.py
	$(BIN)/zensical build --strict --clean --config-file .zensical.toml
	@! grep -rlE '(src|<link[^>]* href)="(https?:)?//' site --include='*.html'

# Seconds for each target.
FUZZ ?= 600

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz $(TARGET) --seconds $(FUZZ)

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(CORPORA) $(BENCH)

clean:
	rm -rf $(VENV) demo site .cache bench-report .mypy_cache .ruff_cache .pytest_cache .hypothesis
