"""Check of SageMaker's responses against botocore's service model."""

import json
from collections.abc import Iterator
from typing import Any

import botocore
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sustainable_mlops.aws.constraints import WrongTypeError, list_violations


def check_response(**event: Any) -> None:
    """Fail if a response does not fit its shape. `event` is botocore's `after-call`. Errors have no shape."""
    http_response, model = event["http_response"], event["model"]
    is_stubbed = http_response.raw is None
    if not is_stubbed and http_response.status_code < 300 and model.output_shape is not None:
        problems = list(list_problems(json.loads(http_response.content), model.output_shape, model.name))
        assert not problems, problems


def check_all_responses() -> None:
    """Check every response that a client of this process receives from now on."""
    botocore.register_initializer(lambda session: session.register("after-call.sagemaker", check_response))


def list_problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield wrong types, missing required members, unknown members and unknown values of enumerations.

    Patterns and lengths are not checked: AWS's own responses break those in botocore's model.
    """
    try:
        list(list_violations(value, shape))
    except WrongTypeError as error:
        yield f"{path}: {error}"
        return
    yield from _list_inner_problems(value, shape, path)


def _list_inner_problems(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        yield from (f"{path}.{name} is unknown" for name in value if name not in shape.members)
        yield from (f"{path}.{name} is missing" for name in shape.required_members if value.get(name) is None)
        for name in shape.members.keys() & value.keys():
            yield from _list_inner_problems(value[name], shape.members[name], f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _list_inner_problems(item, shape.member, f"{path}[]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _list_inner_problems(item, shape.value, f"{path}.{key}")
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, none of {shape.enum}"
