"""Start, search, use and stop of a sandbox."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.program import PLAIN_WIDTH
from tests.sandbox.support import IMAGE, is_alive, make_role, start_exec, wait_until

pytestmark = pytest.mark.slow

Command = Callable[..., tuple[int, str, str]]
NONE_RUNS = "sandbox: none is running; start one with `smlops sandbox start`"

SPAWN = "from sagemaker_sandbox import Sandbox; print(Sandbox.start().pid, flush=True); input()"


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("sagemaker_sandbox", {"moto", "boto3", "flask"}),
        # The server loads some services, the search and the stores with the first request to them.
        (
            "sagemaker_sandbox.server.application",
            {"moto.cloudformation", "moto.ec2", "numpy", "optuna", "pandas", "pyarrow"},
        ),
    ],
)
def test_the_import_is_cheap(module: str, heavy: set[str]) -> None:
    program = f"import sys, {module}; print(sorted({heavy} & sys.modules.keys()))"
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


def test_a_port_in_use_is_reported_in_one_line() -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port} of 127.0.0.1 is in use; choose another with --port"):
            Sandbox.start(port=port)


def test_the_server_listens_only_on_the_loopback_interface(sandbox: Sandbox) -> None:
    connections = psutil.Process(sandbox.pid).net_connections(kind="tcp")
    assert {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN} == {
        "127.0.0.1"
    }


def test_a_sandbox_ends_with_the_process_that_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", SPAWN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdin is not None
    server = int(parent.stdout.readline())
    assert psutil.pid_exists(server)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(server))
    parent.stdin.close()
    parent.stdout.close()


def test_the_environment_directs_an_ordinary_client_to_the_sandbox(sandbox: Sandbox) -> None:
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    other_settings = {
        "AWS_PROFILE": "no-such-profile",
        "AWS_ENDPOINT_URL_STS": "http://192.0.2.1",
        "PATH": os.environ["PATH"],
    }
    variables = sandbox.process_environment(other_settings)
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=variables, check=True)
    assert process.stdout.strip() == "123456789012"


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path) as sandbox:
        fill(sandbox)
        before = sandbox.inventory()
        secret = sandbox.client("kms").encrypt(KeyId="alias/kept", Plaintext=b"secret")["CiphertextBlob"]
        with pytest.raises(UserError, match="another sandbox uses the state"):
            Sandbox.start(state=tmp_path)
    with Sandbox.start(state=tmp_path) as sandbox:
        assert sandbox.inventory() == before
        for key, body in (("k", b"v"), ("large", LARGE_BODY)):
            assert sandbox.client("s3").get_object(Bucket="kept", Key=key)["Body"].read() == body
        assert sandbox.client("kms").decrypt(CiphertextBlob=secret)["Plaintext"] == b"secret"
        store = sandbox.client("sagemaker-featurestore-runtime")
        assert store.get_record(FeatureGroupName="kept", RecordIdentifierValueAsString="1")["Record"]
        tags = sandbox.client("sagemaker").list_tags(ResourceArn="arn:aws:sagemaker:eu-north-1:123456789012:model/kept")
        assert tags["Tags"] == [{"Key": "owner", "Value": "ana"}]


def test_accounts_survive_a_restart(tmp_path: Path) -> None:
    visitor = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
    with Sandbox.start(state=tmp_path) as sandbox:
        credentials = sandbox.client("sts").assume_role(RoleArn=visitor, RoleSessionName="test")["Credentials"]
        client = make_client("sagemaker", sandbox.region, sandbox.endpoint, "222222222222")
        arn = client.create_model_package_group(ModelPackageGroupName="kept")["ModelPackageGroupArn"]
    with Sandbox.start(state=tmp_path) as sandbox:
        keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
        }
        session = boto3.session.Session(**keys, aws_session_token=credentials["SessionToken"])
        client = session.client("sagemaker", sandbox.region, endpoint_url=sandbox.endpoint)
        groups = client.list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert [group["ModelPackageGroupArn"] for group in groups] == [arn]


def test_a_damaged_state_is_reported_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "state.pickle").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"state\.pickle cannot be read .* remove it to start empty"):
        Sandbox.start(state=tmp_path)
    assert (tmp_path / "state.pickle").read_bytes() == b"damaged"


@pytest.mark.parametrize(
    ("header", "writer"), [("sandbox 0.0.1, moto 5.0.0", r"sandbox 0\.0\.1, moto 5\.0\.0"), ({}, "an older sandbox")]
)
def test_a_state_of_another_version_is_refused_in_one_line(tmp_path: Path, header: Any, writer: str) -> None:
    (tmp_path / "state.pickle").write_bytes(pickle.dumps(header) + b"of another shape")
    with pytest.raises(
        UserError, match=rf"was written with {writer}, but this is sandbox .*; remove the file .*versions$"
    ):
        Sandbox.start(state=tmp_path)


def test_an_unusable_state_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        UserError, match=r"cannot write state to .*/file/state \(Not a directory\); choose another folder with --state"
    ):
        Sandbox.start(state=tmp_path / "file" / "state")


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="only Linux limits other processes")
def test_state_is_saved_as_soon_as_the_disk_has_space(tmp_path: Path) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    large = os.urandom(900_000)
    with Sandbox.start(state=state, log=log) as sandbox:
        s3, server = sandbox.client("s3"), psutil.Process(sandbox.pid)
        s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        server.rlimit(psutil.RLIMIT_FSIZE, (500_000, psutil.RLIM_INFINITY))
        s3.put_object(Bucket="kept", Key="large", Body=large)
        wait_until(lambda: "File too large" in log.read_text())
        server.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
    with Sandbox.start(state=state) as sandbox:
        assert sandbox.client("s3").get_object(Bucket="kept", Key="large")["Body"].read() == large


def test_the_inventory_omits_resources_of_aws_and_deleted_keys() -> None:
    with Sandbox.start() as sandbox:
        kms = sandbox.client("kms")
        kms.list_aliases()
        sandbox.client("iam").list_policies()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        assert sandbox.inventory() == {"kms": {"key": [key]}}
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        assert sandbox.inventory() == {}


def test_the_command_starts_uses_and_stops_a_sandbox(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert command("status") == (2, "", f"error: {NONE_RUNS}\n")
    code, output, _ = command("start")
    assert (code, "Cause: SANDBOX_OPT_ML=paths\nRemedy: unset this variable" in output) == (0, True)
    make_topics = "import boto3; [boto3.client('sns').create_topic(Name=f'topic-{n}') for n in range(5)]"
    assert command("exec", "--", sys.executable, "-c", make_topics)[0] == 0
    status: dict[str, Any] = json.loads(command("status", "--json")[1])
    topics = [f"arn:aws:sns:eu-north-1:123456789012:topic-{number}" for number in range(5)]
    assert status["inventory"] == {"sns": {"topic": topics}}
    assert (status["opt_ml"], status["opt_ml_cause"]) == ("paths", "SANDBOX_OPT_ML=paths")
    table = command("status")[1].splitlines()
    assert "Cause: SANDBOX_OPT_ML=paths" in table
    assert max(map(len, table)) <= PLAIN_WIDTH, "a pipe gets lines of this width, without frames"
    words = " ".join(table).split()
    assert {*(f"{topic}," for topic in topics[:3]), topics[3]} <= {*words}, "every name is whole"
    assert "and 1 more (--json has all)" in " ".join(words)
    before, advanced = datetime.now(UTC), command("advance", "--days", "2")[1]
    months = [f"{moment + timedelta(days=2):%Y-%m}" for moment in (before, datetime.now(UTC))]
    assert any(f"time is {month}" in advanced for month in months)
    assert command("carbon", "--factor", "1.3") == (0, "Reported emissions are 1.3 times the estimate.\n", "")
    options = ["--instance-type", "ml.m5.large", "--count", "2", "--start", "2026-01-01", "--end", "2026-05-01"]
    assert command("carbon", *options)[1] == "Reported: 2 x ml.m5.large from 2026-01-01 to 2026-05-01.\n"
    assert command("carbon", *options, "--factor", "2")[0] == command("carbon", *options[:2])[0] == 2
    assert command("exec", "--", sys.executable, "-c", "raise SystemExit(7)")[0] == 7
    assert command("exec", "--", "sh", "-c", "kill -KILL $$")[0] == 137
    assert command("exec", "--", "sh", "-c", "yes | head -1") == (0, "y\n", ""), (
        "a closed pipe ends the command in silence"
    )
    write = f"ulimit -f 0; echo a > {tmp_path / 'limited'}"
    assert command("exec", "--", "sh", "-c", write)[0] == 128 + signal.SIGXFSZ
    missing = "error: sandbox: no command `no-such-command` on PATH; install it, or write its path\n"
    assert command("exec", "--", "no-such-command") == (2, "", missing)
    program = tmp_path / "no-program"
    program.touch()
    message = f"error: sandbox: {program} cannot be run: Permission denied; check the file and its permissions\n"
    assert command("exec", "--", str(program)) == (2, "", message)
    assert command("stop")[:2] == (0, f"Stopped the sandbox at {status['endpoint']}.\n")
    assert command("stop")[:2] == (0, "No sandbox is running.\n")


COUNT_SIGNALS = """
import signal, sys, time

received = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: received.append(1))
print("ready", flush=True)
while not received:
    time.sleep(0.05)
time.sleep(1)
sys.exit(len(received))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_on_the_sandbox_receives_each_signal_once(command: Command, number: int) -> None:
    assert command("start")[0] == 0
    running = start_exec("--", sys.executable, "-c", COUNT_SIGNALS, stdout=subprocess.PIPE, start_new_session=True)
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    os.killpg(running.pid, number)
    assert running.wait() == 1, "one signal, although the whole group gets it"


def test_the_default_account_and_region_can_be_chosen(command: Command) -> None:
    assert command("start", "--account", "210987654321", "--region", "eu-west-1")[0] == 0
    sandbox = Sandbox.running()
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    assert command("exec", "--", sys.executable, "-c", program)[1] == "210987654321\n"
    sandbox.client("s3control").put_storage_lens_configuration(
        AccountId="210987654321",
        ConfigId="lens",
        StorageLensConfiguration={"Id": "lens", "AccountLevel": {"BucketLevel": {}}, "IsEnabled": True},
    )
    fill(sandbox)
    arns = [
        sandbox.client("iam").get_role(RoleName="kept")["Role"]["Arn"],
        sandbox.client("kms").describe_key(KeyId="alias/kept")["KeyMetadata"]["Arn"],
        sandbox.client("logs").describe_log_groups()["logGroups"][0]["arn"],
        sandbox.client("sns").list_topics()["Topics"][0]["TopicArn"],
        sandbox.client("ssm").get_parameter(Name="/kept")["Parameter"]["ARN"],
        sandbox.client("sagemaker").describe_model(ModelName="kept")["ModelArn"],
        sandbox.client("sagemaker").describe_feature_group(FeatureGroupName="kept")["FeatureGroupArn"],
    ]
    places = {tuple(arn.split(":")[3:5]) for arn in arns}
    assert places == {("eu-west-1", "210987654321"), ("", "210987654321")}  # a role is in no Region
    assert sandbox.inventory()["s3control"] == {"Storage Lens configuration": ["lens"]}
    assert "model" in sandbox.inventory()["sagemaker"]


@pytest.mark.parametrize("account", ["12345678901", "1234567890123", "12345678901x", "١٢٣٤٥٦٧٨٩٠١٢", ""])
def test_an_invalid_account_is_reported_in_one_line(command: Command, account: str) -> None:
    complaint = f"sandbox: account {account}: an AWS account ID has 12 digits, such as 123456789012"
    assert command("start", "--account", account) == (2, "", f"error: {' '.join(complaint.split())}\n")
    assert Sandbox.find() is None


def test_an_unknown_region_is_reported_in_one_line(command: Command) -> None:
    complaint = "sandbox: region mars-1: AWS has no Region of this name; use one such as eu-north-1"
    assert command("start", "--region", "mars-1") == (2, "", f"error: {complaint}\n")


def test_the_state_of_another_account_is_refused(tmp_path: Path) -> None:
    with Sandbox.start(state=tmp_path, account="210987654321") as sandbox:
        sandbox.client("sns").create_topic(Name="kept")
    with pytest.raises(UserError, match=r"holds account 210987654321, not 123456789012; start with --account 2109"):
        Sandbox.start(state=tmp_path)
    with Sandbox.start(state=tmp_path, account="210987654321") as sandbox:
        assert sandbox.inventory() == {"sns": {"topic": ["arn:aws:sns:eu-north-1:210987654321:kept"]}}


#: Body of an object that is in a file.
LARGE_BODY = bytes(range(256)) * 8192


def fill(sandbox: Sandbox) -> None:
    """Create a resource of each kind that the state must keep."""
    s3, kms, sagemaker = (sandbox.client(service) for service in ("s3", "kms", "sagemaker"))
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": sandbox.region})
    s3.put_object(Bucket="kept", Key="k", Body=b"v")
    s3.put_object(Bucket="kept", Key="large", Body=LARGE_BODY)
    kms.create_alias(AliasName="alias/kept", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    sandbox.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument=trust)
    sandbox.client("ssm").put_parameter(Name="/kept", Value="v", Type="String")
    sandbox.client("logs").create_log_group(logGroupName="kept")
    sandbox.client("sns").create_topic(Name="kept")
    image = {"Image": IMAGE}
    tags = [{"Key": "owner", "Value": "ana"}]
    role = make_role(sandbox)
    sagemaker.create_model(ModelName="kept", ExecutionRoleArn=role, PrimaryContainer=image, Tags=tags)
    sagemaker.create_feature_group(
        FeatureGroupName="kept",
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        RoleArn=role,
        FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
        OnlineStoreConfig={"EnableOnlineStore": True},
    )
    wait_until(lambda: sagemaker.describe_feature_group(FeatureGroupName="kept")["FeatureGroupStatus"] == "Created")
    record = [
        {"FeatureName": "id", "ValueAsString": "1"},
        {"FeatureName": "at", "ValueAsString": "2013-01-01T00:00:00Z"},
    ]
    sandbox.client("sagemaker-featurestore-runtime").put_record(FeatureGroupName="kept", Record=record)
