"""The demo behind `make demo`."""

import json
import re
from pathlib import Path

import pytest

from sustainable_mlops.footprint import FleetActivity, estimate, make_exact
from tests.cloned_repository import Reader
from tests.docs.blocks import shell_blocks
from tests.review_checks import changes_nothing, check_review, list_blocking_gates


@pytest.mark.toolchain
@pytest.mark.toolchain_only
@pytest.mark.apply
def test_the_demo_runs_the_pipeline_and_leaves_nothing(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "clone")
    assert "✓ Look for resources that are left" in reader.paste("make demo")
    check_results(reader.folder)


def check_results(folder: Path) -> None:
    """Check the figures, the records and the plans that a demo leaves in `out`."""
    figures = json.loads((folder / "out" / "demo.json").read_text())
    assert 0.65 < float(figures["AUC of the endpoint on 4,000 held-out flights"]) < 0.75
    assert figures["Reason of the second training"] == "Threshold Crossed"
    assert float(figures["Jobs on SageMaker: cost"].split()[0]) > 0
    assert figures["Endpoints: requests"] == "8 serverless, 1 asynchronous"
    minutes, _, _, instance_type = figures["Endpoints: instance time"].split()
    hour = estimate(FleetActivity(instance_type, "eu-north-1", hours=make_exact(1.0))).figures["cost"].central
    assert float(figures["Endpoints: cost"].split()[0]) == pytest.approx(int(minutes) / 60 * hour, rel=0.1)
    record = json.loads((folder / figures["Record of the execution"]).read_text())
    assert record["status"] == "Succeeded"
    jobs = {step["name"]: step["job"] for step in record["steps"] if step["job"]}
    assert jobs.keys() == {"Prepare", "Train", "Evaluate"}
    assert jobs["Train"]["interruptions"] == 1
    assert record["figures"]["co2e_operational"]["basis"] == "estimated"
    records = [json.loads(path.read_text()) for path in (folder / "out" / "runs").glob("*.json")]
    (cached,) = (other for other in records if other["saved"])
    assert cached["figures"] == {}
    assert cached["saved"]["cost"]["value"] == pytest.approx(record["figures"]["cost"]["value"])
    drift_record = next(other for other in records if other["parameters"].get("StartReason", "none") != "none")
    assert drift_record["model_package"].endswith("/2"), "drift trained and registered another model"
    # 300,000 requests of 0.2 s on 2 GB at 0.00002 USD/GB-s, x 1.063 in Stockholm.
    serverless = 300_000 * 0.2 * 2 * 0.00002 * 1.063
    costs = {name: read_costs(folder, name) for name in ("dev", "staging")}
    assert costs["dev"].keys() == {"step Prepare", "step Train", "step Evaluate", "step Drift"}
    assert costs["staging"].keys() == {"variant main"}
    assert any(cost == pytest.approx(serverless) for cost in costs["staging"]["variant main"])


def read_costs(folder: Path, name: str) -> dict[str, list[float]]:
    """Return the costs of what uses energy in the last plan of an environment. The plan changes nothing."""
    review = check_review(json.loads((folder / "out" / f"{name}.plan.json").read_text()))
    assert list_blocking_gates(review) == []
    assert changes_nothing(review)
    costs: dict[str, list[float]] = {}
    for part in (part for one in review.footprint.resources for part in one.changes):
        if part.after and part.after.estimate and "energy" in part.after.estimate.figures:
            costs.setdefault(part.name, []).append(part.after.estimate.figures["cost"].central)
    return costs


@pytest.mark.apply
def test_the_demo_runs_the_pipeline_and_its_printed_commands_work(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "clone")
    try:
        printed = reader.paste("make demo KEEP=1")
        check_results(reader.folder)
        commands = re.findall(r"^  (\S.*)$", printed.partition("The sandbox is up")[2], re.M)
        documented = [command for block in shell_blocks("demo") for command in block.commands]
        assert any("smlops pipeline" in command for command in documented)
        # The documented commands run before the plan: executions do not change it.
        answers = {command: reader.paste(command) for command in [*documented, *commands]}
        (planned,) = (answer for command, answer in answers.items() if command.endswith(" plan"))
        assert "so no changes are needed" in planned
        assert "smlops-dev-" in "".join(answer for command, answer in answers.items() if "boto3" in command)
        (execution,) = (answers[command] for command in commands if "smlops pipeline run" in command)
        assert "nothing: all results were cached" in execution
        assert commands[-1].endswith("smlops sandbox stop")
        assert "Stopped the sandbox" in answers[commands[-1]]
    finally:
        reader.paste("smlops sandbox stop")
