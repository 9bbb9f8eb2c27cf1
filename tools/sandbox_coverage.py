"""Page with the support of each SageMaker operation in the sandbox, written from the sandbox's registry.

`python -m tools.sandbox_coverage` writes the page. With `--check`, it exits with 1 if the page is stale.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from sagemaker_sandbox.control_plane.moto_operations import MOTO_OPERATIONS
from sagemaker_sandbox.control_plane.registry import OPERATIONS, SERVICES, Operation
from sagemaker_sandbox.resources.handlers import SupportLevel

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "sandbox.md"
CLIENTS = ROOT / "tests" / "sandbox" / "clients" / "table.md"
NOTEBOOKS = ROOT / "tools" / "notebook_results.md"
MOTO_TESTS = ROOT / "tests" / "sandbox" / "moto_suite" / "failing.yaml"
COMMAND = "python -m tools.sandbox_coverage"
_INTRODUCTION = f"""<!-- Written by `{COMMAND}` from the registry of the sandbox. -->
# The sandbox: operations of SageMaker

The [sandbox](../sagemaker_sandbox/README.md) emulates AWS on your computer. `smlops sandbox start` starts it, and its
README explains its use, faults, time and limits. This page lists every operation of SageMaker's services, and describes
the [enforcement of IAM](#enforced-permissions).

- **emulated**: the operation does what AWS's operation does.
- **stored only**: the input is checked, stored and returned. The operation has no effect.
- **refused**: the error `UnsupportedOperationException`, which no client retries, names the reason and the alternative.
"""


_PERMISSIONS = """
## Enforced permissions

With `smlops sandbox start --enforce-iam` or `Sandbox.start(enforce_iam=True)`, the sandbox denies requests that no
IAM policy allows, with AWS's error:

```
AccessDenied: User: arn:aws:sts::123456789012:assumed-role/training/test is not authorized to perform: s3:DeleteObject
on resource: "arn:aws:s3:::shop-artifacts/m" because no identity-based policy allows the s3:DeleteObject action
```

| credentials | permissions |
|---|---|
| keys that the sandbox did not issue, such as the keys of `sandbox exec` | all permissions |
| access key of a user, session of a role | the permissions of their policies |
| deleted access key | none: `InvalidClientTokenId`, or the error of the service |
| a job, a model or a feature group | S3 with its role; the code in the container has the credentials of the role |

The sandbox evaluates these policies, as the IAM user guide describes it:

- Policies of users, groups and roles, permissions boundaries and session policies.
- Policies of buckets, keys, queues, topics, secrets, repositories and model package groups. Across accounts, the two
  accounts must allow the request.
- Policies of VPC endpoints, for the requests of jobs and endpoints with a `VpcConfig`. A gateway endpoint serves the
  subnets of its route tables. An interface endpoint with private DNS serves its VPC.
- Access to a KMS key needs its key policy. A key policy that names the account lets IAM policies grant access.
- `sts:AssumeRole` needs the trust policy of the role. `sts:AssumeRoleWithWebIdentity` also needs an identity provider
  with the issuer and the audience of the token. The sandbox does not verify the signature of the token.

A request also needs the permissions that AWS checks with it: `iam:PassRole` for each role that it passes,
`kms:GenerateDataKey` and `kms:Decrypt` for objects with a customer's key, `kms:CreateGrant` for volumes,
`s3:PutObjectAcl`, `s3:PutObjectTagging`, and `s3:GetObject` for the source of a copy. Dependent actions of the same
service count too, such as `glue:GetTable` for table optimizers and `sagemaker:AddTags` for tags. A request for a
  missing object returns 403 if the caller can list the bucket only with a condition on `s3:prefix`.

Tests compare the decisions with the decisions of the policy simulator
[iam-simulate](https://www.npmjs.com/package/@cloud-copilot/iam-simulate).
`tests/sandbox/iam_simulator/differences.py` lists the differences, each with the reason and AWS's page about it.

To act as a role, add your account to its trust policy, and call `sts:AssumeRole`.

| area | behavior |
|---|---|
| service control policies | The policies of AWS Organizations have no effect. |
| KMS grants | Grants give no permission. |
| S3 Block Public Access | It works without `--enforce-iam`. New buckets have no settings of their own, unlike in AWS. |
| `BlockPublicPolicy` | This setting of the account or a bucket refuses policies that make a bucket public. |
| `BlockPublicAcls` | The same for access control lists that make a bucket or an object public. |
| `IgnorePublicAcls`, `RestrictPublicBuckets` | These settings have no effect. |
| encrypted queues and topics | The caller needs no permission on the key. |
| logs, metrics and captured data of jobs and endpoints | The sandbox writes them without the permissions of the role. |
| steps of a pipeline | The role of the pipeline needs the permissions for jobs, models, packages and property files. |
| EC2 | Every request is evaluated against the resource `*`. |
| condition keys | Global keys, and the keys of the actions that the modules use. A request contains no other keys. |
| unsigned requests | The sandbox accepts them. |

### Unused grants

`smlops sandbox unused` lists the permissions of each role that no request used. First run your program with
`--enforce-iam`:

```console tests/sandbox/test_unused_grants.py
$ smlops sandbox unused --role training
Role           Policy    Statement  Kind       Not used                              Used
shop-training  training  ReadData   action     s3:GetObjectVersion
shop-training  training  ReadData   resource   arn:aws:s3:::shop-data/raw/*
shop-training  training  List       wildcard   s3:List*                              s3:ListBucket
shop-training  training  Logs       statement  logs:PutLogEvents (unchecked) on *
```

| kind | meaning |
|---|---|
| `statement` | No request used the statement. |
| `action`, `resource` | Requests used the statement, but not this action or resource. |
| `wildcard` | An action with a wildcard, with the actions that requests used. |

- `--json` prints the same data with the ARNs of the roles. Roles without requests are in `idle`, without their
  grants.
- A grant counts as used since the start of the sandbox or its last reset. A changed statement is a new statement.
- Actions and resources of a statement count separately.
- The sandbox does not check some actions that AWS checks. The report marks the actions for logs, metrics, images and
  network interfaces of jobs.
- The report omits policies of resources, boundaries and Deny statements."""


def build_page() -> str:
    """Return the text of the page."""
    return "\n".join(
        [
            _INTRODUCTION,
            *_list_counts(),
            *_list_moto_tests(),
            *_list_clients(),
            _PERMISSIONS,
            *_list_notebooks(),
            *_list_emulated(),
            *_list_stored(),
            *_list_refused(),
            "",
        ]
    )


def _list_counts() -> Iterator[str]:
    yield f"| service | operations | {' | '.join(SupportLevel)} |"
    yield f"|---|---:|{'---:|' * len(SupportLevel)}"
    for service in SERVICES:
        operations = [operation for operation in OPERATIONS.operations.values() if operation.service == service]
        counts = [str(sum(operation.support.level is level for operation in operations)) for level in SupportLevel]
        yield f"| {service} | {len(operations)} | {' | '.join(counts)} |"


def load_moto_tests() -> dict[str, Any]:
    """Return the number of moto's own tests (`run`), and the `failing` ones: by file, in groups with one reason."""
    tests: dict[str, Any] = yaml.safe_load(MOTO_TESTS.read_text(encoding="utf-8"))
    return tests


def count_moto_tests() -> str:
    """Return the numbers of passing and of all tests of moto, as the runner of these tests prints them."""
    run: int = load_moto_tests()["run"]
    return f"{run - _count_reasons().total()} of {run} pass"


def _count_reasons() -> Counter[str]:
    """Return the number of moto's failing tests by reason."""
    groups = (group for groups in load_moto_tests()["failing"].values() for group in groups)
    reasons: Counter[str] = Counter()
    for group in groups:
        reasons[group["reason"]] += len(group["tests"])
    return reasons


def _list_moto_tests() -> Iterator[str]:
    run, reasons = load_moto_tests()["run"], _count_reasons()
    yield ""
    yield "moto's own tests of SageMaker and Application Auto Scaling run against the sandbox."
    yield f"`{MOTO_TESTS.relative_to(ROOT)}` lists the failing tests, each with the reason and AWS's page about it."
    yield ""
    yield "| moto's tests | pass | moto accepts what AWS refuses | moto differs from AWS | other message |"
    yield "|---:|---:|---:|---:|---:|"
    numbers = (run, run - reasons.total(), *(reasons[reason] for reason in ("lax", "moto_differs", "wording")))
    yield f"| {' | '.join(map(str, numbers))} |"
    yield ""
    yield "`make release` compares the results with the list. These commands install moto's tests, run them, and print"
    yield "the failing ones and the number of passed tests:"
    yield from ("", "```console manual", "$ python3 scripts/setup.py moto-tests")
    yield from ("$ .venv/bin/python -m tests.sandbox.moto_suite.suite", "…", count_moto_tests(), "```")


def _list_clients() -> Iterator[str]:
    yield from (
        "",
        "## Clients",
        "",
        "For each client, programs run against the sandbox. They follow the examples of the client's documentation and",
    )
    yield "cover an account and S3, training, endpoints, autoscaling, the model registry, Feature Store, and classes of"
    yield "the SageMaker SDKs. Each call either works (the response or error equals AWS's), is refused with"
    yield "`UnsupportedOperationException`, or misbehaves. Clients must retry a first response that is throttled"
    yield "or unavailable."
    yield from ("", *CLIENTS.read_text(encoding="utf-8").splitlines(), "")
    yield "The refused calls are of lineage, PCA, Athena, AutoML and monitoring schedules. The programs omit"
    yield "`HyperparameterTuner.attach` of v2 and `ModelPackage.create` of v3, which read members that the API does not"
    yield "have, and feature records in Go."
    yield ""
    yield "The command runs the programs of [tests/sandbox/clients/](../tests/sandbox/clients/), and writes this table:"
    yield from ("", "```console manual", "$ python -m tests.sandbox.clients --write", "```", "")
    yield "The command installs no client. For a missing client, it prints the command that installs it."


def _list_notebooks() -> Iterator[str]:
    yield from ("", "## AWS's example notebooks", "", *NOTEBOOKS.read_text(encoding="utf-8").splitlines())


def _list_emulated() -> Iterator[str]:
    yield from ("", "## Emulated", "", "| resource | operations |", "|---|---|")
    by_part: dict[str, list[Operation]] = defaultdict(list)
    for operation in _select(SupportLevel.EMULATED):
        assert operation.part is not None
        by_part[getattr(operation.part, "noun", _describe(operation.part.__name__))].append(operation)
    for noun, operations in by_part.items():
        yield f"| {noun} | {_join_names(operations)} |"


def _describe(class_name: str) -> str:
    """Return the words of a class name in lower case."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in class_name).strip()


def _list_stored() -> Iterator[str]:
    yield from ("", "## Stored only", "", "| operations | limits |", "|---|---|")
    by_name = {name: group for group in MOTO_OPERATIONS for name in group.operations}
    rows: dict[tuple[object, str], list[str]] = defaultdict(list)
    for operation in _select(SupportLevel.STORED):
        group = by_name.get(operation.name) if operation.part is None else None
        if group is None:
            rows[operation.part, operation.support.note].append(operation.name)
        else:
            rows[group.operations, group.note] = list(group.operations)
    yield from (f"| {', '.join(names)} | {note} |" for (_, note), names in rows.items())


def _list_refused() -> Iterator[str]:
    yield from ("", "## Refused", "", "| reason and alternative | operations |", "|---|---|")
    by_reason: dict[str, list[Operation]] = defaultdict(list)
    for operation in _select(SupportLevel.REFUSED):
        by_reason[operation.support.note].append(operation)
    for reason, operations in by_reason.items():
        yield f"| {reason} | {_join_names(operations)} |"


def _select(level: SupportLevel) -> list[Operation]:
    return [operation for operation in OPERATIONS.operations.values() if operation.support.level is level]


def _join_names(operations: Iterable[Operation]) -> str:
    return ", ".join(operation.name for operation in operations)


def main() -> None:
    """Write the page, or check it."""
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != build_page():
            print(f"{PAGE.relative_to(ROOT)} is stale: run {COMMAND}", file=sys.stderr)
            raise SystemExit(1)
        return
    PAGE.write_text(build_page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
