#!/bin/sh
# Runs the Python test given as the first argument, in its runfiles.
PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 exec python3 "$@"
