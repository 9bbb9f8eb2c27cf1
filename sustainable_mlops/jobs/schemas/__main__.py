"""Write every schema anew."""

from sustainable_mlops.jobs.schemas import SPECS, schema_file
from sustainable_mlops.settings import schema_text

if __name__ == "__main__":
    for name, spec in SPECS.items():
        schema_file(name).write_text(schema_text(spec), encoding="utf-8")
