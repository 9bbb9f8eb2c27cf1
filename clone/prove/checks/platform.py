"""Checks of the module `observability`."""

from botocore.exceptions import ClientError

from clone.prove import hcl, inventory
from clone.prove.checks.registry import Answer, register_check
from clone.prove.context import ProofError
from clone.prove.stages.endpoints import ObservabilityStage
from clone.prove.temporary_root import TemporaryRoot
from sustainable_mlops import aws
from sustainable_mlops.base.errors import UserError

#: Minutes until an alarm has come through EventBridge and the runbook has deleted an endpoint.
_DELETED_MINUTES = 20


@register_check("idle-stop-deregisters", "observability", "changed", needs="realtime_endpoint")
def idle_stop_deregisters(stage: ObservabilityStage) -> Answer:
    """Does the automation of the input `idle_stop` delete an endpoint that has scalable targets?

    The alarm is put into the state ALARM; EventBridge starts the runbook, which asks as the module's role.

    Documentation: Service Authorization Reference, Amazon SageMaker and Application Auto Scaling; the issue 161 of
    awslabs/stable-diffusion-aws-extension (DeleteEndpoint needs DeregisterScalableTarget).
    """
    name = stage.run.get_endpoint_name("realtime")
    scaling = stage.run.get_client("application-autoscaling")
    targets = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{name}/variant/main"]
    )["ScalableTargets"]
    if not targets:
        raise ProofError(f"{name} has no scalable target, so this check cannot be decided")
    stage.run.get_client("cloudwatch").set_alarm_state(
        AlarmName=f"{name}/idle-stop", StateValue="ALARM", StateReason=f"smlops prove, run {stage.run.name}"
    )
    try:
        stage.run.wait(f"the deletion of {name}", lambda: not _has_endpoint(stage, name), _DELETED_MINUTES)
    except ProofError:
        if failure := _find_failure(stage):
            return Answer(False, f"{name} is still there; the runbook failed: {failure}")
        raise
    return Answer(True, f"{name}, with {len(targets)} scalable target(s), was deleted by the runbook")


def _find_failure(stage: ObservabilityStage) -> str:
    """Return the reason why a runbook of the run failed; empty if none did."""
    failed = [{"Key": "ExecutionStatus", "Values": ["Failed", "TimedOut"]}]
    executions = inventory.list_pages(
        stage.run.get_client("ssm"),
        "describe_automation_executions",
        "AutomationExecutionMetadataList",
        Filters=failed,
    )
    own = (one for one in executions if stage.run.name in one["DocumentName"])
    return next((one.get("FailureMessage") or one["AutomationExecutionStatus"] for one in own), "")


def _has_endpoint(stage: ObservabilityStage, name: str) -> bool:
    try:
        stage.run.get_client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if aws.read_error_code(error) == "ValidationException":
            return False
        raise
    return True


@register_check(
    "existing-log-groups",
    "observability",
    "used",
    refusal=r"cannot import|log groups exist already|ResourceAlreadyExists",
)
def existing_log_groups(stage: ObservabilityStage) -> Answer:
    """Can a log group that exists already be adopted, so that an apply succeeds and the next plan is empty?

    Documentation: Amazon CloudWatch Logs API Reference, CreateLogGroup (ResourceAlreadyExistsException); Terraform
    language, import blocks.
    """
    run = stage.run
    group = f"/aws/sagemaker/{run.name}"
    run.get_client("logs").create_log_group(logGroupName=group)
    inputs = {
        **run.get_common_inputs(f"{run.name}-logs"),
        "kms_key_arn": run.key,
        "log_groups": [group],
        "events": [],
        "idle_stop": "off",
    }
    call = hcl.render_call("observability", "observability", inputs)
    with TemporaryRoot(run, "existing-log-groups") as root:
        root.write(call)
        try:
            root.terraform.apply()
        except UserError as error:
            refusal = " ".join(str(error).split())
            if group not in refusal or "exist" not in refusal:
                raise
        else:
            raise ProofError("an apply created a log group that exists")
        root.write(call, _render_import(group))
        root.terraform.apply()
        empty = root.terraform.is_up_to_date(root.terraform.folder / "second.tfplan")
    return Answer(
        empty,
        "without an import, the apply fails because the group exists; after an apply with an import, the plan is "
        f"{'empty' if empty else 'not empty'}",
    )


def _render_import(group: str) -> str:
    """Return an import block for a log group of the module."""
    address = f'module.observability.aws_cloudwatch_log_group.this["{group}"]'
    return f"import {{\n  to = {address}\n  id = {hcl.render_literal(group)}\n}}\n"
