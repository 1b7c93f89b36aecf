# `make help` lists what there is. Everything happens in .venv, which the first command creates.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help book serve test screenshots bench oldest lint lab hooks clean distclean
.DEFAULT_GOAL := help
.NOTPARALLEL: # two installs at once would collide

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

book: .venv/installed-book.txt ## run the chapters and build the site in _build/html
	@$(BIN)/python book/build.py

serve: book ## read the site at http://127.0.0.1:8000
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

test: .venv/installed-test.txt book ## build the site, then run all tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

screenshots: .venv/installed-test.txt book ## keep pictures of all pages in _build/screenshots
	@$(BIN)/python -m pytest -n auto --dist worksteal tests/site/test_pages.py --screenshots

bench: .venv/installed-test.txt ## measure speed beside the usual ways, into benchmarks/results
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done

oldest: .venv/oldest/installed.txt ## run the examples of the core with the oldest NumPy allowed
	@.venv/oldest/bin/python -m pytest sharplib/__init__.py sharplib/measures sharplib/mappings

lint: .venv/installed-dev.txt ## check style, formatting, and that notebooks carry no outputs
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@git ls-files '*.ipynb' | xargs $(BIN)/nbstripout --verify --keep-id

lab: .venv/installed-book.txt ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab notebooks

hooks: .venv/installed-dev.txt ## let git leave out the outputs of notebooks that you commit
	@$(BIN)/nbstripout --install
	@git config filter.nbstripout.clean '"$(CURDIR)/$(BIN)/nbstripout" --keep-id'

clean: ## remove the site and the executed cells
	rm -rf _build

distclean: clean ## remove the installed packages too
	rm -rf .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Python 3.11 or newer is needed; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12 ..." % v[:2])'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# One file for each set of packages, written after they are installed: what was installed.
.venv/installed-%.txt: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the packages for '$*' into .venv; the first time takes minutes ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[$*]'
	@$(BIN)/python -m pip freeze --disable-pip-version-check > $@.part
	@mv $@.part $@

# The lower bounds of pyproject.toml, taken as they stand.
.venv/oldest/installed.txt: pyproject.toml | .venv/bin/python
	@echo "Installing the oldest NumPy into .venv/oldest ..."
	@$(BIN)/python -m venv .venv/oldest
	@.venv/oldest/bin/python -m pip install --quiet --disable-pip-version-check pytest \
		$$($(BIN)/python -c 'import tomllib; print(*(d.replace(">=", "==") for d in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]))')
	@.venv/oldest/bin/python -m pip freeze --disable-pip-version-check > $@.part
	@mv $@.part $@
