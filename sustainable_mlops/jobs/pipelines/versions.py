"""Versions of a pipeline, and the alias `live`, which moves between them; old versions remain."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sustainable_mlops import aws
from sustainable_mlops.aws import Client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs.pipelines.names import LIVE, PREVIOUS
from sustainable_mlops.jobs.platform import Platform
from sustainable_mlops.jobs.specs.pipeline import PipelineSpec

#: Maximum age of a reused step result, as in the definitions here (ExpireAfter).
LONGEST_CACHE = timedelta(days=30)
#: Maximum number of parallel steps.
MAX_PARALLEL_STEPS = 4


@dataclass(frozen=True)
class PipelineVersion:
    """A pipeline and the version that a start runs; no version if the pipeline does not exist yet."""

    name: str
    #: True if the launcher may change the pipeline; False if the environment owns it.
    is_own: bool
    version: int | None
    definition: dict[str, Any]
    arn: str = ""
    #: True if `version` has the alias `live`.
    is_live: bool = False

    @property
    def version_argument(self) -> dict[str, Any]:
        """Argument of StartPipelineExecution that selects the version."""
        return {"PipelineVersionAlias": LIVE} if self.is_live else {"PipelineVersionId": self.version}

    def find_newest_execution(self, sagemaker: Client) -> str | None:
        """Return the ARN of the execution that was started last."""
        if self.version is None:
            return None
        page = sagemaker.list_pipeline_executions(PipelineName=self.name, SortOrder="Descending", MaxResults=1)
        return next((summary["PipelineExecutionArn"] for summary in page["PipelineExecutionSummaries"]), None)

    def find_running_execution(self, parameters: Mapping[str, str], sagemaker: Client) -> str | None:
        """Return the ARN of a running execution with the same parameters."""
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.name, SortOrder="Descending"
        )
        for summary in (
            execution_summary for page in pages for execution_summary in page["PipelineExecutionSummaries"]
        ):
            if summary["PipelineExecutionStatus"] == "Executing":
                arn: str = summary["PipelineExecutionArn"]
                described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
                if (
                    _read_parameters(arn, sagemaker) == parameters
                    and described.get("PipelineVersionId") == self.version
                ):
                    return arn
        return None

    def find_execution_by_parameter(self, name: str, value: str, sagemaker: Client, *, before: datetime) -> str | None:
        """Return the ARN of an execution with the parameter value, started before `before`.

        Only executions whose results a step can still reuse count.
        """
        oldest = datetime.now(UTC) - LONGEST_CACHE
        if self.version is None or before <= oldest:
            return None
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=self.name, SortOrder="Descending", CreatedAfter=oldest, CreatedBefore=before
        )
        arns = (summary["PipelineExecutionArn"] for page in pages for summary in page["PipelineExecutionSummaries"])
        return next((arn for arn in arns if _read_parameters(arn, sagemaker).get(name) == value), None)

    def deploy(self, definition: str, platform: Platform, sagemaker: Client) -> "PipelineVersion":
        """Deploy the definition as the newest version and return the pipeline. Raises UserError."""
        if self.version is None:
            if platform.roles.pipeline is None:
                raise UserError("platform.roles.pipeline: is missing; set the role that the pipeline assumes")
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
                response = sagemaker.update_pipeline(PipelineName=self.name, PipelineDefinition=definition)
            version = response["PipelineVersionId"]
        return replace(self, version=version, definition=json.loads(definition), is_live=False)


def _read_parameters(arn: str, sagemaker: Client) -> dict[str, str]:
    """Return the parameters of an execution."""
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    return {parameter["Name"]: parameter["Value"] for page in pages for parameter in page["PipelineParameters"]}


def _make_key(spec: PipelineSpec) -> str:
    """Return the key of the pipeline in the settings of an environment."""
    return spec.name.replace("-", "_")


def find_pipeline_name(spec: PipelineSpec, platform: Platform) -> tuple[str, bool]:
    """Return the pipeline's name, and True if the launcher owns the pipeline.

    The launcher owns it if the environment has no pipeline for the workload.
    """
    known = platform.pipelines.get(_make_key(spec))
    return (known, False) if known else (f"{platform.name_prefix or platform.environment}-{spec.name}", True)


def find_pipeline(spec: PipelineSpec, platform: Platform, sagemaker: Client) -> PipelineVersion:
    """Return the workload's pipeline on the platform, with its live version or else its latest."""
    name, own = find_pipeline_name(spec, platform)
    description = _describe_pipeline(name, sagemaker)
    if own and "pipelines" in platform.model_fields_set:
        raise _build_undeployed_error(spec, name, platform, exists=description is not None)
    if description is None:
        if not own:
            raise UserError(f"platform: the environment publishes {name}, which does not exist; apply it again")
        return PipelineVersion(name, own, None, {})
    versions = list(_list_versions(name, sagemaker))
    live = next((number for number, aliases in versions if LIVE in aliases), None)
    latest = versions[0][0]
    if live is not None and not own:
        description = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias=LIVE)
    definition = json.loads(description["PipelineDefinition"])
    chosen = live if live is not None and not own else latest
    return PipelineVersion(name, own, chosen, definition, description["PipelineArn"], is_live=chosen == live)


def _build_undeployed_error(spec: PipelineSpec, name: str, platform: Platform, *, exists: bool) -> UserError:
    """Return the error about a pipeline that Terraform should create, because the environment has pipelines."""
    key, environment = _make_key(spec), platform.environment
    state = "this pipeline exists, but" if exists else "there is no such pipeline, and"
    message = (
        f"{name}: {state} the environment {environment} does not deploy it, so its next apply would fail after this "
        f"command; declare it in envs/catalogue/pipelines/{key}.yaml, then {'import' if exists else 'apply'} it"
    )
    block = f"printf '{format_import_block(f'module.pipeline_{key}', name)}' > envs/{environment}/import_{key}.tf"
    apply = f"terraform -chdir=envs/{environment} apply"
    return UserError(message, "smlops synth", *([block] if exists else []), apply)


def format_import_block(module: str, name: str) -> str:
    """Return the `import` block of an existing pipeline as an argument of printf.

    `terraform import` would fail before the first apply, because it needs values of resources that do not exist yet.
    """
    return f'import {{\\n  to = {module}.aws_sagemaker_pipeline.this\\n  id = "{name}"\\n}}\\n'


def read_newest_definition(name: str, sagemaker: Client) -> dict[str, Any] | None:
    """Return the definition of the newest version; None if the pipeline does not exist. Raises UserError."""
    with aws.translate_aws_errors(f"pipeline {name}"):
        description = _describe_pipeline(name, sagemaker)
    return None if description is None else json.loads(description["PipelineDefinition"])


@dataclass(frozen=True)
class AliasMove:
    """Versions with the alias `live` before and after a change; None if no version had it."""

    pipeline: str
    before: int | None
    after: int


def promote(name: str, sagemaker: Client, *, version: int | None = None) -> AliasMove:
    """Move `live` to a version, by default the latest; the version before becomes `previous`. Raises UserError."""
    arn, versions = _read_versions(name, sagemaker)
    chosen = version or max(versions)
    if chosen not in versions:
        numbers = ", ".join(map(str, sorted(versions)))
        raise UserError(f"--version: {name} has no version {chosen}; it has {numbers}")
    return _move_live(name, arn, versions, chosen, sagemaker)


def roll_back(name: str, sagemaker: Client, *, version: int | None = None) -> AliasMove:
    """Move `live` back to the previous version, or to the given one. Raises UserError."""
    if version is not None:
        return promote(name, sagemaker, version=version)
    arn, versions = _read_versions(name, sagemaker)
    before = _find_version(PREVIOUS, versions)
    if before is None:
        raise UserError(f"{name} has no previous {LIVE} version; pass one with --version")
    return _move_live(name, arn, versions, before, sagemaker)


def _move_live(name: str, arn: str, versions: Mapping[int, list[str]], chosen: int, sagemaker: Client) -> AliasMove:
    live_version = _find_version(LIVE, versions)
    if live_version == chosen:
        return AliasMove(name, live_version, chosen)
    # An alias is on at most one version, so it is removed before it is added. `live` moves last: the same move again
    # repairs a move that failed halfway.
    targets = {**({PREVIOUS: live_version} if live_version is not None else {}), LIVE: chosen}
    with aws.translate_aws_errors(f"moving {LIVE} of {name}"):
        for alias, target in targets.items():
            current_version = _find_version(alias, versions)
            if current_version is not None and current_version != target:
                _update_aliases(arn, current_version, sagemaker, Remove=[alias])
            if current_version != target:
                _update_aliases(arn, target, sagemaker, Add=[alias])
    return AliasMove(name, live_version, chosen)


def _update_aliases(arn: str, version: int, sagemaker: Client, **operations: list[str]) -> None:
    sagemaker.update_pipeline_version(
        PipelineArn=arn, PipelineVersionId=version, PipelineVersionAliasOperations=operations
    )


def _find_version(alias: str, versions: Mapping[int, list[str]]) -> int | None:
    return next((number for number, aliases in versions.items() if alias in aliases), None)


def _read_versions(name: str, sagemaker: Client) -> tuple[str, dict[int, list[str]]]:
    with aws.translate_aws_errors(f"pipeline {name}"):
        description = _describe_pipeline(name, sagemaker)
        if description is None:
            raise UserError(
                f"the pipeline {name} does not exist; create it with smlops pipeline run or the environment"
            )
        return description["PipelineArn"], dict(_list_versions(name, sagemaker))


def _describe_pipeline(name: str, sagemaker: Client) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        description: dict[str, Any] = sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if aws.read_error_code(error) not in ("ResourceNotFound", "ResourceNotFoundException"):
            raise
        return None
    return description


def _list_versions(name: str, sagemaker: Client) -> Iterator[tuple[int, list[str]]]:
    """Yield numbers and aliases, the newest version first."""
    pages = sagemaker.get_paginator("list_pipeline_versions").paginate(PipelineName=name, SortOrder="Descending")
    for summary in (summary for page in pages for summary in page["PipelineVersionSummaries"]):
        yield summary["PipelineVersionId"], summary.get("PipelineVersionAliases", [])
