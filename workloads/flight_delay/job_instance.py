"""Instance of a processing job: its type, from the files in its container, and its seconds of work."""

import json
import os
from pathlib import Path

#: Folder of the job's description in a processing container: /opt/ml/config. INPUT_DIR is /opt/ml/processing/input.
CONFIGURATION = Path(os.environ.get("INPUT_DIR", "/opt/ml/processing/input")).parents[1] / "config"


def read_instance_type() -> str | None:
    """Return the instance type of this processing job; None outside of a processing job."""
    try:
        job = json.loads((CONFIGURATION / "processingjobconfig.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    return str(job["ProcessingResources"]["ClusterConfig"]["InstanceType"])


def write_report(folder: Path, seconds: float) -> None:
    """Write the seconds of this instance to a file of its own: several instances write into one folder."""
    host = json.loads((CONFIGURATION / "resourceconfig.json").read_text(encoding="utf-8"))["current_host"]
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"instance_type": read_instance_type(), "seconds": round(seconds, 3)}, indent=2)
    (folder / f"{host}.json").write_text(text + "\n", encoding="utf-8")
