"""Major version of the AWS provider."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, load
from sustainable_mlops.plan.provider_version import AWS
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES

MODEL = "aws_sagemaker_model.m"


def find_major(*constraints: str, full_name: str = AWS, changes: tuple[Any, ...] = ()) -> Any:
    providers = {
        f"module.m{position}:aws": {"name": "aws", "full_name": full_name, "version_constraint": constraint}
        for position, constraint in enumerate(constraints)
    }
    return build_plan(*changes, configuration={"provider_config": providers}).provider_major


@check_cases(
    ("constraints", "expected"),
    [
        (["5.100.0"], 5),
        (["= 6.2.0"], 6),
        (["~> 5.40"], 5),
        (["~> 5"], 5),
        (["~> 6.1.2"], 6),
        ([">= 5.0.0, < 6.0.0"], 5),
        ([">= 5.0.0, != 5.9.0, <= 5.100.0"], 5),
        ([">= 5.0.0", "< 6.0.0-beta1"], 5),
        ([">= 5.100.0"], UNKNOWN),
        ([">= 5.0.0, < 6.1.0"], UNKNOWN),
        ([">= 6.0.0", "5.100.0"], UNKNOWN),
        (["latest", ""], UNKNOWN),
    ],
)
def test_constraints_together_pin_the_version(constraints: list[str], expected: Any) -> None:
    assert find_major(*constraints) is expected


def test_the_opentofu_registry_is_recognized() -> None:
    assert find_major("~> 5.40", full_name="registry.opentofu.org/hashicorp/aws") == 5


def test_constraints_of_another_provider_are_ignored() -> None:
    assert find_major("~> 5.0", full_name="registry.terraform.io/hashicorp/awscc") is UNKNOWN


def test_resources_tell_the_version_without_a_constraint() -> None:
    known, unknown = (
        build_change(MODEL, {"name": "m", "region": "eu-north-1"}),
        build_change(MODEL, {}, unknown={"region": True}),
    )
    assert find_major(">= 5.0.0", changes=(known,)) == 6
    assert find_major(changes=(unknown,)) == 6
    assert find_major(changes=(build_change(MODEL, {"name": "m"}),)) == 5
    assert find_major(changes=(build_change(MODEL, before={"name": "m", "region": None}),)) == 6
    bucket = build_change("aws_s3_bucket.b", {"bucket": "b"}, unknown={"region": True})  # 5.x has this attribute too
    assert find_major(changes=(bucket,)) is UNKNOWN


def test_a_real_plan_of_5_100_tells_the_version() -> None:
    assert load(FIXTURES / "platform.json").provider_major == 5
