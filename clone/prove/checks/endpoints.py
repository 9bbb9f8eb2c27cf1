"""Checks of the modules for endpoints."""

import re
import time

from clone.prove import hcl, models
from clone.prove.checks.registry import Answer, register_check
from clone.prove.context import ProofError
from clone.prove.stages.endpoints import AsyncEndpoint, RealtimeEndpoint, ServerlessEndpoint
from clone.prove.temporary_root import TemporaryRoot
from sustainable_mlops.base.errors import UserError

#: Concurrency of all serverless endpoints in a new account.
_CONCURRENCY = 10
#: AWS error code for an exhausted quota.
_LIMIT = "ResourceLimitExceeded"
#: Error of Terraform for an endpoint whose model did not start.
_DID_NOT_START = re.compile(r"unexpected state 'Failed'.*\b(container|model)\b", re.IGNORECASE)
#: Requests per minute and instance, far below the load of the check.
_FEW_REQUESTS = 1
_SCALE_OUT_MINUTES, _SCALE_IN_MINUTES = 25.0, 60.0


@register_check("serverless-concurrency-quota", "serverless_endpoint", "used")
def serverless_concurrency_quota(stage: ServerlessEndpoint) -> Answer:
    """Does the account's quota allow `max_concurrency = 10`, the default quota of a new account?

    Documentation: AWS General Reference, Amazon SageMaker AI endpoints and quotas, "Maximum total concurrency that can
    be allocated across all serverless endpoints" (10 in a new account).
    """
    stage.changes["max_concurrency"] = _CONCURRENCY
    stage.write()
    try:
        stage.terraform.apply()
        status = stage.wait_for_final_status()["EndpointStatus"]
    except UserError as error:
        stage.wait_for_final_status()
        if _LIMIT not in str(error):
            raise
        return Answer(False, f"refused: {' '.join(str(error).split())}")
    finally:
        # The next check creates one more endpoint, for which the quota has to have room.
        del stage.changes["max_concurrency"]
        stage.write()
        stage.terraform.apply()
        stage.wait_for_final_status()
    return Answer(True, f"an endpoint with max_concurrency = {_CONCURRENCY} is {status}")


@register_check("failed-first-creation", "serverless_endpoint", "used")
def failed_first_creation(stage: ServerlessEndpoint) -> Answer:
    """After a first creation that failed, does an endpoint come up under the same name?

    From provider 6.29 on a failed endpoint is in AWS and not in the state; the remedy is to delete it before the next
    apply.

    Documentation: terraform-provider-aws pull request 45951 and issue 40080; modules/serverless_endpoint/README.md,
    "The first apply failed".
    """
    run = stage.run
    name = run.get_endpoint_name("anew")
    with TemporaryRoot(run, "failed-first-creation") as root:
        inputs = {**stage.build_inputs(), "name_prefix": name, "max_concurrency": 1}
        bad = {**inputs, "model_data_url": models.format_address(run, models.DOES_NOT_LOAD)}
        root.write(hcl.render_call("endpoint", stage.module, bad))
        try:
            root.terraform.apply()
        except UserError as error:
            text = " ".join(str(error).replace("│", " ").split())
            if not _is_model_failure(text):
                raise ProofError(f"the first creation failed for another reason than its model: {text}") from error
        else:
            raise ProofError("the creation with a model that does not load succeeded")
        root.write(hcl.render_call("endpoint", stage.module, inputs))
        how = _apply_with_remedy(stage, root, name)
        status = run.get_client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]
        return Answer(status == "InService", f"{how}; the endpoint is {status}")


def _is_model_failure(text: str) -> bool:
    """Return whether an endpoint was created and failed by its model, and not by a quota or a permission."""
    return _LIMIT not in text and _DID_NOT_START.search(text) is not None


def _apply_with_remedy(stage: ServerlessEndpoint, root: TemporaryRoot, name: str) -> str:
    """Apply a good model; with the remedy if the first attempt fails. Return the attempt that succeeded."""
    for attempt in (1, 2):
        try:
            root.terraform.apply()
        except UserError as error:
            if "already existing" not in str(error):
                raise
        else:
            return f"apply {attempt} with a good model succeeded"
    stage.run.get_client("sagemaker").delete_endpoint(EndpointName=name)
    stage.run.wait(f"the deletion of {name}", lambda: name not in _list_endpoints(stage, name), 20)
    root.terraform.apply()
    return "the apply succeeded after `aws sagemaker delete-endpoint`"


def _list_endpoints(stage: ServerlessEndpoint, name: str) -> list[str]:
    answer = stage.run.get_client("sagemaker").list_endpoints(NameContains=name)
    return [one["EndpointName"] for one in answer["Endpoints"]]


@register_check(
    "deployment-config-alone",
    "realtime_endpoint",
    "changed",
    refusal=r"UpdateEndpoint\b(?!.*in-progress).*ValidationException",
)
def deployment_config_alone(stage: RealtimeEndpoint) -> Answer:
    """Does a change of `deployment` alone apply, and does the second plan then stay empty?

    SageMaker refuses UpdateEndpoint with the configuration that the endpoint has, so the module replaces the
    configuration where `deployment` changes.

    Documentation: Amazon SageMaker API Reference, UpdateEndpoint ("You must not delete an EndpointConfig in use"; it
    does not say what the same EndpointConfigName does).
    """
    before = stage.describe()["EndpointConfigName"]
    stage.changes["deployment"] = {**stage.build_inputs()["deployment"], "wait_seconds": 240}
    stage.write()
    stage.terraform.apply()
    described = stage.wait_for_final_status()
    stage.expect("second")
    empty = stage.is_up_to_date()
    return Answer(
        described["EndpointStatus"] == "InService" and empty,
        f"the endpoint is {described['EndpointStatus']} with "
        f"{'the same' if described['EndpointConfigName'] == before else 'another'} configuration; "
        f"the next plan is {'empty' if empty else 'not empty'}",
    )


@register_check(
    "target-tracking-late-metrics",
    "realtime_endpoint",
    "changed",
    extra_cost="it needs an hour of load and instances",
    refusal=r"^(more|fewer) instances .*: did not happen within",
)
def target_tracking_late_metrics(stage: RealtimeEndpoint) -> Answer:
    """Does autoscaling add instances under load and remove them afterward, even with late metrics?

    Documentation: Application Auto Scaling User Guide, Target tracking scaling policies, and Create a target tracking
    scaling policy using metric math; Amazon CloudWatch User Guide, Configuring how alarms treat missing data.
    """
    stage.changes["requests_per_instance"] = _FEW_REQUESTS
    stage.write()
    stage.terraform.apply()
    least = stage.count_instances()
    begin = time.monotonic()
    with stage.load(4):
        stage.run.wait("more instances under load", lambda: stage.count_instances() > least, _SCALE_OUT_MINUTES)
    scale_out = time.monotonic() - begin
    begin = time.monotonic()
    stage.run.wait("fewer instances without load", lambda: stage.count_instances() == least, _SCALE_IN_MINUTES)
    scale_in = time.monotonic() - begin
    del stage.changes["requests_per_instance"]
    stage.write()
    stage.terraform.apply()
    stage.wait_for_final_status()
    return Answer(True, f"scaled out after {scale_out:.0f} s of load, and in {scale_in:.0f} s after it")


@register_check(
    "async-scale-from-zero",
    "async_endpoint",
    "used",
    extra_cost="an instance is removed after 15 minutes",
    refusal=r"^no instance: did not happen within",
)
def async_scale_from_zero(stage: AsyncEndpoint) -> Answer:
    """Does the endpoint scale to zero, and start an instance for the first request?

    Documentation: Amazon SageMaker Developer Guide, Autoscale an asynchronous endpoint, HasBacklogWithoutCapacity.
    """
    stage.run.wait("no instance", lambda: stage.count_instances() == 0, 60)
    stage.wait_for_final_status()
    begin = time.monotonic()
    answer = stage.request_response()
    return Answer(answer == "first", f"it answered {answer} {time.monotonic() - begin:.0f} s after it had no instance")


@register_check(
    "async-scale-in-during-request",
    "async_endpoint",
    "used",
    extra_cost="the request must outlast the 15 minutes before scale-in",
    refusal=r"^the answer of a request of \d+ s: did not happen within",
)
def async_scale_in_during_request(stage: AsyncEndpoint) -> Answer:
    """Does a long request complete although the backlog is empty?

    Documentation: Amazon SageMaker Developer Guide, Autoscale an asynchronous endpoint, ApproximateBacklogSize, and
    Asynchronous inference, InvocationTimeoutSeconds (up to an hour).
    """
    seconds = stage.run.settings.long_request_seconds
    poll = stage.send({"sleep": seconds})
    answer = stage.run.wait(f"the answer of a request of {seconds} s", poll, seconds / 60 + 40)
    return Answer(answer == "first", f"a request of {seconds} s was answered by {answer}")
