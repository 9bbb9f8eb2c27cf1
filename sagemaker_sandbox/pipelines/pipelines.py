"""Pipelines: their definitions by version, and the aliases of versions. `pipeline_executions` runs them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_sandbox.base.errors import ApiError, ConflictError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import build_page, is_created_within, is_descending
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now

if TYPE_CHECKING:
    from sagemaker_sandbox.pipelines.definition import PipelineDefinition

_MAX_ALIASES = 10
#: Members of a request that the description contains unchanged.
_DESCRIBED_MEMBERS = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


class SageMakerPipelines(ResourceFamily):
    """Handlers of the operations on pipelines and their versions.

    `private` holds the versions in order. A version is a dictionary with `id`, `definition`, `created` and `aliases`,
    and optionally `display_name`, `description` and `last_execution`.
    """

    arn_type = "pipeline"
    noun = "pipeline"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: Functions that return whether an execution of the pipeline of this name runs.
        self.usage_checks: list[Callable[[str], bool]] = []

    @emulated_operation
    def create_pipeline(self, request: Fields) -> Fields:
        """Create a pipeline with a valid definition. It is Active immediately."""
        name, token = request["PipelineName"], request["ClientRequestToken"]
        existing = self.find(name)
        if existing is not None:
            if existing.private["token"] == token:
                return {"PipelineArn": existing.arn}
            raise ValidationError(
                f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already "
                "exists."
            )
        definition = self._find_definition(request)
        if definition is None:
            raise ValidationError("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        aliases = request.get("PipelineVersionAliases", [])
        _check_aliases([], aliases, [])
        fields = {"PipelineDisplayName": name} | {
            member: request[member] for member in _DESCRIBED_MEMBERS if member in request
        }
        pipeline = self.add(name, fields, request.get("Tags"))
        pipeline.fields |= {"PipelineArn": pipeline.arn, "PipelineName": name, "PipelineStatus": "Active"}
        pipeline.fields |= {"CreatedBy": {}, "LastModifiedBy": {}}
        pipeline.private |= {"token": token, "versions": [_create_version(1, definition, aliases)]}
        return {"PipelineArn": pipeline.arn}

    def _find_definition(self, request: Fields) -> str | None:
        """Return the valid definition of a request, inline or in S3, or None. Raises ValidationError."""
        text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if text is not None and location is not None:
            raise ValidationError("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
        if location is not None:
            text = _read_definition(self.region.account_id, location)
        if text is not None:
            parse_definition(text)
        return text

    @emulated_operation
    def describe_pipeline(self, request: Fields) -> Fields:
        """Return the version with the requested ID or alias, or the latest."""
        pipeline = self.get(request["PipelineName"])
        version = self.find_version(pipeline, request)
        return pipeline.fields | {
            "PipelineDefinition": version["definition"],
            "PipelineVersionDisplayName": version.get("display_name"),
            "PipelineVersionDescription": version.get("description"),
            "PipelineVersionAliases": version["aliases"],
        }

    @emulated_operation
    def update_pipeline(self, request: Fields) -> Fields:
        """Change a pipeline. A different definition is a new version."""
        pipeline = self.get(request["PipelineName"])
        versions = pipeline.private["versions"]
        definition, aliases = self._find_definition(request), request.get("PipelineVersionAliases", [])
        has_new_definition = definition is not None and definition != versions[-1]["definition"]
        if aliases and not has_new_definition:
            raise ValidationError(
                "PipelineVersionAliases can be specified only when the update changes the pipeline definition. To "
                "change the aliases of an existing version, use UpdatePipelineVersion."
            )
        _check_aliases([], aliases, versions)
        if has_new_definition and definition is not None:
            versions.append(_create_version(versions[-1]["id"] + 1, definition, aliases))
        pipeline.fields |= {member: request[member] for member in _DESCRIBED_MEMBERS if member in request}
        pipeline.fields["LastModifiedTime"] = now()
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": versions[-1]["id"]}

    @emulated_operation
    def list_pipelines(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        prefix = request.get("PipelineNamePrefix", "")
        summaries = [
            pipeline.fields | {"LastExecutionTime": pipeline.fields.get("LastRunTime")}
            for pipeline in self
            if pipeline.name.startswith(prefix)
            and is_created_within(pipeline.fields["CreationTime"], request)
            and request.get("ManagedBy", "CUSTOMER") == "CUSTOMER"
        ]
        sort_by = "PipelineName" if request.get("SortBy") == "Name" else "CreationTime"
        summaries.sort(key=lambda fields: fields[sort_by], reverse=is_descending(request))
        return build_page("ListPipelines", request, summaries)

    @emulated_operation
    def delete_pipeline(self, request: Fields) -> Fields:
        """Delete a pipeline with its executions. Refuse this while one runs."""
        pipeline = self.get(request["PipelineName"])
        if any(is_used(pipeline.name) for is_used in self.usage_checks):
            raise ConflictError(f"Pipeline {pipeline.arn} cannot be deleted while an execution of it is running.")
        self.remove(pipeline)
        return {"PipelineArn": pipeline.arn}

    @emulated_operation
    def list_pipeline_versions(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        pipeline = self.get(request["PipelineName"])
        summaries = [
            {
                "PipelineArn": pipeline.arn,
                "PipelineVersionId": version["id"],
                "CreationTime": version["created"],
                "PipelineVersionDescription": version.get("description"),
                "PipelineVersionDisplayName": version.get("display_name"),
                "LastExecutionPipelineExecutionArn": version.get("last_execution"),
                "PipelineVersionAliases": version["aliases"],
            }
            for version in pipeline.private["versions"]
            if is_created_within(version["created"], request)
        ]
        return build_page("ListPipelineVersions", request, summaries[::-1] if is_descending(request) else summaries)

    @emulated_operation
    def update_pipeline_version(self, request: Fields) -> Fields:
        """Change name, description or aliases of a version."""
        pipeline = self.get(request["PipelineArn"])
        version = self.find_version(pipeline, {"PipelineVersionId": request["PipelineVersionId"]})
        operations = request.get("PipelineVersionAliasOperations", {})
        removed, added = operations.get("Remove", []), operations.get("Add", [])
        for alias in removed:
            if alias not in version["aliases"]:
                raise ValidationError(f"Alias '{alias}' is not an alias of version {version['id']} of the pipeline.")
        remaining = [alias for alias in version["aliases"] if alias not in removed]
        _check_aliases(remaining, added, [other for other in pipeline.private["versions"] if other is not version])
        version["aliases"] = [*remaining, *added]
        for member, key in (
            ("PipelineVersionDisplayName", "display_name"),
            ("PipelineVersionDescription", "description"),
        ):
            if member in request:
                version[key] = request[member]
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": version["id"]}

    def find_version(self, pipeline: SageMakerResource, request: Fields) -> Fields:
        """Return the version with the requested ID or alias, or the latest. Raises ResourceNotFoundError."""
        versions: list[Fields] = pipeline.private["versions"]
        number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
        if number is not None and alias is not None:
            raise ValidationError("PipelineVersionId and PipelineVersionAlias cannot both be specified.")
        if number is None and alias is None:
            return versions[-1]
        for version in versions:
            if version["id"] == number or alias in version["aliases"]:
                return version
        description = f"version {number}" if alias is None else f"version with alias '{alias}'"
        raise ResourceNotFoundError(f"Pipeline '{pipeline.arn}' has no {description}.")

    def create_not_found_error(self, name: str) -> ApiError:
        """Return the error, which pipelines have of their own."""
        return ResourceNotFoundError(f"Pipeline '{self.build_arn(name)}' does not exist.")


def parse_definition(definition: str) -> "PipelineDefinition":
    """Return a valid definition. Raises ApiError."""
    # Imported here: the engine loads with the first pipeline.
    from sagemaker_sandbox.pipelines.checks import check_definition

    return check_definition(definition)


def _create_version(number: int, definition: str, aliases: list[str]) -> Fields:
    return {"id": number, "definition": definition, "created": now(), "aliases": list(aliases)}


def _check_aliases(existing: list[str], added: list[str], others: list[Fields]) -> None:
    used = {alias for version in others for alias in version["aliases"]}
    for number, alias in enumerate(added):
        if alias.isdecimal():
            raise ValidationError(f"Alias '{alias}' cannot consist of digits only.")
        if alias in used or alias in existing or alias in added[:number]:
            raise ConflictError(f"Alias '{alias}' is already used in the pipeline. Remove it from its version first.")
    if len(existing) + len(added) > _MAX_ALIASES:
        raise ValidationError(f"A pipeline version can have at most {_MAX_ALIASES} aliases.")


def _read_definition(account: str, location: Fields) -> str:
    """Return the text of an S3 object from moto's state.

    A handler holds the Region's lock, so it sends no request.
    """
    from moto.core.exceptions import ServiceException
    from moto.s3.models import s3_backends

    uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    try:
        stored_object = s3_backends[account]["aws"].get_object(
            location["Bucket"], location["ObjectKey"], location.get("VersionId")
        )
    except ServiceException:
        stored_object = None
    if stored_object is None:
        raise ValidationError(f"Unable to access the pipeline definition at {uri}. Ensure that it exists.")
    try:
        return str(stored_object.value.decode())
    except UnicodeDecodeError:
        raise ValidationError(f"Unable to parse pipeline definition. The object {uri} is not UTF-8.") from None
