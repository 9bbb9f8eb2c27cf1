"""Removal of idle resources that hold no data. Resources of Terraform stay, because a deletion would be drift."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sustainable_mlops.account.idle.account import AccountReader
from sustainable_mlops.account.idle.finding import UNKNOWN_MANAGER, IdleFinding, IdleKind, IdleReport
from sustainable_mlops.aws import Client, translate_aws_errors
from sustainable_mlops.base.errors import UserError, did_you_mean


class _EndAction(NamedTuple):
    """Request that ends resources of one kind."""

    verb: str
    #: Service of the request.
    service: str
    run: Callable[[Client, IdleFinding], object]
    #: True if Terraform would see the change as drift.
    is_drift: bool
    #: Value of `--include` that the kind needs; empty if it ends by default.
    include_value: str = ""


def _build_call(operation: str) -> Callable[[Client, IdleFinding], object]:
    """Return a function that sends one request with the members that identify the resource."""
    return lambda client, finding: getattr(client, operation)(**finding.identity)


def _delete_interface_endpoint(ec2: Client, finding: IdleFinding) -> None:
    response = ec2.delete_vpc_endpoints(VpcEndpointIds=list(finding.identity.values()))
    for one in response.get("Unsuccessful") or ():
        raise UserError(f"{one['ResourceId']}: {one['Error']['Message']}")


#: Requests for the kinds that hold no data, in the order in which these can action.
END_ACTIONS: dict[IdleKind, _EndAction] = {
    IdleKind.ENDPOINT: _EndAction("delete", "sagemaker", _build_call("delete_endpoint"), True, "endpoints"),
    IdleKind.ENDPOINT_CONFIG: _EndAction("delete", "sagemaker", _build_call("delete_endpoint_config"), True),
    IdleKind.MODEL: _EndAction("delete", "sagemaker", _build_call("delete_model"), True),
    IdleKind.APP: _EndAction("stop", "sagemaker", _build_call("delete_app"), False),
    IdleKind.NOTEBOOK: _EndAction("stop", "sagemaker", _build_call("stop_notebook_instance"), False),
    IdleKind.TRACKING_SERVER: _EndAction("stop", "sagemaker", _build_call("stop_mlflow_tracking_server"), False),
    IdleKind.LOG_GROUP: _EndAction("set the retention of", "logs", _build_call("put_retention_policy"), True),
    IdleKind.INTERFACE_ENDPOINT: _EndAction("delete", "ec2", _delete_interface_endpoint, True, "interface-endpoints"),
}
INCLUDE_VALUES = tuple(action.include_value for action in END_ACTIONS.values() if action.include_value)


@dataclass(frozen=True)
class CleanupDecision:
    """Decision on one finding: the action that ends it, or the reason to keep it."""

    finding: IdleFinding
    verb: str
    #: Reason and remedy for a resource that stays; empty for one that ends.
    keep_reason: str = ""

    def __str__(self) -> str:
        name = f"{self.finding.kind} {self.finding.name}"
        return f"keep {name}: {self.keep_reason}" if self.keep_reason else f"{self.verb} {name}: {self.finding.problem}"

    def to_dict(self) -> dict[str, Any]:
        """Return the cleanup for JSON."""
        return {
            "kind": self.finding.kind.value,
            "name": self.finding.name,
            "action": "keep" if self.keep_reason else self.verb,
            "reason": self.keep_reason or self.finding.problem,
        }


def check_include(values: Collection[str]) -> None:
    """Raise UserError for an unknown value of `--include`."""
    for value in values:
        if value not in INCLUDE_VALUES:
            raise UserError(f"--include {value}: is not known{did_you_mean(value, INCLUDE_VALUES)}")


def list_cleanups(report: IdleReport, include: Collection[str] = ()) -> list[CleanupDecision]:
    """Return the decision on each finding: first those that end a resource, in the order of the requests."""
    kinds = list(END_ACTIONS)
    cleanups = [_decide_cleanup(finding, include) for finding in report.findings]
    return sorted(
        cleanups,
        key=lambda one: (
            bool(one.keep_reason),
            kinds.index(one.finding.kind) if one.finding.kind in END_ACTIONS else len(kinds),
        ),
    )


def _decide_cleanup(finding: IdleFinding, include: Collection[str]) -> CleanupDecision:
    action = END_ACTIONS.get(finding.kind)
    if action is None:
        reason = "it is in use" if finding.kind is IdleKind.OVERSIZED_ENDPOINT else "it holds data"
        return CleanupDecision(finding, "keep", f"{reason}; set {finding.module_input}")
    if action.is_drift and finding.manager == UNKNOWN_MANAGER:
        return CleanupDecision(finding, action.verb, "its tags cannot be read, so Terraform may manage it")
    if action.is_drift and finding.manager:
        return CleanupDecision(
            finding, action.verb, f"{finding.manager} manages it by its tags; set {finding.module_input}"
        )
    if action.include_value and action.include_value not in include:
        return CleanupDecision(
            finding,
            action.verb,
            f"pass --include {action.include_value} to {action.verb} it; or set {finding.module_input}",
        )
    return CleanupDecision(finding, action.verb)


def apply_cleanups(
    cleanups: Sequence[CleanupDecision], account: AccountReader
) -> Iterator[tuple[CleanupDecision, str]]:
    """End the resources without a reason to keep them; yield each with its error, which is empty after a success."""
    for cleanup in cleanups:
        if cleanup.keep_reason:
            continue
        action = END_ACTIONS[cleanup.finding.kind]
        try:
            with translate_aws_errors(cleanup.finding.name):
                action.run(account.client(action.service), cleanup.finding)
        except UserError as error:
            yield cleanup, str(error)
        else:
            yield cleanup, ""
