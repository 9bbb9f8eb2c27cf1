"""Measure the roles of an environment on a sandbox that enforces IAM: `python -m tests.envs.iam_table`.

CI plans and applies dev with the roles of `bootstrap`. The pipeline trains and registers a model, and the event of
new data starts it again. An endpoint serves the model. Then each role tries the acts of `forbidden_acts`. At the
end, each role gets all permissions and tries them again: an act that is still denied would prove nothing.
"""

import contextlib
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from clone import synth
from envs import settings
from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.terraform import ROOT, list_changes
from sustainable_mlops.jobs.pipelines.data import read_data_folder
from tests.envs.account import CiAccount
from tests.envs.forbidden_acts import OTHER_ACCOUNT, OTHER_ALIAS, PHASES, Act, Names, list_acts, list_objects
from tests.sandbox.support import wait_until

#: Codes of AWS for a request that IAM refuses.
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
#: Settings with which few rounds on little data pass the gate.
QUICK = {"MinimumAuc": "0.5", "NumRound": "12"}
MODEL = "flight_delay"
#: Page with the table.
PAGE = "docs/deployer.md"
#: Task of the test that uses each role, in the order of the table.
TASKS = {
    "data_preparation": "the steps Prepare and Evaluate of the pipeline",
    "training": "the step Train",
    "pipeline": "an execution that registers a model, and one with cached results",
    "inference": "a serverless endpoint",
    "plan": "plans of an empty account and of an applied environment",
    "apply": "applies of an environment, then of an endpoint",
    "promote": "reads the registry and the model",
    "smlops-dev-events-publisher": "notifications of events",
    "smlops-dev-flight-delay-starter": "new data start the pipeline",
}
_SECONDS = 600


@dataclass
class MeasuredRole:
    """Result of one role: the actions that its task needed, and the forbidden acts by the response of AWS."""

    name: str
    needed_actions: list[str] = field(default_factory=list)
    denied_acts: list[Act] = field(default_factory=list)
    allowed_acts: list[Act] = field(default_factory=list)
    #: Acts that stay denied with all permissions, so that their denial proves nothing about the role.
    undecided_acts: list[Act] = field(default_factory=list)


def measure(folder: Path, say: Callable[[str], None] = lambda _: None) -> list[MeasuredRole]:
    """Run the jobs of all roles, then the forbidden acts, and return the results by role."""
    with Sandbox.start(log=folder / "sandbox.log", enforce_iam=True) as sandbox:
        account = CiAccount(
            sandbox, folder / "repository", settings.load(ROOT / "envs" / "dev"), synth.load_all_modules()
        )
        say("bootstrap")
        entry = account.settings.model_dump(exclude_unset=True)["pipelines"][MODEL]
        parameters = {**entry.get("parameters", {}), **QUICK}
        account.prepare(deletion_protection=True, pipelines={MODEL: {**entry, "parameters": parameters}})
        platform = apply_environment(account, say)
        jobs = sandbox.list_unused_grants()["used_actions"]
        roles = {**platform["roles"], **{kind: account.role_arns[kind] for kind in ("plan", "apply", "promote")}}
        measured = [MeasuredRole(role, jobs.get(arn, [])) for role, arn in roles.items()]
        names = create_names(account, platform)
        for result in measured:
            say(f"forbidden acts of {result.name}")
            client = create_clients(account, result.name, roles[result.name])
            for act in list_acts(result.name, names):
                (result.denied_acts if is_denied(client(act.service), act) else result.allowed_acts).append(act)
        for result in measured:
            say(f"acts of {result.name} with all permissions")
            client = create_clients(account, result.name, roles[result.name])
            allow_everything(account, roles[result.name])
            acts = list_acts(result.name, names)
            result.undecided_acts = [act for act in acts if is_denied(client(act.service), act)]
        known = set(roles.values())
        others = {arn: actions for arn, actions in jobs.items() if arn not in known and platform["name_prefix"] in arn}
        return [*measured, *(MeasuredRole(read_name(arn), actions) for arn, actions in others.items())]


def read_name(arn: str) -> str:
    """Return the name of a role, without the suffix that Terraform generates."""
    return re.sub(r"-\d{18}\w{8}$", "", arn.rpartition("/")[2])


def apply_environment(account: CiAccount, say: Callable[[str], None]) -> dict[str, Any]:
    """Plan and apply the environment, train by the pipeline, and serve the model. Return the output `platform`."""
    with (
        account.run_terraform(account.folder, account.get_ci("plan")) as planning,
        account.run_terraform(account.folder, account.get_ci("apply")) as applying,
    ):
        say("apply")
        planning.plan(account.folder / "tfplan")
        applying.apply()
        platform: dict[str, Any] = applying.read_outputs()["platform"]
        say("pipeline")
        package = train(account, platform)
        account.sandbox.client("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus="Approved"
        )
        read_registry(account, platform, package)
        say("endpoint")
        (account.folder / synth.PACKAGES).write_text(json.dumps({"model_packages": {MODEL: package}}))
        applying.apply()
        invoke_endpoint(account, applying.read_outputs()["serverless_endpoints"][MODEL])
        assert list_changes(planning.plan(account.folder / "tfplan")) == {}
    return platform


def train(account: CiAccount, platform: dict[str, Any]) -> str:
    """Run the pipeline, let new data start it again, and return the package of the first execution."""
    import pandas as pd

    from tests.workloads.flight_delay.pipeline_bench import WORKLOAD, PipelineBench, write_raw
    from workloads.flight_delay import raw

    bench = PipelineBench(account.sandbox, account.repository / "work", account.settings.name_prefix)
    shutil.copytree(WORKLOAD, bench.folder / MODEL, ignore=shutil.ignore_patterns("__pycache__"))
    flights = pd.read_csv(raw.find_packaged_files()[raw.FLIGHTS_FILE])
    (bench.folder / "raw").mkdir()
    folder = write_raw(flights, bench.folder / "raw")
    options = [text for name, value in QUICK.items() for text in ("--set", f"{name}={value}")]
    completed = bench.call("run", "--data", str(folder), *options, "--json")
    assert completed.returncode == 0, completed.stderr
    first = json.loads(completed.stdout)["record"]

    data, pipeline = read_data_folder(folder, f"raw/{MODEL}/"), platform["pipelines"][MODEL]
    account.sandbox.client("s3").put_object(Bucket=platform["buckets"]["data"], Key=data.key)

    def find_execution() -> dict[str, Any] | None:
        response = account.sandbox.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)
        return next(
            (
                one
                for one in response["PipelineExecutionSummaries"]
                if one["PipelineExecutionArn"] != first["execution_arn"]
                and one["PipelineExecutionStatus"] not in ("Executing", "Stopping")
            ),
            None,
        )

    assert wait_until(find_execution, seconds=_SECONDS)["PipelineExecutionStatus"] == "Succeeded"
    return str(first["model_package"])


def read_registry(account: CiAccount, platform: dict[str, Any], package: str) -> None:
    """Read what a promotion checks, with the role promote."""
    client = create_clients(account, "promote", account.role_arns["promote"])
    sagemaker, s3 = client("sagemaker"), client("s3")
    group = platform["model_package_groups"][MODEL]
    sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    sagemaker.list_model_packages(ModelPackageGroupName=group)
    description = sagemaker.describe_model_package(ModelPackageName=package)
    address = description["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    bucket, _, key = address.removeprefix("s3://").partition("/")
    s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def invoke_endpoint(account: CiAccount, endpoint: str) -> None:
    """Request predictions of a few flights."""
    import pandas as pd

    from workloads.flight_delay import features, prepare, raw

    files = raw.find_packaged_files()
    flights = pd.read_csv(files[raw.FLIGHTS_FILE]).head(2000)
    rows = prepare.build_frame(flights, pd.read_csv(files[raw.WEATHER_FILE]))[features.list_names()].head(10)
    response = account.sandbox.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint,
        ContentType="application/json",
        Accept="application/json",
        Body=rows.to_json(orient="records"),
    )
    assert len(json.loads(response["Body"].read())["predictions"]) == len(rows)


def create_names(account: CiAccount, platform: dict[str, Any]) -> Names:
    """Return the names of the environment. Create the resources that it must not touch.

    The bucket and the role of another account trust this account, so that only the roles' own policies deny.
    """
    sandbox, region = account.sandbox, account.settings.region
    other_key = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    sandbox.client("kms").create_alias(AliasName=OTHER_ALIAS, TargetKeyId=other_key)
    trust = {"Version": "2012-10-17", "Statement": []}
    sandbox.client("iam").create_role(RoleName="other-team", AssumeRolePolicyDocument=json.dumps(trust))
    names = Names(
        environment=account.name,
        name_prefix=account.settings.name_prefix,
        account_id=account.settings.account_id,
        region=region,
        state_bucket=account.settings.state.bucket,
        kms_key_arn=platform["kms_key_arn"],
        other_key_arn=other_key,
        role_arns=platform["roles"],
    )
    own = {"Effect": "Allow", "Principal": {"AWS": names.account_id}}
    foreign_s3 = make_client("s3", region, sandbox.endpoint, OTHER_ACCOUNT)
    foreign_s3.create_bucket(Bucket=names.foreign_bucket, CreateBucketConfiguration={"LocationConstraint": region})
    arn = f"arn:aws:s3:::{names.foreign_bucket}"
    everything = {**own, "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    foreign_s3.put_bucket_policy(Bucket=names.foreign_bucket, Policy=create_policy(everything))
    make_client("iam", region, sandbox.endpoint, OTHER_ACCOUNT).create_role(
        RoleName=names.foreign_role_arn.rpartition("/")[2],
        AssumeRolePolicyDocument=create_policy({**own, "Action": "sts:AssumeRole"}),
    )
    for bucket in (names.data, names.artifacts):  # `apply` may do this, so the setting of the account must suffice
        sandbox.client("s3").delete_public_access_block(Bucket=bucket)
    for bucket, key in list_objects(names):
        client = foreign_s3 if bucket == names.foreign_bucket else sandbox.client("s3")
        client.put_object(Bucket=bucket, Key=key, Body=b"1")
    return names


def create_policy(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow_everything(account: CiAccount, arn: str) -> None:
    """Replace the policies of a role by one that allows everything, and remove its permissions boundary."""
    iam, name = account.sandbox.client("iam"), arn.rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    if iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=name)
    everything = create_policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=everything)


def create_clients(account: CiAccount, role: str, arn: str) -> Callable[[str], Any]:
    """Return a function that creates clients with the credentials of a role.

    A role of a phase trusts only SageMaker, so the administrator adds the account to its trust policy.
    """
    if role in PHASES:
        iam, name = account.sandbox.client("iam"), arn.rpartition("/")[2]
        document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        own = {"Effect": "Allow", "Principal": {"AWS": account.settings.account_id}, "Action": "sts:AssumeRole"}
        document["Statement"].append(own)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
        issued = account.sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        access, secret, token = issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
    else:
        access, secret, token = account.get_ci(role).values()

    def create(service: str) -> Any:
        client = make_client(service, account.settings.region, account.sandbox.endpoint, parameter_validation=False)
        credentials = client._request_signer._credentials
        credentials.access_key, credentials.secret_key, credentials.token = access, secret, token
        return client

    return create


def is_denied(client: Any, act: Act) -> bool:
    """Send an act, and return True if IAM or S3 Block Public Access refuses it."""
    try:
        getattr(client, act.call)(**act.parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"]) in DENIED
    return False


def format_table(measured: list[MeasuredRole]) -> Iterator[str]:
    """Yield the lines of the table of the page."""
    yield "| role | tested with | needed actions, all allowed | forbidden requests denied |"
    yield "|---|---|---|---|"
    order = [*TASKS, *(one.name for one in measured if one.name not in TASKS)]
    for one in sorted(measured, key=lambda role: order.index(role.name)):
        total = len(one.denied_acts) + len(one.allowed_acts)
        acts = f"{len(one.denied_acts)} of {total}" if total else "none listed"
        yield f"| `{one.name}` | {TASKS.get(one.name, 'unknown')} | {len(one.needed_actions)} | {acts} |"


def format_groups(measured: list[MeasuredRole]) -> str:
    """Return the number of denied acts by group."""
    groups = Counter(act.group for one in measured for act in one.denied_acts)
    return "Denied acts: " + ", ".join(f"{number} {group}" for group, number in sorted(groups.items())) + "."


def main() -> None:
    """Print the table, and the actions of each role with `--actions`."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "repository").mkdir()
        measured = measure(Path(folder), lambda text: print(text, file=sys.stderr))
    print(*format_table(measured), "", format_groups(measured), sep="\n")
    if "--actions" in sys.argv:
        for one in measured:
            print(f"{one.name}: {', '.join(one.needed_actions)}")
    if failures := [f"{one.name}: {act}" for one in measured for act in one.allowed_acts]:
        raise SystemExit("\n".join(["forbidden acts that were not denied:", *failures]))
    if failures := [f"{one.name}: {act}" for one in measured for act in one.undecided_acts]:
        raise SystemExit("\n".join(["forbidden acts that stay denied with all permissions:", *failures]))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
