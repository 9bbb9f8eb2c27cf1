"""End of idle resources that hold no data. What Terraform manages stays, because a deletion would be drift."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sustainable_mlops.aws import Client, translate_aws_errors
from sustainable_mlops.errors import UserError, did_you_mean
from sustainable_mlops.operations.idle.account import IdleAccount
from sustainable_mlops.operations.idle.finding import UNKNOWN_MANAGER, IdleFinding, IdleKind, IdleReport


class _End(NamedTuple):
    """The way in which one kind of resource ends."""

    verb: str
    #: Service of the request.
    service: str
    run: Callable[[Client, IdleFinding], object]
    #: True if the end is a difference to Terraform's state.
    is_drift: bool
    #: Word of `--include` that the kind needs; empty if it ends by default.
    word: str = ""


def _call(operation: str) -> Callable[[Client, IdleFinding], object]:
    """Return a function that sends one request with the members that identify the resource."""
    return lambda client, finding: getattr(client, operation)(**finding.identity)


def _delete_interface_endpoint(ec2: Client, finding: IdleFinding) -> None:
    response = ec2.delete_vpc_endpoints(VpcEndpointIds=list(finding.identity.values()))
    for one in response.get("Unsuccessful") or ():
        raise UserError(f"{one['ResourceId']}: {one['Error']['Message']}")


#: Kinds that hold no data, in the order in which they can end.
ENDS: dict[IdleKind, _End] = {
    IdleKind.ENDPOINT: _End("delete", "sagemaker", _call("delete_endpoint"), True, "endpoints"),
    IdleKind.ENDPOINT_CONFIG: _End("delete", "sagemaker", _call("delete_endpoint_config"), True),
    IdleKind.MODEL: _End("delete", "sagemaker", _call("delete_model"), True),
    IdleKind.APP: _End("stop", "sagemaker", _call("delete_app"), False),
    IdleKind.NOTEBOOK: _End("stop", "sagemaker", _call("stop_notebook_instance"), False),
    IdleKind.TRACKING_SERVER: _End("stop", "sagemaker", _call("stop_mlflow_tracking_server"), False),
    IdleKind.LOG_GROUP: _End("set the retention of", "logs", _call("put_retention_policy"), True),
    IdleKind.INTERFACE_ENDPOINT: _End("delete", "ec2", _delete_interface_endpoint, True, "interface-endpoints"),
}
WORDS = tuple(end.word for end in ENDS.values() if end.word)


@dataclass(frozen=True)
class Cleanup:
    """Decision on one finding: its end, or the reason why it stays."""

    finding: IdleFinding
    verb: str
    #: Reason and remedy of a resource that stays; empty for one that ends.
    stays: str = ""

    def __str__(self) -> str:
        name = f"{self.finding.kind} {self.finding.name}"
        return f"keep {name}: {self.stays}" if self.stays else f"{self.verb} {name}: {self.finding.problem}"

    def to_dict(self) -> dict[str, Any]:
        """Return the cleanup for JSON."""
        return {
            "kind": self.finding.kind.value,
            "name": self.finding.name,
            "action": "keep" if self.stays else self.verb,
            "reason": self.stays or self.finding.problem,
        }


def check_words(words: Collection[str]) -> None:
    """Raise UserError for an unknown word of `--include`."""
    for word in words:
        if word not in WORDS:
            raise UserError(f"--include {word}: is not known{did_you_mean(word, WORDS)}")


def list_cleanups(report: IdleReport, include: Collection[str] = ()) -> list[Cleanup]:
    """Return the decision on each finding: first the ends, in their order."""
    kinds = list(ENDS)
    cleanups = [_plan(finding, include) for finding in report.findings]
    return sorted(
        cleanups,
        key=lambda one: (bool(one.stays), kinds.index(one.finding.kind) if one.finding.kind in ENDS else len(kinds)),
    )


def _plan(finding: IdleFinding, include: Collection[str]) -> Cleanup:
    end = ENDS.get(finding.kind)
    if end is None:
        holds = "it is in use" if finding.kind is IdleKind.OVERSIZED_ENDPOINT else "it holds data"
        return Cleanup(finding, "keep", f"{holds}; set {finding.module_input}")
    if end.is_drift and finding.manager == UNKNOWN_MANAGER:
        return Cleanup(finding, end.verb, "its tags cannot be read, so Terraform may manage it")
    if end.is_drift and finding.manager:
        return Cleanup(finding, end.verb, f"{finding.manager} manages it by its tags; set {finding.module_input}")
    if end.word and end.word not in include:
        return Cleanup(finding, end.verb, f"pass --include {end.word} to {end.verb} it; or set {finding.module_input}")
    return Cleanup(finding, end.verb)


def apply(cleanups: Sequence[Cleanup], account: IdleAccount) -> Iterator[tuple[Cleanup, str]]:
    """End the resources that do not stay; yield each with its error, which is empty after a success."""
    for cleanup in cleanups:
        if cleanup.stays:
            continue
        end = ENDS[cleanup.finding.kind]
        try:
            with translate_aws_errors(cleanup.finding.name):
                end.run(account.client(end.service), cleanup.finding)
        except UserError as error:
            yield cleanup, str(error)
        else:
            yield cleanup, ""
