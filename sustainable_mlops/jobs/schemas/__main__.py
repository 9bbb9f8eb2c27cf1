"""Command that writes every schema."""

from sustainable_mlops.base.settings import render_schema
from sustainable_mlops.jobs.schemas import SPECS, find_schema_file

if __name__ == "__main__":
    for name, spec in SPECS.items():
        find_schema_file(name).write_text(render_schema(spec), encoding="utf-8")
