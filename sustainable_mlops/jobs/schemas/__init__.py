"""JSON schemas of what people write, for editors. `python -m sustainable_mlops.jobs.schemas` writes them anew."""

from pathlib import Path

from sustainable_mlops.jobs.specs.pipeline import PipelineSpec
from sustainable_mlops.jobs.specs.processing import Processing
from sustainable_mlops.jobs.specs.training import Training
from sustainable_mlops.jobs.specs.transform import Transform
from sustainable_mlops.jobs.specs.tuning import Tuning
from sustainable_mlops.settings import Settings

#: A schema's name, which is that of its file, to what it describes.
SPECS: dict[str, type[Settings]] = {
    "pipeline": PipelineSpec,
    "processing": Processing,
    "training": Training,
    "transform": Transform,
    "tuning": Tuning,
}


def schema_file(name: str) -> Path:
    """Where the schema of this name is kept."""
    return Path(__file__).with_name(f"{name}.schema.json")
