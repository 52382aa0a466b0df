# What a fresh machine needs is git, Python 3.11 or newer, and make.
#
#   make demo   set up, and make the clips of examples/quickstart
#   make test   set up, and run format, lint, types, layers and tests
#   make check  all that make test does, and the long tests: CI runs this
#   make quick  format, lint, layers, and the tests that start neither the program nor a browser: for the inner loop
#   make docs   set up, and build the documentation into site/
#   make bench  set up, and measure a run with nothing to do beside ninja, make, doit, snakemake and dvc
#
# uv is used where it is on PATH; otherwise one is put into .tools/, which git ignores.

demo:
	@uv=$$(sh .ci/uv) && "$$uv" run --frozen --no-dev clipform -C examples/quickstart apply --yes
	@echo "The clips are in examples/quickstart/renders/. Change a prompt in clipform.yaml there, and run make demo again."

test:
	@sh .ci/test

check:
	@sh .ci/test check

quick:
	@uv=$$(sh .ci/uv) && "$$uv" run --frozen python -m tests quick $(TESTS)

docs:
	@uv=$$(sh .ci/uv) && "$$uv" run --frozen --only-group docs zensical build --strict

bench:
	@uv=$$(sh .ci/uv) && "$$uv" run --frozen python -m benchmarks.nothing_to_do --write

clean:
	rm -rf .venv .tools .cache site

.PHONY: demo test check quick docs bench clean
