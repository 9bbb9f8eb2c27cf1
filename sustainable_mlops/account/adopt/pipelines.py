"""Pipelines with their definitions."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from sustainable_mlops.account.adopt.adoption import AdoptedObject, ExcludedObject, ExclusionError, ImportedResource
from sustainable_mlops.account.adopt.fields import Fields, Nested, add_tags, convert, make_layout
from sustainable_mlops.account.adopt.reader import Candidate, Reader
from sustainable_mlops.account.adopt.secrets import list_secrets

KIND = "pipeline"
#: Maximum number of locations in a reason.
_MOST_LOCATIONS = 5
ACTIONS = ("sagemaker:ListPipelines", "sagemaker:DescribePipeline", "sagemaker:ListTags")
_TYPE = "aws_sagemaker_pipeline"
TYPES = (_TYPE,)
_FIELDS: Fields = {
    "PipelineArn": None,
    "PipelineStatus": None,
    "CreationTime": None,
    "LastModifiedTime": None,
    "LastRunTime": None,
    "CreatedBy": None,
    "LastModifiedBy": None,
    "PipelineVersionDisplayName": None,
    "PipelineVersionDescription": None,
    "PipelineVersionAliases": None,
    "PipelineDefinition": None,
    "PipelineName": "pipeline_name",
    "PipelineDisplayName": "pipeline_display_name",
    "PipelineDescription": "pipeline_description",
    "RoleArn": "role_arn",
    "ParallelismConfiguration": Nested(
        "parallelism_configuration", {"MaxParallelExecutionSteps": "max_parallel_execution_steps"}
    ),
}


def read_pipelines(reader: Reader) -> Iterator[AdoptedObject | ExcludedObject]:
    """Yield the selected pipelines."""
    yield from reader.read_each(KIND, _list_candidates(reader))


def _list_candidates(reader: Reader) -> Iterator[Candidate]:
    for pipeline in reader.account.list_all("sagemaker", "list_pipelines", "PipelineSummaries"):
        name, arn = pipeline["PipelineName"], pipeline["PipelineArn"]
        if reader.check_selection(KIND, name, identifiers=[arn], tags=partial(reader.read_sagemaker_tags, arn)):
            yield name, partial(_read_pipeline, reader, name)


def _read_pipeline(reader: Reader, name: str) -> AdoptedObject:
    """Return one pipeline, and its definition as a file. Raises ExclusionError if it has secrets or is not active."""
    pipeline = reader.describe("describe_pipeline", PipelineName=name)
    if pipeline.get("PipelineStatus") != "Active":
        raise ExclusionError(f"its status is {pipeline.get('PipelineStatus')}; wait until it is Active, and run again")
    _check_definition(pipeline["PipelineDefinition"])
    body: dict[str, Any] = convert(pipeline, _FIELDS)
    body.setdefault("pipeline_display_name", name)
    file = f"pipelines/{name}.json"
    body["pipeline_definition"] = f'${{file("${{path.module}}/{file}")}}'
    body = add_tags(body, reader.read_sagemaker_tags(pipeline["PipelineArn"]))
    resource = ImportedResource(_TYPE, reader.choose_label(_TYPE, name), name, body, make_layout(_FIELDS))
    # The text as it is: the provider compares it character by character.
    return AdoptedObject(KIND, name, (resource,), {file: pipeline["PipelineDefinition"]})


def _check_definition(definition: str) -> None:
    """Raise ExclusionError if a definition has values that may be secrets: the file would contain them."""
    locations = list_secrets(definition)
    if locations:
        more = f" and {len(locations) - _MOST_LOCATIONS} more" if len(locations) > _MOST_LOCATIONS else ""
        raise ExclusionError(
            f"its definition may have secrets: {', '.join(locations[:_MOST_LOCATIONS])}{more}; "
            "move them to Secrets Manager, or adopt it manually"
        )
