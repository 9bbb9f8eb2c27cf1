"""Probe of a job: a short run with a tenth of its rounds, or with one object of each data set."""

from collections.abc import Iterator, Mapping
from typing import Any

from sustainable_mlops.aws import Client
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.channels import resolve_address
from sustainable_mlops.jobs.duration import find_rounds
from sustainable_mlops.jobs.kinds import JobKind
from sustainable_mlops.jobs.platform import Platform

#: Divisor of the rounds of a job for its probe.
_ROUNDS_DIVISOR = 10
#: Field of each kind's job file with the parameters of the script.
_PARAMETER_FIELDS = {"training": "hyperparameters", "processing": "arguments"}


def make_probe(kind: JobKind[Any], spec: Any, platform: Platform, s3: Client) -> Any:
    """Return the job file of a probe: it has fewer rounds, or else one object of each data set.

    Raises UserError if neither the rounds nor the data can be reduced.
    """
    parameters: Mapping[str, Any] = getattr(spec, "parameters", {})
    rounds = find_rounds(parameters)
    if rounds is not None and (field := _PARAMETER_FIELDS.get(kind.name)):
        name, count = rounds
        if (fewer := max(1, int(count) // _ROUNDS_DIVISOR)) < count:
            return spec.model_copy(update={field: {**parameters, name: fewer}})
    smaller = dict(_find_smaller_data(kind, spec, platform, s3))
    if not smaller:
        raise UserError(
            "--probe: no hyperparameter counts rounds, and each data set is one object, so there is no shorter run; "
            "run the job without --probe"
        )
    return _replace_data(kind.name, spec, smaller)


def _find_smaller_data(kind: JobKind[Any], spec: Any, platform: Platform, s3: Client) -> Iterator[tuple[str, str]]:
    """Yield each data set with several objects, with the address of its object of median size."""
    for name, location in kind.list_data(spec).items():
        bucket, prefix = S3Uri.parse(resolve_address(name, location, platform.buckets.data))
        response = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)  # the first 1000 objects are enough
        objects = sorted((item["Size"], item["Key"]) for item in response.get("Contents", []) if _has_data(item))
        if len(objects) > 1 and not (name in kind.list_sharded_channels(spec) and spec.compute.instance_count > 1):
            yield name, str(S3Uri(bucket, objects[len(objects) // 2][1]))


def _has_data(item: Mapping[str, Any]) -> bool:
    """Return False for an empty object, and for a marker such as `_SUCCESS`."""
    return item["Size"] > 0 and not item["Key"].rpartition("/")[2].startswith(("_", "."))


def _replace_data(kind: str, spec: Any, addresses: Mapping[str, str]) -> Any:
    if kind == "training":
        return spec.model_copy(update={"data": {**spec.data, **addresses}})
    if kind == "processing":
        inputs = {
            name: one.model_copy(update={"data": addresses[name]}) if name in addresses else one
            for name, one in spec.inputs.items()
        }
        return spec.model_copy(update={"inputs": inputs})
    (address,) = addresses.values()
    return spec.model_copy(update={"input": spec.input.model_copy(update={"data": address})})
