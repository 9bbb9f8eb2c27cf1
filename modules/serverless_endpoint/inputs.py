"""Inputs of `serverless_endpoint`."""

from typing import Annotated

from modules.endpoints.inputs import EndpointInputs, SingleContainerInputs
from modules.serverless_endpoint.unsupported_inputs import UnsupportedInputs
from sustainable_mlops.authoring import Field, ModuleInputs, one_of, rule
from sustainable_mlops.authoring.expressions import can, is_null, match
from sustainable_mlops.catalogue.images import FOR_SILICON
from sustainable_mlops.catalogue.limits import limit, serverless_memory_mb
from sustainable_mlops.catalogue.quotas import serverless_concurrency

AT_ONCE = limit("serverless_concurrency")
_NOT_FOR_X86 = "|".join(pattern for silicon, pattern in FOR_SILICON.items() if silicon != "x86")


class ProvisionedConcurrency(ModuleInputs):
    min: int = Field(ge=1, le=AT_ONCE, description="Workers kept warm, and billed, at all times.")
    max: int = Field(ge=1, le=AT_ONCE, description="Most workers kept warm; at most max_concurrency.")
    target_utilization: float = Field(
        0.7, ge=0.1, le=1, description="Share of the warm workers that autoscaling keeps busy, from 0.1 to 1."
    )


class Inputs(EndpointInputs, SingleContainerInputs, UnsupportedInputs):
    max_concurrency: int = Field(
        5,
        ge=1,
        le=AT_ONCE,
        description="Maximum concurrent requests; more are throttled. All serverless endpoints of an account share a "
        f"quota in each Region, {serverless_concurrency().default} in a new account.",
    )
    memory_mb: Annotated[int, one_of(serverless_memory_mb())] = Field(
        2048, description="Memory of one worker, in MB; its vCPUs follow."
    )
    provisioned_concurrency: ProvisionedConcurrency | None = Field(
        None, description="Workers kept warm against cold starts, with autoscaling; none by default, to scale to zero."
    )

    rules = (
        rule(
            "image_uri",
            lambda v: is_null(v.image_uri) | ~can(match(_NOT_FOR_X86, v.image_uri)),
            "this image is for GPU, Graviton or Inferentia, and a serverless endpoint has x86 alone; use the image for "
            "that.",
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
