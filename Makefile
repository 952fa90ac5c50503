# `make book` and `make test` do everything, from an empty checkout. `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PROFILE ?= pilot
WORKERS ?=
STORE ?= $(or $(REGLAB_STORE),runs)
# Notebooks start in folders of their own, so they get absolute paths.
export REGLAB_STORE := $(if $(filter /%,$(STORE)),$(STORE),$(CURDIR)/$(STORE))
export REGLAB_RESULTS ?= $(CURDIR)/book/results
# Pictures are the book's, whatever whoever builds it has set for others (see tools/own_settings.py).
export MATPLOTLIBRC := $(CURDIR)/tools/matplotlibrc

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.installed
DATASETS := mnist fashion_mnist cifar10
CHAPTERS := $(filter-out notebooks/rerun.ipynb,$(wildcard notebooks/*.ipynb))
# What a folder can be called.
SMOKE := _build/smoke/it's [50 %] of \#1 & é
TEST_STORE := _build/test-runs
PYTEST = $(PY) -m pytest
# Tests run on so many cores at once, each of them with one thread.
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
FLAKY_TIMES ?= 10

LIBRARY := $(shell find src/reglab -type f -not -name '*.pyc')
RERUNS := $(DATASETS:%=book/reruns/%.ipynb)
SUMMARY := book/_generated/summary.md
VERDICTS := book/_generated/front.md
TRAINED := _build/.trained-$(PROFILE)
TRAIN = $(VENV)/bin/reglab reproduce --dataset all --profile $(PROFILE) $(if $(WORKERS),--workers $(WORKERS))
RUNS = training ($(PROFILE))
HTML := _build/html
BUILT := $(HTML)/.built
PDF := _build/regularization-rerun.pdf
# The profile whose runs are all recorded, and what ends in an error, without training, if not all are.
RECORDED := reduced
READ = $(VENV)/bin/reglab results --dataset all --profile $(RECORDED) >/dev/null
AHEAD = $(if $(filter smoke $(RECORDED),$(PROFILE))$(wildcard $(BUILT)),,yes)
ADDRESSES := _build/.addresses
FRESH := _build/fresh
TIMES := _build/.times
STEPS := _build/.steps
PAGES := _config.yml _toc.yml $(wildcard book/*.md book/*.bib \
	book/_static/* book/_static/vega/* book/_static/toy/* notebooks/*.ipynb) \
	tools/check_book.py tools/contents.py tools/sharing.py tools/llms.py tools/numbered.py tools/dark_figures.py \
	tools/resolved.py tools/plain_markdown.py tools/left_over.py tools/only_listed.py

# $(call timed,label,commands): run the commands, note how long they took. Under `make book` the
# label has a number: of the steps begun, among those that a dry run found to be out of date.
number = $(if $(OF),$$(echo >>$(STEPS); wc -l <$(STEPS) | tr -d ' ')/$(OF) )
timed = @mkdir -p $(dir $(TIMES)); began=$$(date +%s); echo "== $(number)$(1)"; { $(2); } && \
	printf '  %-34s %5d s\n' '$(1)' $$(($$(date +%s) - began)) >>$(TIMES)

.PHONY: FORCE help book ahead counted pdf record site test unit chapters smoke browser torture flaky verify golden lab notebooks lint lock clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# Training takes a while. So that there is something to read meanwhile, and if it is interrupted, the
# first call builds a whole book from recorded runs, if all are there, before it trains anything.
book: ## set up, train what is missing (PROFILE=pilot), build the book; the first one of recorded runs
	@rm -f $(TIMES)
	@$(if $(AHEAD),$(MAKE) ahead)
	@$(MAKE) counted
	@if [ -f $(TIMES) ]; then echo "Time taken:"; cat $(TIMES); rm -f $(TIMES) $(STEPS); \
	else echo "Nothing to do."; fi
	@echo "The book: $(HTML)/index.html"

ahead:
	@echo "== part 1/2: the book from recorded runs"
	@if CUDA_VISIBLE_DEVICES= $(MAKE) counted PROFILE=$(RECORDED) TRAIN="$(READ)" RUNS="recorded runs"; \
	then echo "The book, from recorded runs: $(HTML)/index.html"; \
	else echo "reglab: no book from recorded runs, for what is said above; going on" >&2; fi
	@echo "== part 2/2: runs of your own ($(PROFILE)), and the pages that show them"

counted:
	@rm -f $(STEPS)
	@$(MAKE) site OF=$$($(MAKE) -n site 2>/dev/null | grep -c 'echo "== ')

pdf: $(READY) ## the book as one PDF (needs Chromium or Chrome)
	@$(PY) tools/make_pdf.py browser
	@echo "== part 1/2: the book"
	@$(MAKE) book
	@echo "== part 2/2: the PDF"
	@$(PY) tools/make_pdf.py . $(HTML) $(PDF)

# Interrupted or not, what is finished is written down; the same command goes on from there.
record: PROFILE := full
record: $(READY) ## train what a profile lacks on all cores, and write it to book/results (profile full)
	@$(VENV)/bin/reglab reproduce --dataset all --profile $(PROFILE) $(if $(WORKERS),--workers $(WORKERS)); \
	status=$$?; $(VENV)/bin/reglab record --dataset all --profile $(PROFILE) --partial && exit $$status

test: $(READY) ## set up, then every test: pytest, the chapters' cells, a smoke book and its pages
	@sh tools/run_tests.sh "$(MAKE)"

unit: $(READY) ## only pytest, on all cores
	$(PYTEST) -n $(CORES) --dist worksteal

# A store of its own, emptied first: a run made by yesterday's code must not hide today's mistake.
chapters: $(READY) ## only the chapters: run each cell, compare with the stored output
	@rm -rf $(TEST_STORE)
	@if [ -z "$(CHAPTERS)" ]; then echo "reglab: no chapter in notebooks/" >&2; exit 1; fi
	JUPYTER_PREFER_ENV_PATH=1 JUPYTER_PATH= PYTHONSTARTUP= IPYTHONDIR="$(CURDIR)/$(TEST_STORE)/ipython" \
	REGLAB_FOR_BOOK=1 REGLAB_STORE="$(CURDIR)/$(TEST_STORE)" $(PYTEST) --nbval --nbval-current-env \
		-n $(CORES) --dist loadfile --no-loadscope-reorder $(CHAPTERS)

smoke: $(READY) ## only the smoke book: seconds of training, its own copy, store and output
	@rm -rf _build/smoke && mkdir -p "$(SMOKE)/.pytest_cache"
	@# with the files' times, or a set-up would be found out of date
	@cp -Rp Makefile _config.yml _toc.yml pyproject.toml requirements.lock book notebooks src tools "$(SMOKE)/"
	@# what pytest leaves beside the sources must not become a page
	@cd "$(SMOKE)" && rm -rf book/reruns book/_generated && echo '# no page' >.pytest_cache/README.md
	@$(PY) tools/hard_settings.py _build/smoke/settings $(MAKE) -C "$(SMOKE)" book PROFILE=smoke STORE=runs VENV=$(if $(filter /%,$(VENV)),,../../../)$(VENV)

browser: $(READY) ## the pages of the smoke book in Chromium, where there is one (after make smoke)
	$(PYTEST) tests/browser --book "$(SMOKE)/_build/html" -n $(CORES) --dist loadscope \
		--no-loadscope-reorder

torture: $(READY) ## the injected faults, with fifty kills instead of three (see Reliability)
	$(PYTEST) tests/test_faults_*.py tests/test_cluster.py --kills 50

flaky: $(READY) ## the tests again and again beside busy processes (FLAKY_TIMES=10), to see which waver
	@sh tools/run_flaky.sh $(PY) $(FLAKY_TIMES)

verify: $(READY) ## make golden runs and 2 % of the recorded ones again, and compare
	$(VENV)/bin/reglab verify

golden: $(READY) ## record the golden runs anew, when a change of training is meant
	$(PY) tools/make_golden.py src/reglab/golden.jsonl.gz

lab: $(READY) ## open the notebooks in JupyterLab
	$(PY) tools/start_lab.py

notebooks: $(READY) ## rebuild NAME.ipynb from NAME.md; chapters are executed
	$(PY) tools/run_notebooks.py pairs notebooks

lint: $(READY) ## ruff, the direction of imports, and the notebooks' pairs in step
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) tools/check_book.py pairs notebooks

lock: $(READY) ## pin the dependencies of pyproject.toml anew (UPGRADE=--upgrade for newest)
	$(PY) -m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --quiet $(UPGRADE) \
		--custom-compile-command "make lock" --output-file requirements.lock

clean: ## remove what was built; .venv and the finished runs stay
	rm -rf _build book/reruns book/_generated .pytest_cache .ruff_cache .hypothesis
	find src tests tools notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

distclean: clean ## the same, and .venv and runs/ too
	rm -rf $(VENV) runs

$(READY): requirements.lock pyproject.toml tools/make_venv.sh
	$(call timed,set-up,sh tools/make_venv.sh $(VENV))

site: $(BUILT)
	@:

# One mark for one profile: after a change of profile, everything below is out of date.
$(TRAINED): $(READY) $(LIBRARY)
	$(call timed,$(RUNS),$(TRAIN))
	@rm -f _build/.trained-*
	@touch $@

$(RERUNS): book/reruns/%.ipynb: notebooks/rerun.ipynb tools/run_notebooks.py $(TRAINED)
	$(call timed,rerun of $*,$(PY) tools/run_notebooks.py rerun $< $@ --dataset $* \
		--profile $(PROFILE))

$(SUMMARY): $(RERUNS) tools/make_summary.py tools/make_front.py
	$(call timed,summary,$(PY) tools/make_summary.py $(PROFILE) $@)

$(VERDICTS): $(READY) $(LIBRARY) $(wildcard book/results/*/*) tools/make_front.py tools/make_map.py \
	tools/make_reproduced.py
	$(call timed,verdicts,$(PY) tools/make_front.py $(dir $@))

# Written only if a setting changed, so that the book is built anew. Made first: a bad one is refused
# before anything is trained.
$(ADDRESSES): FORCE | $(READY)
	@mkdir -p $(dir $@)
	@settings="$$BOOK_URL $$REPOSITORY_URL $$REPOSITORY_BRANCH $$NOTEBOOKS_BRANCH"; \
	echo "$$settings" | cmp -s - $@ || { $(PY) tools/sharing.py && echo "$$settings" >$@; }

# Built from nothing into a folder of its own, checked, and only then put in place: an incremental
# build would not repeat the warnings of pages that did not change.
$(BUILT): $(ADDRESSES) $(SUMMARY) $(VERDICTS) $(PAGES)
	@rm -rf $(FRESH)
	@$(PY) tools/check_book.py notebooks .
	$(call timed,book (two minutes or so),sh tools/patiently.sh $(VENV)/bin/jupyter-book build . --path-output $(FRESH) -W --keep-going \
		-q >$(FRESH).log || { cat $(FRESH).log; false; })
	@$(PY) tools/check_book.py html $(FRESH)/_build/html
	@rm -rf $(HTML) && mv $(FRESH)/_build/html $(HTML) && rm -rf $(FRESH) $(FRESH).log
	@touch $@
