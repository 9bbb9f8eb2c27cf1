"""No type of SageMaker passes without a word: it is estimated, unknown with a reason, or known to use nothing."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import PlanFootprint, estimate_plan
from sustainable_mlops.footprint.coverage import FREE_TYPES, UNCOVERED_TYPES
from sustainable_mlops.footprint.plan_footprint import READERS
from tests.plan.plan_builder import build_change, build_plan


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
    return estimate_plan(build_plan(build_change(f"{kind}.one", {"region": "us-east-1", **values})))


def test_the_provider_has_the_types_that_are_listed() -> None:
    assert len(provider_types()) > 30
    assert set(provider_types()) >= FREE_TYPES


@pytest.mark.parametrize("kind", [*provider_types(), "aws_sagemaker_not_invented_yet"])
def test_every_type_of_sagemaker_is_estimated_unknown_or_free(kind: str) -> None:
    found = footprint(kind, VALUES.get(kind, {}))
    assert (kind in FREE_TYPES) == (not found.resources)
    for _, unknown in found.unknowns:
        assert unknown.reason
    assert found.resources == () or found.unknowns or found.after.get("energy")


def test_a_type_has_one_answer_only() -> None:
    assert not set(READERS) & (set(UNCOVERED_TYPES) | FREE_TYPES)
    assert not set(UNCOVERED_TYPES) & FREE_TYPES


def test_an_algorithm_that_is_not_validated_uses_nothing() -> None:
    assert footprint("aws_sagemaker_algorithm", {"algorithm_name": "a"}).resources == ()


@pytest.mark.parametrize("kind", ["aws_lb", "aws_glue_job", "aws_db_instance", "aws_ecr_repository"])
def test_what_holds_bytes_or_runs_machines_outside_sagemaker_is_unknown(kind: str) -> None:
    assert [unknown.subject for _, unknown in footprint(kind, {"name": "n"}).unknowns] == [kind]


def types_of_the_provider() -> set[str]:
    """Without underscores, as the names of the bindings' files are."""
    found = find_spec("cdktn_provider_aws")
    assert found is not None
    places = found.submodule_search_locations or ()
    return {f"aws{path.name.replace('_', '')}" for place in places for path in Path(place).iterdir()}


def test_the_types_that_are_read_or_not_covered_are_types_of_the_provider() -> None:
    """But for HyperPod's clusters, which the provider may have one day."""
    named = {*READERS, *UNCOVERED_TYPES, *FREE_TYPES}
    assert {kind for kind in named if kind.replace("_", "") not in types_of_the_provider()} == {"aws_sagemaker_cluster"}


#: What the name of a type that runs machines ends with.
_RUNS = re.compile(
    r"(.*_)?(broker|cluster|environment|fleet|hsm|host|instance|job|microvm|node_group|replicator|reservation|runtime)"
)
#: Those that end so and run none: they name, join or watch what others run, or are a service's own settings.
_RUNS_NONE = """
    amplify_backend_environment appconfig_environment cloudformation_stack_set_instance cloudhsm_v2_cluster
    codeconnections_host codestarconnections_host connect_instance docdb_global_cluster ec2_subnet_cidr_reservation
    ecs_cluster emrcontainers_virtual_cluster finspace_kx_environment macie2_classification_job
    memorydb_multi_region_cluster neptune_global_cluster rds_global_cluster route53_traffic_policy_instance
    s3_control_access_grants_instance service_discovery_instance signer_signing_job verifiedaccess_instance
"""


def test_every_type_of_the_provider_that_by_its_name_runs_machines_is_counted_or_listed() -> None:
    listed = {kind.replace("_", "") for kind in (*READERS, *UNCOVERED_TYPES, *FREE_TYPES)}
    found = find_spec("cdktn_provider_aws")
    assert found is not None
    places = found.submodule_search_locations or ()
    names = {path.name for place in places for path in Path(place).iterdir() if not path.name.startswith("data_aws_")}
    runs = {name for name in names if _RUNS.fullmatch(name) and f"aws{name.replace('_', '')}" not in listed}
    assert runs == set(_RUNS_NONE.split())
