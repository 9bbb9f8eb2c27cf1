"""A pipeline's versions, and the alias `live` that moves between them; the old version stays."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.errors import UserError
from sustainable_mlops.jobs.pipelines.names import LIVE, PREVIOUS
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec

#: For which the result of a step is taken over, as definitions here say (ExpireAfter).
LONGEST_CACHE = timedelta(days=30)
#: Jobs that a pipeline runs at once.
MAX_PARALLEL_STEPS = 4


@dataclass(frozen=True)
class PipelineVersion:
    """A pipeline, and the version of it that a start would run; no version where it is still to be made."""

    name: str
    #: Whether it is the launcher's to change; else it is the environment's.
    is_own: bool
    version: int | None
    definition: dict[str, Any]
    arn: str = ""
    #: Whether `version` is the one with the alias `live`.
    is_live: bool = False

    @property
    def version_argument(self) -> dict[str, Any]:
        """What StartPipelineExecution is to run."""
        return {"PipelineVersionAlias": LIVE} if self.is_live else {"PipelineVersionId": self.version}

    def find_newest_execution(self, sagemaker: Client) -> str | None:
        """The ARN of the execution that was started last."""
        if self.version is None:
            return None
        listed = sagemaker.list_pipeline_executions(PipelineName=self.name, SortOrder="Descending", MaxResults=1)
        return next((one["PipelineExecutionArn"] for one in listed["PipelineExecutionSummaries"]), None)

    def find_running_execution(self, parameters: Mapping[str, str], sagemaker: Client) -> str | None:
        """The ARN of an execution under way that was given the same parameters."""
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.name, SortOrder="Descending"
        )
        for summary in (one for page in pages for one in page["PipelineExecutionSummaries"]):
            if summary["PipelineExecutionStatus"] == "Executing":
                arn: str = summary["PipelineExecutionArn"]
                described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
                if _parameters(arn, sagemaker) == parameters and described.get("PipelineVersionId") == self.version:
                    return arn
        return None

    def find_execution_by_parameter(self, name: str, value: str, sagemaker: Client, *, before: datetime) -> str | None:
        """The ARN of an execution begun before that was given the value, whose results a step may still take over."""
        oldest = datetime.now(UTC) - LONGEST_CACHE
        if self.version is None or before <= oldest:
            return None
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.name, SortOrder="Descending", CreatedAfter=oldest, CreatedBefore=before
        )
        arns = (one["PipelineExecutionArn"] for page in pages for one in page["PipelineExecutionSummaries"])
        return next((arn for arn in arns if _parameters(arn, sagemaker).get(name) == value), None)

    def deploy(self, definition: str, platform: Platform, sagemaker: Client) -> "PipelineVersion":
        """The pipeline with the definition as its newest version. Raises UserError."""
        if self.version is None:
            if platform.roles.pipeline is None:
                raise UserError("platform.roles.pipeline: is missing; name the role that the pipeline is to run under")
            with aws.translate_aws_errors("CreatePipeline"):
                sagemaker.create_pipeline(
                    PipelineName=self.name,
                    PipelineDefinition=definition,
                    RoleArn=platform.roles.pipeline,
                    ParallelismConfiguration={"MaxParallelExecutionSteps": MAX_PARALLEL_STEPS},
                    ClientRequestToken=uuid.uuid4().hex,
                    Tags=[{"Key": key, "Value": value} for key, value in sorted(platform.tags.items())],
                )
            version = 1
        else:
            with aws.translate_aws_errors("UpdatePipeline"):
                answer = sagemaker.update_pipeline(PipelineName=self.name, PipelineDefinition=definition)
            version = answer["PipelineVersionId"]
        return replace(self, version=version, definition=json.loads(definition), is_live=False)


def _parameters(arn: str, sagemaker: Client) -> dict[str, str]:
    """What an execution was given."""
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    return {one["Name"]: one["Value"] for page in pages for one in page["PipelineParameters"]}


def find_pipeline_name(spec: PipelineSpec, platform: Platform) -> tuple[str, bool]:
    """The pipeline's name, and whether it is the launcher's own: none of the environment's is for the workload."""
    known = platform.pipelines.get(spec.name.replace("-", "_"))
    return (known, False) if known else (f"{platform.name_prefix or platform.environment}-{spec.name}", True)


def find_pipeline(spec: PipelineSpec, platform: Platform, sagemaker: Client) -> PipelineVersion:
    """The workload's pipeline on the platform, with its live version, else its latest."""
    name, own = find_pipeline_name(spec, platform)
    described = _described(name, sagemaker)
    if described is None:
        if not own:
            raise UserError(f"platform: there is no pipeline {name}, which the environment publishes; apply it again")
        return PipelineVersion(name, own, None, {})
    versions = list(_versions(name, sagemaker))
    live = next((number for number, aliases in versions if LIVE in aliases), None)
    latest = versions[0][0]
    if live is not None and not own:
        described = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias=LIVE)
    definition = json.loads(described["PipelineDefinition"])
    chosen = live if live is not None and not own else latest
    return PipelineVersion(name, own, chosen, definition, described["PipelineArn"], is_live=chosen == live)


def read_newest_definition(name: str, sagemaker: Client) -> dict[str, Any] | None:
    """The definition of the pipeline's newest version; None where there is no pipeline. Raises UserError."""
    with aws.translate_aws_errors(f"pipeline {name}"):
        described = _described(name, sagemaker)
    return None if described is None else json.loads(described["PipelineDefinition"])


@dataclass(frozen=True)
class AliasMove:
    """The alias `live` before and after; None: no version had it."""

    pipeline: str
    before: int | None
    after: int


def promote(name: str, sagemaker: Client, *, version: int | None = None) -> AliasMove:
    """Give `live` to the version, the latest unless given; the one that had it is `previous`. Raises UserError."""
    arn, versions = _known(name, sagemaker)
    chosen = version or max(versions)
    if chosen not in versions:
        known = ", ".join(map(str, sorted(versions)))
        raise UserError(f"--version: {name} has no version {chosen}; it has {known}")
    return _move(name, arn, versions, chosen, sagemaker)


def rollback(name: str, sagemaker: Client, *, version: int | None = None) -> AliasMove:
    """Give `live` back to the version that had it before, or to the one given. Raises UserError."""
    if version is not None:
        return promote(name, sagemaker, version=version)
    arn, versions = _known(name, sagemaker)
    before = _with(PREVIOUS, versions)
    if before is None:
        raise UserError(f"{name} has no earlier version that was {LIVE}; name one with --version")
    return _move(name, arn, versions, before, sagemaker)


def _move(name: str, arn: str, versions: Mapping[int, list[str]], chosen: int, sagemaker: Client) -> AliasMove:
    now = _with(LIVE, versions)
    if now == chosen:
        return AliasMove(name, now, chosen)
    # An alias is on one version at most: it is taken off before it is put on. What a move that broke off left is mended
    # by the same move again, as `live` is the last to move.
    wanted = {**({PREVIOUS: now} if now is not None else {}), LIVE: chosen}
    with aws.translate_aws_errors(f"moving {LIVE} of {name}"):
        for alias, target in wanted.items():
            had = _with(alias, versions)
            if had is not None and had != target:
                _change(arn, had, sagemaker, Remove=[alias])
            if had != target:
                _change(arn, target, sagemaker, Add=[alias])
    return AliasMove(name, now, chosen)


def _change(arn: str, version: int, sagemaker: Client, **operations: list[str]) -> None:
    sagemaker.update_pipeline_version(
        PipelineArn=arn, PipelineVersionId=version, PipelineVersionAliasOperations=operations
    )


def _with(alias: str, versions: Mapping[int, list[str]]) -> int | None:
    return next((number for number, aliases in versions.items() if alias in aliases), None)


def _known(name: str, sagemaker: Client) -> tuple[str, dict[int, list[str]]]:
    with aws.translate_aws_errors(f"pipeline {name}"):
        described = _described(name, sagemaker)
        if described is None:
            raise UserError(f"there is no pipeline {name}; smlops pipeline run makes it, or the environment does")
        return described["PipelineArn"], dict(_versions(name, sagemaker))


def _described(name: str, sagemaker: Client) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        answer: dict[str, Any] = sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if aws.read_error_code(error) not in ("ResourceNotFound", "ResourceNotFoundException"):
            raise
        return None
    return answer


def _versions(name: str, sagemaker: Client) -> Iterator[tuple[int, list[str]]]:
    """Numbers and aliases, the newest version first."""
    pages = sagemaker.get_paginator("list_pipeline_versions").paginate(PipelineName=name, SortOrder="Descending")
    for one in (one for page in pages for one in page["PipelineVersionSummaries"]):
        yield one["PipelineVersionId"], one.get("PipelineVersionAliases", [])
