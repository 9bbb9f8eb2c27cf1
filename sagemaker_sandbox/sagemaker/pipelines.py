"""Pipelines: their definitions, by version, and the aliases of these. `pipeline_executions` runs them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_sandbox.errors import ApiError, ConflictError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.listing import created_within, cut, descending
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields, SageMakerResource, now

if TYPE_CHECKING:
    from sagemaker_sandbox.pipelines.definition import Definition

_MOST_ALIASES = 10
#: Members of a request that Describe answers as they are.
_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


class Pipelines(ResourceFamily):
    """Create, Describe, Update, List and DeletePipeline; ListPipelineVersions and UpdatePipelineVersion.

    `private` holds the versions, the first first: dictionaries with `id`, `definition`, `created`, `aliases`, and where
    there are any `display_name`, `description` and `last_execution`.
    """

    arn_type = "pipeline"
    noun = "pipeline"

    def __init__(self, region: AccountRegion) -> None:
        super().__init__(region)
        #: Asked for what still runs of the pipeline of that name.
        self.in_use: list[Callable[[str], bool]] = []

    @emulated_operation
    def create_pipeline(self, request: Fields) -> Fields:
        """Active at once; refused where the definition is."""
        name, token = request["PipelineName"], request["ClientRequestToken"]
        existing = self.find(name)
        if existing is not None:
            if existing.private["token"] == token:
                return {"PipelineArn": existing.arn}
            raise ValidationError(
                f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already "
                "exists."
            )
        definition = self._definition(request)
        if definition is None:
            raise ValidationError("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
        aliases = request.get("PipelineVersionAliases", [])
        _check_aliases([], aliases, [])
        fields = {"PipelineDisplayName": name} | {member: request[member] for member in _KEPT if member in request}
        pipeline = self.add(name, fields, request.get("Tags"))
        pipeline.fields |= {"PipelineArn": pipeline.arn, "PipelineName": name, "PipelineStatus": "Active"}
        pipeline.fields |= {"CreatedBy": {}, "LastModifiedBy": {}}
        pipeline.private |= {"token": token, "versions": [_version(1, definition, aliases)]}
        return {"PipelineArn": pipeline.arn}

    def _definition(self, request: Fields) -> str | None:
        """The definition that a request gives, inline or in S3, once it is found good; None where it gives none."""
        given, place = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if given is not None and place is not None:
            raise ValidationError("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
        if place is not None:
            given = _read(self.region.account_id, place)
        if given is not None:
            parsed(given)
        return given

    @emulated_operation
    def describe_pipeline(self, request: Fields) -> Fields:
        """The version asked for by id or alias, else the latest."""
        pipeline = self.get(request["PipelineName"])
        version = self.version(pipeline, request)
        return pipeline.fields | {
            "PipelineDefinition": version["definition"],
            "PipelineVersionDisplayName": version.get("display_name"),
            "PipelineVersionDescription": version.get("description"),
            "PipelineVersionAliases": version["aliases"],
        }

    @emulated_operation
    def update_pipeline(self, request: Fields) -> Fields:
        """Another definition is another version."""
        pipeline = self.get(request["PipelineName"])
        versions = pipeline.private["versions"]
        definition, aliases = self._definition(request), request.get("PipelineVersionAliases", [])
        changed = definition is not None and definition != versions[-1]["definition"]
        if aliases and not changed:
            raise ValidationError(
                "PipelineVersionAliases can be specified only when the update changes the pipeline definition. To "
                "change the aliases of an existing version, use UpdatePipelineVersion."
            )
        _check_aliases([], aliases, versions)
        if changed and definition is not None:
            versions.append(_version(versions[-1]["id"] + 1, definition, aliases))
        pipeline.fields |= {member: request[member] for member in _KEPT if member in request}
        pipeline.fields["LastModifiedTime"] = now()
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": versions[-1]["id"]}

    @emulated_operation
    def list_pipelines(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        prefix = request.get("PipelineNamePrefix", "")
        found = [
            pipeline.fields | {"LastExecutionTime": pipeline.fields.get("LastRunTime")}
            for pipeline in self
            if pipeline.name.startswith(prefix)
            and created_within(pipeline.fields["CreationTime"], request)
            and request.get("ManagedBy", "CUSTOMER") == "CUSTOMER"
        ]
        by = "PipelineName" if request.get("SortBy") == "Name" else "CreationTime"
        found.sort(key=lambda fields: fields[by], reverse=descending(request))
        return cut("ListPipelines", request, found)

    @emulated_operation
    def delete_pipeline(self, request: Fields) -> Fields:
        """With all its executions; refused while one runs."""
        pipeline = self.get(request["PipelineName"])
        if any(uses(pipeline.name) for uses in self.in_use):
            raise ConflictError(f"Pipeline {pipeline.arn} cannot be deleted while an execution of it is running.")
        self.remove(pipeline)
        return {"PipelineArn": pipeline.arn}

    @emulated_operation
    def list_pipeline_versions(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        pipeline = self.get(request["PipelineName"])
        found = [
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
            if created_within(version["created"], request)
        ]
        return cut("ListPipelineVersions", request, found[::-1] if descending(request) else found)

    @emulated_operation
    def update_pipeline_version(self, request: Fields) -> Fields:
        """Name and describe a version; give it aliases, or take them away."""
        pipeline = self.get(request["PipelineArn"])
        version = self.version(pipeline, {"PipelineVersionId": request["PipelineVersionId"]})
        operations = request.get("PipelineVersionAliasOperations", {})
        gone, added = operations.get("Remove", []), operations.get("Add", [])
        for alias in gone:
            if alias not in version["aliases"]:
                raise ValidationError(f"Alias '{alias}' is not an alias of version {version['id']} of the pipeline.")
        kept = [alias for alias in version["aliases"] if alias not in gone]
        _check_aliases(kept, added, [other for other in pipeline.private["versions"] if other is not version])
        version["aliases"] = [*kept, *added]
        for member, key in (
            ("PipelineVersionDisplayName", "display_name"),
            ("PipelineVersionDescription", "description"),
        ):
            if member in request:
                version[key] = request[member]
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": version["id"]}

    def version(self, pipeline: SageMakerResource, request: Fields) -> Fields:
        """The version that a request names by id or alias, else the latest; raises ResourceNotFoundError."""
        versions: list[Fields] = pipeline.private["versions"]
        number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
        if number is not None and alias is not None:
            raise ValidationError("PipelineVersionId and PipelineVersionAlias cannot both be specified.")
        if number is None and alias is None:
            return versions[-1]
        for version in versions:
            if version["id"] == number or alias in version["aliases"]:
                return version
        wanted = f"version {number}" if alias is None else f"version with alias '{alias}'"
        raise ResourceNotFoundError(f"Pipeline '{pipeline.arn}' has no {wanted}.")

    def not_found(self, name: str) -> ApiError:
        """Pipelines have an error of their own."""
        return ResourceNotFoundError(f"Pipeline '{self.build_arn(name)}' does not exist.")


def parsed(definition: str) -> "Definition":
    """A definition that is good; raises ApiError."""
    # Here, not above: the engine is loaded when the first pipeline comes.
    from sagemaker_sandbox.pipelines.checks import check

    return check(definition)


def _version(number: int, definition: str, aliases: list[str]) -> Fields:
    return {"id": number, "definition": definition, "created": now(), "aliases": list(aliases)}


def _check_aliases(kept: list[str], added: list[str], others: list[Fields]) -> None:
    taken = {alias for version in others for alias in version["aliases"]}
    for number, alias in enumerate(added):
        if alias.isdecimal():
            raise ValidationError(f"Alias '{alias}' cannot consist of digits only.")
        if alias in taken or alias in kept or alias in added[:number]:
            raise ConflictError(f"Alias '{alias}' is already used in the pipeline. Remove it from its version first.")
    if len(kept) + len(added) > _MOST_ALIASES:
        raise ValidationError(f"A pipeline version can have at most {_MOST_ALIASES} aliases.")


def _read(account: str, place: Fields) -> str:
    """The text of an S3 object, straight from moto: a handler holds the Region's lock, and asks no other service."""
    from moto.core.exceptions import ServiceException
    from moto.s3.models import s3_backends

    uri = f"s3://{place['Bucket']}/{place['ObjectKey']}"
    try:
        found = s3_backends[account]["aws"].get_object(place["Bucket"], place["ObjectKey"], place.get("VersionId"))
    except ServiceException:
        found = None
    if found is None:
        raise ValidationError(f"Unable to access the pipeline definition at {uri}. Ensure that it exists.")
    try:
        return str(found.value.decode())
    except UnicodeDecodeError:
        raise ValidationError(f"Unable to parse pipeline definition. The object {uri} is not UTF-8.") from None
