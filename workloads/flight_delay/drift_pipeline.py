"""The pipeline of the drift check: each delivered batch is compared with the profile of the live model.

    python workloads/flight_delay/drift_pipeline.py

writes drift_pipeline.json from drift.yaml, the same bytes on every computer.
"""

from pathlib import Path

from sustainable_mlops.jobs.pipelines.flow import Flow
from sustainable_mlops.jobs.pipelines.parameters import DRIFT_NAMESPACE

HERE = Path(__file__).resolve().parent


def build_definition() -> str:
    """Return the definition as JSON. `Profile` is the address of the folder with profile.json."""
    flow = Flow(HERE / "drift_pipeline.yaml")
    inputs = {"profile": flow.add_string("Profile"), "batch": flow.raw}
    return flow.build_definition(
        flow.add_processing("drift", inputs, ["--namespace", flow.add_string(DRIFT_NAMESPACE)])
    )


def main() -> None:
    """Write the definition."""
    (HERE / "drift_pipeline.json").write_text(build_definition(), encoding="utf-8")


if __name__ == "__main__":
    main()
