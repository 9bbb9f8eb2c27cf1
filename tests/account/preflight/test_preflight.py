"""`smlops preflight` against accounts of the sandbox: ready ones, and ones where the first apply would fail."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
import yaml

from clone.deployer.documents import DeployerPolicy
from envs.preflight import read_target
from sagemaker_sandbox import Sandbox
from sustainable_mlops.account.preflight import (
    Account,
    EndpointDemand,
    PreflightFinding,
    PreflightTarget,
    check_account,
)
from sustainable_mlops.account.preflight.bootstrap import KINDS
from sustainable_mlops.account.preflight.governance import _format_apply_grant, _is_principal
from sustainable_mlops.account.preflight.job_files import read_job
from sustainable_mlops.account.preflight.location import check_region
from sustainable_mlops.account.preflight.quotas import compute_demands
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.catalogue import quotas as catalogue
from tests.clone.deployer.calls import BOTO3, list_refused, select_calls
from tests.docs.blocks import blocks
from tests.docs.programs import list_problems
from tests.envs.example import DEV
from tests.provider import SANDBOX_LOGS

pytestmark = pytest.mark.slow

LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "%s"\n}\n'
REALTIME = EndpointDemand("smlops-dev-fraud-realtime", "realtime", "ml.m6g.large", 2, 2, 2)
#: A type whose default quota is 0.
COSTLY = replace(REALTIME, instance_type="ml.m5.large")
#: Boundary of the CI roles.
BOUNDARY = "arn:aws:iam::123456789012:policy/deployer-smlops-dev-boundary"
SCALING = "aws iam create-service-linked-role --aws-service-name sagemaker.application-autoscaling.amazonaws.com"


@pytest.fixture(scope="module")
def emulated_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Start a sandbox for these tests, which empty it."""
    SANDBOX_LOGS.append(tmp_path_factory.mktemp("preflight") / "sandbox.log")
    with Sandbox.start(log=SANDBOX_LOGS[-1]) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def account(emulated_aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Empty the account, and set its credentials in the environment of this process."""
    where = urlsplit(emulated_aws.endpoint)
    connection = HTTPConnection(where.hostname or "", where.port)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == HTTPStatus.OK
    connection.close()
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    return emulated_aws


@pytest.fixture
def target(tmp_path: Path) -> PreflightTarget:
    """Return the demands of dev, with pipelines on a type with a known quota, in a folder with a lock file."""
    (tmp_path / ".terraform.lock.hcl").write_text(LOCK % "6.47.1")
    dev = read_target(DEV)
    jobs = tuple(replace(job, instance_type="ml.m5.large") for job in dev.jobs)
    return replace(
        dev,
        folder=tmp_path,
        jobs=jobs,
        alarm_subscribers=("ml-team@example.com",),
        permissions_boundary_arn=BOUNDARY,
    )


def prepare(sandbox: Sandbox, target: PreflightTarget) -> None:
    """Create the resources that an administrator creates before the first apply."""
    s3, where = sandbox.client("s3"), {"LocationConstraint": target.region}
    s3.create_bucket(Bucket=target.state_bucket, CreateBucketConfiguration=where)
    s3.put_bucket_versioning(Bucket=target.state_bucket, VersioningConfiguration={"Status": "Enabled"})
    create_deployer_roles(sandbox)
    for job in target.jobs:
        raise_quota(sandbox, catalogue.find_instance_quota(job.instance_type, job.use), 4)


def create_deployer_roles(sandbox: Sandbox) -> None:
    """Create the roles that the module bootstrap creates, under a boundary."""
    iam, document = sandbox.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": []})
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.create_policy(PolicyName=BOUNDARY.rpartition("/")[2], PolicyDocument=policy)
    for kind in KINDS:
        iam.create_role(
            RoleName=f"deployer-smlops-dev-{kind}", AssumeRolePolicyDocument=document, PermissionsBoundary=BOUNDARY
        )


def raise_quota(sandbox: Sandbox, quota: catalogue.Quota, value: float) -> None:
    """Increase a quota, unless it is large enough already."""
    client, arguments = sandbox.client("service-quotas"), {"ServiceCode": quota.service, "QuotaCode": quota.code}
    if client.get_service_quota(**arguments)["Quota"]["Value"] < value:
        client.request_service_quota_increase(**arguments, DesiredValue=value)


def check(target: PreflightTarget) -> list[PreflightFinding]:
    """Return the findings of a preflight."""
    return list(check_account(target, Account(target.region, target.assume_role_arn)))


def select_findings(findings: list[PreflightFinding], status: str) -> dict[str, PreflightFinding]:
    """Return the findings of one status, by check."""
    return {one.check: one for one in findings if one.status == status}


def test_a_prepared_account_is_ready_in_every_check(account: Sandbox, target: PreflightTarget) -> None:
    prepare(account, target)
    findings = check(target)
    assert {one.status for one in findings} == {"ok"}, [one for one in findings if one.status != "ok"]
    checks = {one.check for one in findings if not one.check.startswith("quota")}
    assert checks == {
        *(
            "credentials",
            "Region",
            "state bucket",
            "deployer roles",
            "Lake Formation",
            "bucket names",
            "key alias",
            "log groups",
        ),
        *("idle month", "provider", "notifications"),
    }


def test_an_empty_account_needs_the_module_bootstrap(target: PreflightTarget) -> None:
    findings = check(replace(target, folder=Path("envs/dev")))
    stop, look = (select_findings(findings, status) for status in ("stop", "look"))
    folder = "terraform -chdir=envs/dev/bootstrap"
    command = f"{folder} init && {folder} apply -var repository=OWNER/NAME"
    page = "as an administrator, apply the module bootstrap (modules/bootstrap/README.md#apply-it-the-first-time)"
    assert stop["state bucket"].text == f"{target.state_bucket} does not exist; {page}"
    assert look["deployer roles"].text.startswith(
        "CI roles do not exist: deployer-smlops-dev-plan, deployer-smlops-dev-apply"
    )
    assert {stop["state bucket"].remedy, look["deployer roles"].remedy} == {command}


def test_roles_of_ci_need_a_boundary_that_the_settings_name(account: Sandbox, target: PreflightTarget) -> None:
    create_deployer_roles(account)
    without = select_findings(check(replace(target, permissions_boundary_arn=None)), "look")["deployer roles"]
    assert f"set access.permissions_boundary_arn to {BOUNDARY} in settings.yaml" in without.text
    account.client("iam").delete_role_permissions_boundary(RoleName="deployer-smlops-dev-apply")
    assert "has no permissions boundary" in select_findings(check(target), "look")["deployer roles"].text


def test_a_state_bucket_without_versions_or_in_another_region_is_reported(
    account: Sandbox, target: PreflightTarget
) -> None:
    elsewhere = {"LocationConstraint": "eu-west-1"}
    account.client("s3").create_bucket(Bucket="here", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    account.client("s3", "eu-west-1").create_bucket(Bucket="there", CreateBucketConfiguration=elsewhere)
    here = select_findings(check(replace(target, state_bucket="here")), "look")["state bucket"]
    there = select_findings(check(replace(target, state_bucket="there")), "stop")["state bucket"]
    assert here.text.startswith("here has no versioning")
    assert there.text.startswith("there is in eu-west-1, but the backend uses eu-north-1")


def test_credentials_of_another_account_stop_before_other_requests(account: Sandbox, target: PreflightTarget) -> None:
    with account.record_calls() as calls:
        stop = select_findings(check(replace(target, account_id="210987654321")), "stop")
    assert stop["credentials"].text.startswith("account 123456789012, but settings.yaml has account_id 210987654321")
    assert {one["operation"] for one in calls} == {"GetCallerIdentity"}


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "AccessDenied"])
def test_credentials_that_sts_refuses_stop_all_requests(account: Sandbox, target: PreflightTarget, code: str) -> None:
    account.fault("sts:GetCallerIdentity", error=code)
    with account.record_calls() as calls:
        stop = select_findings(check(target), "stop")
    assert stop["credentials"].text.startswith(
        f"AWS does not accept the credentials, or does not answer: sts:GetCallerIdentity: {code}"
    )
    assert {one["operation"] for one in calls} == {"GetCallerIdentity"}


def test_without_a_network_the_credentials_stop(target: PreflightTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "Could not connect" in select_findings(check(target), "stop")["credentials"].text


def test_a_disabled_region_stops_with_the_command_that_enables_it(target: PreflightTarget) -> None:
    findings = check(replace(target, region="eu-south-2"))
    stop = select_findings(findings, "stop")["Region"]
    assert stop.text.startswith("eu-south-2 is not enabled (not-opted-in)")
    assert stop.remedy == "aws account enable-region --region-name eu-south-2"
    assert "state bucket" not in {one.check for one in findings}


def test_a_region_that_does_not_exist_stops(target: PreflightTarget) -> None:
    assert select_findings(check(replace(target, region="eu-north-9")), "stop")["Region"].text.startswith(
        "AWS has no Region"
    )


def test_a_check_that_cannot_list_regions_uses_sts(account: Sandbox, target: PreflightTarget) -> None:
    def check_enabled() -> PreflightFinding:
        account.fault("ec2:DescribeRegions", error="UnauthorizedOperation")
        (finding,) = check_region(target, Account(target.region))
        return finding

    assert (check_enabled().status, check_enabled().text.split(" (")[0]) == (
        "ok",
        "eu-north-1 is enabled: STS answers there",
    )
    account.fault("sts:GetCallerIdentity", error="InvalidClientTokenId")
    assert check_enabled().status == "stop"
    account.fault("sts:GetCallerIdentity", error="AccessDenied")
    unknown = check_enabled()
    assert (unknown.status, unknown.missing_action) == ("look", "ec2:DescribeRegions")


def test_without_credentials_there_is_one_line_that_says_how_to_sign_in(
    target: PreflightTarget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(UserError, match="sts:GetCallerIdentity: no AWS credentials; sign in"):
        check(target)
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(UserError, match="AWS_PROFILE: there is no profile 'nope' in the AWS configuration; create it"):
        check(target)


def test_a_quota_of_zero_stops_and_its_increase_makes_it_ready(account: Sandbox, target: PreflightTarget) -> None:
    prepare(account, target)
    target = replace(target, endpoints=(COSTLY,))
    name = "quota ml.m5.large for endpoint usage"
    stop = select_findings(check(target), "stop")[name]
    assert stop.text == (
        "allows 0 instances; the environment needs 4 (endpoint smlops-dev-fraud-realtime: up to 2, and 2 more during a "
        "deployment)"
    )
    assert stop.remedy == (
        "aws service-quotas request-service-quota-increase --region eu-north-1 --service-code sagemaker --quota-code "
        "L-614B09FD --desired-value 4"
    )
    raise_quota(account, catalogue.find_instance_quota("ml.m5.large", "endpoint"), 4)
    assert name in select_findings(check(target), "ok")


def test_a_quota_that_does_for_the_start_alone_is_to_look_at(target: PreflightTarget) -> None:
    look = select_findings(check(replace(target, endpoints=(REALTIME,))), "look")[
        "quota ml.m6g.large for endpoint usage"
    ]
    assert look.text.startswith("allows 2 instances; the environment needs 4")
    assert look.text.endswith("; 2 are enough for the first apply")


def test_serverless_concurrency_is_added_up_over_endpoints(target: PreflightTarget) -> None:
    endpoints = tuple(replace(target.endpoints[0], name=name, max_concurrency=6) for name in ("one", "two"))
    stop = select_findings(check(replace(target, endpoints=endpoints)), "stop")[
        f"quota {catalogue.SERVERLESS_CONCURRENCY}"
    ]
    assert stop.text.startswith("allows 10 concurrent requests; the environment needs 12 (endpoint one, endpoint two)")


def test_a_quota_without_a_known_code_is_found_by_its_name(
    target: PreflightTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = catalogue.find_serverless_concurrency()
    monkeypatch.setattr(catalogue, "find_serverless_concurrency", lambda: replace(known, code=""))
    text = select_findings(check(target), "ok")[f"quota {known.name}"].text
    assert text.startswith("allows 10 concurrent requests; the environment needs 5")


def test_a_quota_that_service_quotas_does_not_list_is_never_ok(target: PreflightTarget) -> None:
    jobs = tuple(replace(job, instance_type="ml.m7i.large") for job in target.jobs)
    look = select_findings(check(replace(target, jobs=jobs)), "look")["quota ml.m7i.large for processing job usage"]
    assert look.text.startswith("unknown: Service Quotas lists no value in eu-north-1")


def test_a_log_group_that_exists_stops_with_the_setting_that_adopts_it(
    account: Sandbox, target: PreflightTarget
) -> None:
    for name in ("TrainingJobs", "Endpoints/smlops-dev-flight-delay"):
        account.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/{name}")
    stop = select_findings(check(target), "stop")["log groups"]
    assert stop.text.startswith("/aws/sagemaker/TrainingJobs, /aws/sagemaker/Endpoints/smlops-dev-flight-delay exist")
    both = "/aws/sagemaker/Endpoints/smlops-dev-flight-delay, /aws/sagemaker/TrainingJobs"
    settings_file = target.folder / "settings.yaml"
    own = "/aws/sagemaker/ProcessingJobs"
    assert stop.remedy.endswith(" && smlops synth dev")
    before = replace(target, adopted_log_groups=(own,))
    for text in ("a: 1", f"a: 1\nexisting_log_groups: [{own}] # ours\nb: 2\n"):
        settings_file.write_text(text)
        edit = select_findings(check(before if own in text else target), "stop")["log groups"].remedy.split(
            " && smlops synth"
        )[0]
        subprocess.run(edit, shell=True, check=True)  # noqa: S602
        names = [*both.split(", "), own] if own in text else both.split(", ")
        assert settings_file.read_text().count("existing_log_groups") == 1
        assert sorted(yaml.safe_load(settings_file.read_text())["existing_log_groups"]) == sorted(names)
    settings_file.write_text(f"existing_log_groups:\n- {own}\n")
    finding = select_findings(check(before), "stop")["log groups"]
    assert finding.text.endswith(f"add the names to the list existing_log_groups in {settings_file}, then")
    assert finding.remedy == "smlops synth dev"
    adopted = replace(target, adopted_log_groups=tuple(both.split(", ")))
    assert "log groups" in select_findings(check(adopted), "ok")


def test_log_groups_of_another_environment_must_exist(account: Sandbox, target: PreflightTarget) -> None:
    shared = replace(target, shared_log_groups=("/aws/sagemaker/ProcessingJobs",))
    look = select_findings(check(shared), "look")["log groups"]
    assert "/aws/sagemaker/ProcessingJobs does not exist; apply the environment that owns them first" in look.text
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")
    free = replace(shared, log_groups=())
    assert "log groups" in select_findings(check(free), "ok")


def test_names_that_are_taken_stop(account: Sandbox, target: PreflightTarget) -> None:
    where = {"LocationConstraint": "eu-north-1"}
    account.client("s3").create_bucket(Bucket=target.buckets[0], CreateBucketConfiguration=where)
    kms = account.client("kms")
    kms.create_alias(AliasName="alias/smlops-dev", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    stop = select_findings(check(target), "stop")
    assert stop["bucket names"].remedy.endswith(
        f"import 'module.storage.aws_s3_bucket.this[\"artifacts\"]' {target.buckets[0]}"
    )
    assert stop["key alias"].text.startswith("alias/smlops-dev exists")


def test_names_of_an_environment_that_was_applied_are_its_own(account: Sandbox, target: PreflightTarget) -> None:
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    account.client("ssm").put_parameter(Name=target.platform_parameter, Value="{}", Type="String")
    findings = check(target)
    assert select_findings(findings, "ok")["names"].text.endswith("the environment was applied before")
    assert "log groups" not in {one.check for one in findings}


def test_lake_formation_in_use_stops_until_the_apply_role_is_granted_tables(
    account: Sandbox, target: PreflightTarget
) -> None:
    closed: dict[str, list[str]] = {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    account.client("lakeformation").put_data_lake_settings(DataLakeSettings=closed)
    stop = select_findings(check(target), "stop")["Lake Formation"]
    principal_arn = account.client("sts").get_caller_identity()["Arn"]
    assert stop.text.startswith("Lake Formation controls access to new databases and tables. SageMaker cannot create")
    principal = f'--principal DataLakePrincipalIdentifier="{principal_arn}"'
    assert f"{principal} --permissions CREATE_DATABASE --resource '{{\"Catalog\": {{}}}}'" in stop.remedy
    assert f"{principal} --permissions DESCRIBE CREATE_TABLE" in stop.remedy
    account.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": principal_arn},
        Resource={"Database": {"Name": "sagemaker_featurestore"}},
        Permissions=["DESCRIBE", "CREATE_TABLE"],
    )
    look = select_findings(check(target), "look")["Lake Formation"]
    assert "after the first apply" in look.text
    assert look.remedy.startswith(
        "aws lakeformation grant-permissions --region eu-north-1 --permissions DESCRIBE ALTER"
    )
    assert "Lake Formation" not in {one.check for one in check(replace(target, feature_groups=()))}


def test_a_session_of_a_role_has_the_grants_of_the_role(target: PreflightTarget) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/deploy/me"
    assert _is_principal("arn:aws:iam::123456789012:role/aws-reserved/deploy", session)
    assert _is_principal("IAM_ALLOWED_PRINCIPALS", session)
    assert not _is_principal("arn:aws:iam::123456789012:role/other", session)
    assert "$(aws iam get-role --role-name deploy --query Role.Arn --output text)" in _format_apply_grant(
        target, session
    )
    assert list_problems(_format_apply_grant(target, session)) == []


def test_the_role_of_autoscaling_is_looked_for_where_something_scales(
    account: Sandbox, target: PreflightTarget
) -> None:
    scaled = replace(target, endpoints=(REALTIME,))
    assert select_findings(check(scaled), "look")["service-linked role"].remedy == SCALING
    account.client("iam").create_service_linked_role(AWSServiceName="sagemaker.application-autoscaling.amazonaws.com")
    assert "service-linked role" in select_findings(check(scaled), "ok")


def test_services_without_an_endpoint_or_without_its_policy_stop(account: Sandbox, target: PreflightTarget) -> None:
    prepare(account, target)
    known = tuple(f"com.amazonaws.{target.region}.{name}" for name in ("sagemaker.metrics", "sts"))
    absent, open_to_all = (f"com.amazonaws.{target.region}.{name}" for name in ("sagemaker.none", "redshift-data"))

    def find(*services: str) -> list[tuple[str, str]]:
        findings = check(replace(target, endpoint_services=services))
        return [(one.status, one.text) for one in findings if one.check == "VPC endpoints"]

    assert find() == []
    assert find(*known) == [("ok", "eu-north-1 has the 2 services, and their endpoints take a policy")]
    remove = "remove the service from the setting network.vpc_endpoints"
    create = "create the endpoint outside of the environment"
    assert find(*known, absent, open_to_all) == [
        ("stop", f"{open_to_all}: its endpoint takes no policy; {remove}, and {create}"),
        ("stop", f"{absent}: eu-north-1 has no interface endpoint of this service; {remove}"),
    ]


def test_alarms_need_a_subscriber_that_has_confirmed(account: Sandbox, target: PreflightTarget) -> None:
    missing = select_findings(check(replace(target, alarm_subscribers=())), "look")["notifications"]
    assert missing.text.startswith("no subscriber receives the alarms; add notifications.subscribers to ")
    planned = select_findings(check(target), "ok")["notifications"]
    assert planned.text == "the next apply subscribes ml-team@example.com to alarms"

    sns, queue = account.client("sns"), "arn:aws:sqs:eu-north-1:123456789012:ml-archive"
    topic = sns.create_topic(Name="smlops-dev-alarms")["TopicArn"]
    assert topic == target.alarm_topic
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    assert select_findings(check(target), "ok")["notifications"].text == f"alarms notify {queue}"
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ml-team@example.com")
    pending = select_findings(check(target), "look")["notifications"]
    assert pending.text.startswith(f"ml-team@example.com must confirm the subscription to {topic}")


@pytest.mark.parametrize(
    ("operation", "code", "name", "action"),
    [
        ("iam:GetRole", "AccessDenied", "deployer roles", "iam:GetRole"),
        ("service-quotas:GetServiceQuota", "AccessDeniedException", "quotas", "servicequotas:GetServiceQuota"),
        ("logs:DescribeLogGroups", "AccessDeniedException", "log groups", "logs:DescribeLogGroups"),
        ("kms:ListAliases", "AccessDeniedException", "key alias", "kms:ListAliases"),
        ("ssm:GetParameter", "AccessDeniedException", "names", "ssm:GetParameter"),
        ("sns:ListSubscriptionsByTopic", "AuthorizationError", "notifications", "sns:ListSubscriptionsByTopic"),
        (
            "lakeformation:GetDataLakeSettings",
            "AccessDeniedException",
            "Lake Formation",
            "lakeformation:GetDataLakeSettings",
        ),
    ],
)
def test_a_denied_read_cannot_tell_and_names_the_action(
    account: Sandbox, target: PreflightTarget, operation: str, code: str, name: str, action: str
) -> None:
    prepare(account, target)
    account.fault(operation, error=code)
    findings = check(target)
    look = select_findings(findings, "look")[name]
    assert look.text.startswith(f"unknown: {action}: {code}; allow {action}")
    assert look.missing_action == action
    assert name not in select_findings(findings, "ok")


def test_what_runs_between_requests_has_its_price_and_carbon_with_ranges(target: PreflightTarget) -> None:
    look = select_findings(check(replace(target, endpoints=(REALTIME,))), "look")["idle month"]
    assert "USD (" in look.text
    assert "kgCO2e (" in look.text
    assert look.text.endswith("for smlops-dev-fraud-realtime")


@pytest.mark.parametrize(
    ("lock", "status"), [(LOCK % "5.100.0", "ok"), (LOCK % "5.99.1", "stop"), (LOCK % "7.0.0", "stop"), ("", "look")]
)
def test_the_providers_version_is_held_to_what_modules_take(target: PreflightTarget, lock: str, status: str) -> None:
    (target.folder / ".terraform.lock.hcl").write_text(lock)
    assert "provider" in select_findings(check(target), status)


def test_the_role_that_terraform_assumes_does_the_reading(account: Sandbox, target: PreflightTarget) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = account.client("iam").create_role(RoleName="terraform", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    findings = select_findings(check(replace(target, assume_role_arn=arn)), "ok")["credentials"]
    assert "assumed-role/terraform/" in findings.text


def test_job_files_are_checked_by_their_kind() -> None:
    folder = ROOT / "workloads" / "flight_delay"
    kinds = {name: read_job(folder / f"{name}.yaml") for name in ("job", "tune")}
    assert {name: (one.use, one.instances) for name, one in kinds.items()} == {
        "job": ("spot_training", 1),
        "tune": ("spot_training", 1),
    }


def test_steps_of_a_pipeline_run_one_after_the_other_and_count_once(target: PreflightTarget) -> None:
    quota = catalogue.find_instance_quota("ml.m5.large", "processing")
    assert compute_demands(target)[quota].most == 1, "two steps of one instance each"


def preflight(sandbox: Sandbox, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as a person runs it from a clone."""
    command = [sys.executable, str(ROOT / "scripts" / "smlops.py"), "preflight", *arguments]
    environment = sandbox.process_environment()
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_prints_the_output_of_its_page(account: Sandbox) -> None:
    process = preflight(account, "envs/dev")
    (documented,) = (block.text for block in blocks() if (block.file, block.language) == ("docs/deployer.md", "text"))
    assert (process.returncode, process.stderr) == (1, "")
    assert process.stdout.splitlines() == documented.splitlines()


def test_the_plan_documents_allow_everything_that_it_reads(account: Sandbox, target: PreflightTarget) -> None:
    prepare(account, target)
    files = sorted((ROOT / "envs" / "dev" / "deployer").glob("plan-*.json"))
    documents = [DeployerPolicy(file.stem, tuple(json.loads(file.read_text())["Statement"])) for file in files]
    with account.record_calls() as calls:
        check(replace(target, endpoints=(*target.endpoints, REALTIME)))
    assert len(select_calls(calls, BOTO3)) > 10
    assert list_refused(calls, documents, BOTO3) == []


def test_every_remedy_is_a_command_that_is_there(account: Sandbox, target: PreflightTarget) -> None:
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    settings: dict[str, list[str]] = {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    account.client("lakeformation").put_data_lake_settings(DataLakeSettings=settings)
    dev = replace(target, folder=Path("envs/dev"))
    findings = [
        finding
        for one in (dev, replace(dev, endpoints=(COSTLY,)), replace(dev, region="eu-south-2"))
        for finding in check(one)
    ]
    remedies = {finding.remedy for finding in findings if finding.remedy}
    assert len(remedies) > 6
    assert [problem for remedy in remedies for problem in list_problems(remedy)] == []


def test_the_command_prints_json_and_ends_with_0_where_nothing_stops(account: Sandbox, target: PreflightTarget) -> None:
    prepare(account, target)
    process = preflight(account, "envs/dev", "--json", "--job", "workloads/flight_delay/tune.yaml")
    document = json.loads(process.stdout)
    assert (process.returncode, document["ready"]) == (0, True)
    assert {"status", "check", "text", "remedy", "missing_action"} == set(document["findings"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["envs/none"], "error: envs/none/settings.yaml: no such file"),
        (["envs/dev", "--job", "workloads/none.yaml"], "error: workloads/none.yaml: "),
    ],
)
def test_bad_input_is_one_line_and_code_2(account: Sandbox, arguments: list[str], message: str) -> None:
    process = preflight(account, *arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(message)
    assert process.stderr.count("\n") == 1
