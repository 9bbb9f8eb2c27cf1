"""Whether the answers of SageMaker's control plane are what botocore's service model says that they are."""

import json
from collections.abc import Iterator
from typing import Any

import botocore
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sustainable_mlops.aws.constraints import WrongTypeError, violations


def check(**event: Any) -> None:
    """Fail for an answer that does not fit; errors have no shape. `event` is botocore's `after-call`."""
    http_response, model = event["http_response"], event["model"]
    stubbed = http_response.raw is None
    if not stubbed and http_response.status_code < 300 and model.output_shape is not None:
        found = list(problems(json.loads(http_response.content), model.output_shape, model.name))
        assert not found, found


def watch() -> None:
    """Check every answer that a client of this process gets from now on."""
    botocore.register_initializer(lambda session: session.register("after-call.sagemaker", check))


def problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Wrong types, missing required members, members and values of enumerations that the model does not have.

    Patterns and lengths are not looked at: AWS itself breaks those that botocore has for what it answers.
    """
    try:
        list(violations(value, shape))
    except WrongTypeError as error:
        yield f"{path}: {error}"
        return
    yield from _inside(value, shape, path)


def _inside(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from (f"{path}.{name} is unknown" for name in value if name not in shape.members)
        yield from (f"{path}.{name} is missing" for name in shape.required_members if value.get(name) is None)
        for name in shape.members.keys() & value.keys():
            yield from _inside(value[name], shape.members[name], f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _inside(item, shape.member, f"{path}[]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _inside(item, shape.value, f"{path}.{key}")
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {shape.enum}"
