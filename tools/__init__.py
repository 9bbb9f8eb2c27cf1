"""Developer tools of a clone, each run as `.venv/bin/python -m tools.NAME`; `--help` explains it."""
