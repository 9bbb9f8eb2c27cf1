"""The machine of a processing job, as SageMaker tells its containers, and how long it took."""

import json
import os
from pathlib import Path

#: What SageMaker tells a processing container of its job: /opt/ml/config. INPUT_DIR is /opt/ml/processing/input.
CONFIGURATION = Path(os.environ.get("INPUT_DIR", "/opt/ml/processing/input")).parents[1] / "config"


def instance_type() -> str | None:
    """The instance type of this processing job; None where this is none."""
    try:
        job = json.loads((CONFIGURATION / "processingjobconfig.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    return str(job["ProcessingResources"]["ClusterConfig"]["InstanceType"])


def report(folder: Path, seconds: float) -> None:
    """Writes how long this machine took to a file of its own, as several write side by side."""
    host = json.loads((CONFIGURATION / "resourceconfig.json").read_text(encoding="utf-8"))["current_host"]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"instance_type": instance_type(), "seconds": round(seconds, 3)}, indent=2)
    (folder / f"{host}.json").write_text(text + "\n", encoding="utf-8")
