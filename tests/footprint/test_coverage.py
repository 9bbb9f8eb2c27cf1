"""No type of SageMaker passes without a word: it is estimated, unknown with a reason, or known to use nothing."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, of_plan
from sustainable_mlops.footprint.coverage import FREE, UNCOVERED
from sustainable_mlops.footprint.from_plan import READERS
from tests.plan.build import change, plan


def provider_types() -> list[str]:
    """Every SageMaker resource of the provider that the modules are written with."""
    found = find_spec("cdktn_provider_aws")
    assert found is not None
    assert found.submodule_search_locations is not None
    names = [path.name for place in found.submodule_search_locations for path in Path(place).iterdir()]
    return sorted(f"aws_{name}" for name in names if name.startswith("sagemaker_"))


#: What makes a type use something, where nothing at all is no use.
VALUES: dict[str, dict[str, Any]] = {
    "aws_sagemaker_algorithm": {"validation_specification": [{"validation_role": "arn:aws:iam::1:role/r"}]},
    "aws_sagemaker_feature_group": {"online_store_config": [{"enable_online_store": True}]},
}


def footprint(kind: str, values: dict[str, Any]) -> PlanFootprint:
    return of_plan(plan(change(f"{kind}.one", {"region": "us-east-1", **values})))


def test_the_provider_has_the_types_that_are_listed() -> None:
    assert len(provider_types()) > 30
    assert set(provider_types()) >= FREE


@pytest.mark.parametrize("kind", [*provider_types(), "aws_sagemaker_not_invented_yet"])
def test_every_type_of_sagemaker_is_estimated_unknown_or_free(kind: str) -> None:
    found = footprint(kind, VALUES.get(kind, {}))
    assert (kind in FREE) == (not found.resources)
    for _, unknown in found.unknowns:
        assert unknown.reason
    assert found.resources == () or found.unknowns or found.after.get("energy")


def test_a_type_has_one_answer_only() -> None:
    assert not set(READERS) & (set(UNCOVERED) | FREE)
    assert not set(UNCOVERED) & FREE


def test_an_algorithm_that_is_not_validated_uses_nothing() -> None:
    assert footprint("aws_sagemaker_algorithm", {"algorithm_name": "a"}).resources == ()


def test_a_scheduled_monitoring_job_is_counted_once_at_its_definition() -> None:
    cluster = [{"instance_type": "ml.m5.xlarge", "instance_count": 1, "volume_size_in_gb": 20}]
    definition = {"name": "d", "region": "us-east-1", "job_resources": [{"cluster_config": cluster}]}
    schedule = {"monitoring_schedule_config": [{"monitoring_job_definition_name": "d"}]}
    found = of_plan(
        plan(
            change("aws_sagemaker_data_quality_job_definition.d", definition),
            change("aws_sagemaker_monitoring_schedule.s", schedule),
        )
    )
    assert [resource.type for resource in found.resources] == ["aws_sagemaker_data_quality_job_definition"]
    assert found.after.get("energy")
    lone = of_plan(plan(change("aws_sagemaker_monitoring_schedule.s", schedule)))
    assert "not in this plan" in lone.unknowns[0][1].reason
