"""Every SageMaker type is estimated, unknown with a reason, or known to have no footprint."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform
from sustainable_mlops.catalogue.service_prices import load_by_type
from sustainable_mlops.footprint import PlanFootprint, estimate_plan
from sustainable_mlops.footprint.coverage import FREE_TYPES, UNCOVERED_TYPES, UNLISTED, find_uncovered
from sustainable_mlops.footprint.services.readers import READERS, find_reader
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan


def list_sagemaker_types() -> list[str]:
    """Return every SageMaker resource of the provider version of the modules."""
    spec = find_spec("cdktn_provider_aws")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    names = [path.name for place in spec.submodule_search_locations for path in Path(place).iterdir()]
    return sorted(f"aws_{name}" for name in names if name.startswith("sagemaker_"))


#: Attributes that give a type a footprint.
VALUES: dict[str, dict[str, Any]] = {
    "aws_sagemaker_algorithm": {"validation_specification": [{"validation_role": "arn:aws:iam::1:role/r"}]},
    "aws_sagemaker_feature_group": {"online_store_config": [{"enable_online_store": True}]},
}


def make_type_footprint(kind: str, values: dict[str, Any]) -> PlanFootprint:
    return estimate_plan(build_plan(build_change(f"{kind}.one", {"region": "us-east-1", **values})))


def test_the_provider_has_the_free_types() -> None:
    assert len(list_sagemaker_types()) > 30
    assert set(list_sagemaker_types()) >= FREE_TYPES


@check_cases("kind", [*list_sagemaker_types(), "aws_sagemaker_not_invented_yet"])
def test_every_type_of_sagemaker_is_estimated_unknown_or_free(kind: str) -> None:
    result = make_type_footprint(kind, VALUES.get(kind, {}))
    assert (kind in FREE_TYPES) == (not result.resources)
    for _, unknown in result.unknowns:
        assert unknown.reason
    assert result.resources == () or result.unknowns or result.after.get("energy")


def test_a_type_is_in_one_list_only() -> None:
    assert not set(READERS) & (set(UNCOVERED_TYPES) | FREE_TYPES)


def test_each_type_in_the_table_of_readers_has_one() -> None:
    assert [kind for kind in READERS if not callable(find_reader(kind))] == []
    assert find_reader("aws_iam_role") is None
    assert not set(UNCOVERED_TYPES) & FREE_TYPES


def test_an_algorithm_without_validation_has_no_footprint() -> None:
    assert make_type_footprint("aws_sagemaker_algorithm", {"algorithm_name": "a"}).resources == ()


@check_cases("kind", ["aws_glue_job", "aws_db_instance", "aws_ecr_repository"])
def test_stores_and_instances_outside_sagemaker_are_unknown(kind: str) -> None:
    assert [unknown.subject for _, unknown in make_type_footprint(kind, {"name": "n"}).unknowns] == [kind]


def list_provider_types() -> set[str]:
    """Return all types without underscores, as in the file names of the bindings."""
    spec = find_spec("cdktn_provider_aws")
    assert spec is not None
    places = spec.submodule_search_locations or ()
    return {f"aws{path.name.replace('_', '')}" for place in places for path in Path(place).iterdir()}


@pytest.mark.slow
def test_all_listed_types_are_types_of_the_provider() -> None:
    """HyperPod clusters may come in the future; the provider of the modules has dropped OpsWorks and WorkLink."""
    types = {*READERS, *UNCOVERED_TYPES, *FREE_TYPES}
    assert {kind for kind in types if kind.replace("_", "") not in list_provider_types()} == {
        "aws_opsworks_instance",
        "aws_sagemaker_cluster",
        "aws_worklink_fleet",
    }


#: Name endings of types that run instances.
_RUNS = re.compile(
    r"(.*_)?(broker|cluster|environment|fleet|hsm|host|instance|job|microvm|node_group|replicator|reservation|runtime)"
)
#: Types with such a name and without instances.
_RUNS_NONE = """
    amplify_backend_environment appconfig_environment cloudformation_stack_set_instance cloudhsm_v2_cluster
    codeconnections_host codestarconnections_host connect_instance docdb_global_cluster ec2_subnet_cidr_reservation
    ecs_cluster emrcontainers_virtual_cluster finspace_kx_environment macie2_classification_job
    memorydb_multi_region_cluster neptune_global_cluster rds_global_cluster s3_control_access_grants_instance
    service_discovery_instance signer_signing_job verifiedaccess_instance
"""


@pytest.mark.plan
def test_every_type_of_the_provider_is_estimated_priced_listed_or_free(tmp_path: Path) -> None:
    """Each type of the provider is classified."""
    (tmp_path / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
    )
    terraform = Terraform(tmp_path)
    terraform.init()
    (schema,) = json.loads(terraform.run("providers", "schema", "-json"))["provider_schemas"].values()
    types = schema["resource_schemas"]
    assert len(types) > 1500
    unlisted = [
        kind for kind in types if kind not in READERS and (item := find_uncovered(kind)) and item.reason == UNLISTED
    ]
    assert unlisted == []


def test_every_type_with_the_name_of_an_instance_is_counted_or_listed() -> None:
    known_types = {kind.replace("_", "") for kind in (*READERS, *UNCOVERED_TYPES, *FREE_TYPES, *load_by_type())}
    spec = find_spec("cdktn_provider_aws")
    assert spec is not None
    places = spec.submodule_search_locations or ()
    names = {path.name for place in places for path in Path(place).iterdir() if not path.name.startswith("data_aws_")}
    runs = {name for name in names if _RUNS.fullmatch(name) and f"aws{name.replace('_', '')}" not in known_types}
    assert runs == set(_RUNS_NONE.split())
