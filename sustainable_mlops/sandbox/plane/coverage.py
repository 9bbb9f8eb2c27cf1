"""The page that says what each operation does here, written from the registry.

`python -m sustainable_mlops.sandbox.plane.coverage`, and `--check` to exit 1 where it is stale.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from sustainable_mlops.sandbox.parts.operations import Does
from sustainable_mlops.sandbox.plane.recorded import RECORDED
from sustainable_mlops.sandbox.plane.registry import COVERAGE, SERVICES, Operation
from sustainable_mlops.terraform import ROOT

PAGE = ROOT / "docs" / "sandbox.md"
MOTO_TESTS = ROOT / "tests" / "sandbox" / "moto_suite" / "failing.yaml"
COMMAND = "python -m sustainable_mlops.sandbox.plane.coverage"

_HEAD = f"""<!-- Written by `{COMMAND}` from the registry of the sandbox's parts. -->
# The sandbox: what of AWS is on this machine

`smlops sandbox start` answers for all of AWS on one port of 127.0.0.1. SageMaker is the project's own; every other
service is [moto](https://docs.getmoto.org), with the gaps closed that Terraform's provider and the jobs need.

**Accounts.** A request acts in the account of its credentials: `sts:AssumeRole` leads into the role's account, the
header `x-moto-account-id` names one, and unknown keys are those of the account that the sandbox was started with. Each
account and Region has resources of its own. What a model package group's policy shares, other accounts can describe.

**Roles.** What is made with a role is refused unless IAM of the same account has the role and it trusts
`sagemaker.amazonaws.com`.

**Policies** are evaluated where it is said so (package groups, `SimulatePrincipalPolicy`, buckets), without their
conditions: a conditional Allow counts, a conditional Deny does not.

**Jobs** run as processes of this machine; there is no container image. A training job runs its script (script mode)
with the sandbox's Python, or its `ContainerEntrypoint` with what is installed here, as a processing job does; a
transform job serves `code/inference.py` of its model. `/opt/ml` is real, and private to each instance, where a mount
namespace can be made (Linux, as root or where users may make namespaces); elsewhere paths under it are translated in
the request, and `SM_*` variables lead to the folder. `sandbox status` says which; `SANDBOX_OPT_ML=paths` chooses the
second. The instances of a job are at 127.0.0.1, 127.0.0.2 and so on: `resourceconfig.json` calls them `algo-1`,
`algo-2` where `/opt/ml` is real, and by these addresses elsewhere. Containers have their role's credentials, unless
isolated. How busy each instance is (`CPUUtilization`, `MemoryUtilization`; no GPU) is in CloudWatch under `Host`,
`job-name/algo-1` and so on, as often as each second, where AWS has a value a minute.

**Billing.** `BillableTimeInSeconds` is the time with instances, from `TrainingStartTime` (before data is downloaded) to
`TrainingEndTime` (after artifacts are uploaded), without pending and interruptions; of managed spot less the discount
that the catalogue assumes, so that `1 - BillableTimeInSeconds / TrainingTimeInSeconds` is what was saved, as the API
reference of DescribeTrainingJob has it. Warm pools are recorded, matched and ended; they make no job start sooner.

**State.** With `--state DIR` all of it is kept, and saved every few seconds: a sandbox that is killed loses at most the
last five. Jobs that ran have failed when it starts again; their checkpoints are in S3. Not kept: what moto holds and
cannot be written as data, which is named in the log; the answers that a client has lost. `POST /moto-api/reset` empties
everything and ends what runs.

**Tuning.** What AWS does not publish is assumed: a search has converged after ten jobs, or five for each
hyperparameter, that are not better by 1 %; several definitions take turns; `Auto` scales a range of positive numbers
logarithmically where its ends are a hundredfold apart; a training job's checkpoints stand under its own name. A search
that comes to `MaxRuntimeInSeconds` is Completed. Autotune is refused.

**Tags and CloudFormation.** The Resource Groups Tagging API sees all resources with tags. CloudFormation makes the same
models, endpoint configurations and endpoints that SageMaker answers for; moto's CloudFormation knows no other SageMaker
type but notebook instances and their lifecycle configurations, and leaves others, such as a feature group, out of the
stack.

**Pipelines** run from their definition: steps of the types Condition, Fail, ForEach, Processing, Training, Tuning,
Transform, Model, RegisterModel, Callback and Lambda; a definition with another type is refused. A Lambda step runs the
Python code that `CreateFunction` was given, as a process with the function's role; functions in other languages fail. A
cached result is one of the same pipeline, found by the arguments that AWS names for the type of step, whatever is in S3
by now. With `--state`, executions go on after a restart.

**Events and schedules.** S3 tells EventBridge of the objects of buckets that have it so configured (created, deleted,
tagged), and SageMaker of its changes of state. Rules, and schedules of EventBridge Scheduler, deliver to SageMaker
pipelines, SNS topics, SQS queues and event buses; a universal target calls any operation that is here. As AWS does, a
delivery needs its role and what its policies say of the action or, to a queue or a topic without a role, a policy that
names the service, and of a key that encrypts it, too; what is throttled or answered with 5xx is tried again, and what
fails goes to the dead-letter queue, and to the log. Rules also write to log groups and archives, as moto does, without
these checks. Not delivered: to Lambda, Step Functions and all others, which the log names; what S3 is to send by itself
to SNS, SQS or Lambda is moto's. A flexible window starts at once; what falls due while no sandbox runs is not made up
for, and a delivery that waits to be tried again is lost when it ends. `smlops sandbox advance --days 1`
(`Sandbox.advance` in tests) moves the time of rules, schedules and retries ahead and does what falls due on the way;
jobs, the times that AWS's operations answer and all else keep this machine's.

**Faults** come about on request: `smlops sandbox fault --help`, `Sandbox.fault` in tests. A request is refused in the
form of its protocol (all but CBOR), with a code of botocore's model or one of AWS's common errors, or answered late; a
retry of the SDK counts as another request. Or what is made fails, or is under way longer: an endpoint, a feature
group, a job. A job for which there is no capacity fails, or tries again, on spot or for `MaxPendingTimeInSeconds`, and
each try counts; so does each loss of spot instances. What a pipeline or a tuning job makes, and what EventBridge
delivers, meets faults as all else; the sandbox's own requests to S3 and the like meet none. Faults come about in any
account and Region; a reset or the sandbox's end clears them.

An operation *behaves* as AWS's does; or it is *recorded only*: what it is told is checked, kept and given back, and
nothing follows; or it is *refused* with `UnsupportedOperationException`, which no client retries, and with what to do
instead.
"""


def page() -> str:
    """The page `docs/sandbox.md`."""
    return "\n".join([_HEAD, *_counts(), *_moto_tests(), *_behaving(), *_recorded(), *_refused(), ""])


def _counts() -> Iterator[str]:
    yield f"| service | operations | {' | '.join(Does)} |"
    yield f"|---|---:|{'---:|' * len(Does)}"
    for service in SERVICES:
        found = [one for one in COVERAGE.operations.values() if one.service == service]
        counts = [str(sum(one.declared.does is does for one in found)) for does in Does]
        yield f"| {service} | {len(found)} | {' | '.join(counts)} |"


def moto_tests() -> dict[str, Any]:
    """How many of moto's own tests `run`, and which are `failing`: file to groups of tests with one reason."""
    found: dict[str, Any] = yaml.safe_load(MOTO_TESTS.read_text(encoding="utf-8"))
    return found


def _moto_tests() -> Iterator[str]:
    found = moto_tests()
    why: Counter[str] = Counter()
    for groups in found["failing"].values():
        for group in groups:
            why[group["reason"]] += len(group["tests"])
    passing = found["run"] - why.total()
    yield from (
        "",
        "moto's own tests of SageMaker and application autoscaling, which nobody here wrote, run against the sandbox.",
    )
    yield f"What fails is listed in `{MOTO_TESTS.relative_to(ROOT)}`, each with why and AWS's page that says so."
    yield from (
        "",
        "| moto's tests | pass | moto takes what AWS refuses | moto differs from AWS | other words |",
    )
    yield "|---:|---:|---:|---:|---:|"
    reasons = ("lax", "moto_differs", "wording")
    yield f"| {' | '.join(str(count) for count in (found['run'], passing, *(why[reason] for reason in reasons)))} |"


def _behaving() -> Iterator[str]:
    yield from ("", "## Behaves", "", "| what | operations |", "|---|---|")
    by_part: dict[str, list[Operation]] = defaultdict(list)
    for one in _all(Does.BEHAVES):
        assert one.part is not None
        by_part[getattr(one.part, "noun", one.part.__name__.lower())].append(one)
    for what, operations in by_part.items():
        yield f"| {what} | {_names(operations)} |"


def _recorded() -> Iterator[str]:
    yield from ("", "## Recorded only", "", "| operations | what does not follow |", "|---|---|")
    named = {name: group for group in RECORDED for name in group.operations}
    done: set[int] = set()
    for one in _all(Does.RECORDED):
        group = named.get(one.name) if one.part is None else None
        if group is None:
            yield f"| {one.name} | {one.declared.note} |"
        elif id(group) not in done:
            done.add(id(group))
            yield f"| {', '.join(group.operations)} | {group.note} |"


def _refused() -> Iterator[str]:
    yield from ("", "## Refused", "", "| why, and what to do instead | operations |", "|---|---|")
    by_reason: dict[str, list[Operation]] = defaultdict(list)
    for one in _all(Does.REFUSED):
        by_reason[one.declared.note].append(one)
    for reason, operations in by_reason.items():
        yield f"| {reason} | {_names(operations)} |"


def _all(does: Does) -> list[Operation]:
    return [one for one in COVERAGE.operations.values() if one.declared.does is does]


def _names(operations: Iterable[Operation]) -> str:
    return ", ".join(one.name for one in operations)


def main() -> None:
    """Write the page, or check it."""
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE.relative_to(ROOT)} is stale: run {COMMAND}", file=sys.stderr)
            raise SystemExit(1)
        return
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
