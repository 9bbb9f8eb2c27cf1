"""Inputs of `serverless_endpoint`."""

from typing import Annotated

from modules.common import REGIONS, EntityName, OptionalLocation, require_role_of_location
from modules.endpoints.inputs import EndpointInputs, ImageUri, SingleContainerInputs
from modules.location import find_region, require_image_in_region, require_key_in_region, require_package_in_region
from modules.serverless_endpoint.unsupported_inputs import UnsupportedInputs
from sustainable_mlops.authoring import Field, ModuleInputs, one_of, rule
from sustainable_mlops.authoring.expressions import can, contains, is_null, match
from sustainable_mlops.catalogue.images import build_exclusion
from sustainable_mlops.catalogue.limits import get_limit, list_serverless_memory_mb
from sustainable_mlops.catalogue.quotas import find_serverless_concurrency
from sustainable_mlops.catalogue.regions import load_all as regions

#: Regions without SageMaker Serverless Inference.
WITHOUT_SERVERLESS = [name for name in REGIONS if name not in regions() or not regions()[name].has_serverless]
AT_ONCE = get_limit("serverless_concurrency")


class ProvisionedConcurrency(ModuleInputs):
    min: int = Field(ge=1, le=AT_ONCE, description="Minimum number of warm workers. They are billed at all times.")
    max: int = Field(ge=1, le=AT_ONCE, description="Maximum number of warm workers; at most max_concurrency.")
    target_utilization: float = Field(
        0.7, ge=0.1, le=1, description="Target utilization of the warm workers, from 0.1 to 1."
    )


class Inputs(EndpointInputs, OptionalLocation, SingleContainerInputs, UnsupportedInputs):
    image_uri: ImageUri | None = Field(None, description="Container image in Amazon ECR, for x86.")
    inference_specification_name: EntityName | None = Field(
        None,
        description="Additional inference specification of the package to use, with an image for x86. Default: the "
        "package's main specification.",
    )
    max_concurrency: int = Field(
        5,
        ge=1,
        le=AT_ONCE,
        description="Maximum concurrent requests; more are throttled. All serverless endpoints of an account share a "
        f"quota in each Region, {find_serverless_concurrency().default} in a new account.",
    )
    memory_mb: Annotated[int, one_of(list_serverless_memory_mb())] = Field(
        2048, description="Memory of one worker, in MB. It determines the vCPUs."
    )
    provisioned_concurrency: ProvisionedConcurrency | None = Field(
        None, description="Warm workers with autoscaling, to avoid cold starts. Default: none, so it scales to zero."
    )

    rules = (
        require_role_of_location(),
        require_key_in_region(read_region=find_region),
        require_image_in_region(read_region=find_region),
        require_package_in_region(read_region=find_region),
        rule(
            "kms_key_arn",
            lambda v: ~contains(WITHOUT_SERVERLESS, find_region(v)),
            lambda v: (
                f"SageMaker has no Serverless Inference in {find_region(v)}; use another Region, or a real-time "
                "endpoint."
            ),
        ),
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~can(match(build_exclusion("x86"), v.image_uri)),
            "this image is for GPU, Graviton or Inferentia, and a serverless endpoint has only x86; use an image for "
            "x86.",
        ),
        rule(
            "provisioned_concurrency",
            lambda v: (
                is_null(v.provisioned_concurrency)
                | (
                    (v.provisioned_concurrency.min <= v.provisioned_concurrency.max)
                    & (v.provisioned_concurrency.max <= v.max_concurrency)
                )
            ),
            "min must be at most max, and max at most max_concurrency.",
        ),
    )
