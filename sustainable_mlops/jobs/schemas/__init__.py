"""JSON schemas of the files that people write, for editors.

`python -m sustainable_mlops.jobs.schemas` writes them.
"""

from pathlib import Path

from sustainable_mlops.base.settings import Settings
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from sustainable_mlops.jobs.specs.processing import ProcessingSpec
from sustainable_mlops.jobs.specs.training import TrainingSpec
from sustainable_mlops.jobs.specs.transform import TransformSpec
from sustainable_mlops.jobs.specs.tuning import TuningSpec

#: Name of a schema, which is also its file name, to its model.
SPECS: dict[str, type[Settings]] = {
    "pipeline": PipelineSpec,
    "processing": ProcessingSpec,
    "training": TrainingSpec,
    "transform": TransformSpec,
    "tuning": TuningSpec,
}


def find_schema_file(name: str) -> Path:
    """Return the path of the schema with this name."""
    return Path(__file__).with_name(f"{name}.schema.json")
