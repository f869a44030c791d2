#!/bin/sh
# Build the wheel, install it into an environment of its own, and run the tests where there is no `src`.
# Long explorations say nothing about what is in the wheel; they were run just before.
set -eu
python=$1
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
"$python" -m build --quiet --no-isolation --wheel --outdir "$here/dist" .
"$python" -m venv "$here/venv"
"$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
"$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$here"/dist/*.whl
cp -R tests examples tools docs proofs benchmarks pyproject.toml README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md Makefile "$here"
cd "$here"
HYPOTHESIS_PROFILE=glance "$here/venv/bin/python" -m pytest -q -n auto -p no:cacheprovider \
  --ignore=tests/nights --ignore=tests/processes --ignore=tests/bulk
