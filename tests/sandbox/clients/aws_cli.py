"""Scenarios of the AWS CLI. The arguments are a folder with source.tar.gz and model.tar.gz, and a name."""

import json
import subprocess
import sys
import time
from typing import Any

from tests.sandbox.clients.results import attempt, check, reject, scenario

FILES, NAME = sys.argv[1:]
IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}],
}
CLUSTER = "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=1"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def aws(command: str, *arguments: Any) -> str:
    """Run one command of the CLI and return its output. Values that are not text become JSON."""
    words = [word if isinstance(word, str) else json.dumps(word) for word in arguments]
    process = subprocess.run(["aws", *command.split(), *words], capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(process.stderr.strip())
    return process.stdout.strip()


def run(command: str, *arguments: Any) -> str:
    """Report one command and return its output."""
    return attempt(" ".join(command.split()[:3]), lambda: aws(command, *arguments)) or ""


def refuse(words: str, command: str, *arguments: Any) -> None:
    """Report a command that AWS refuses with these words."""
    reject(" ".join(command.split()[:2]), words, lambda: aws(command, *arguments))


def poll(status: str, command: str) -> None:
    """Wait until a command prints the status. The waiters of the CLI look only every 30 to 120 seconds."""
    end = time.monotonic() + 900
    while (value := aws(command)) != status and value != "Failed" and time.monotonic() < end:
        time.sleep(0.5)
    check(f"{command.split()[1]} prints {status}", value == status, value)


def use_account_and_storage() -> tuple[str, str]:
    account = run("sts get-caller-identity --query Account --output text")
    bucket = f"{NAME}-{account}"
    create = f"iam create-role --role-name {NAME} --query Role.Arn --output text --assume-role-policy-document"
    role = run(create, TRUST)
    refuse("EntityAlreadyExists", create, TRUST)
    run(f"iam wait role-exists --role-name {NAME}")
    run(f"s3 mb s3://{bucket}")
    run(f"s3api wait bucket-exists --bucket {bucket}")
    run(f"s3 cp --recursive {FILES} s3://{bucket}/")
    run(f"s3 sync {FILES} s3://{bucket}/copy --delete")
    listing = run(f"s3 ls s3://{bucket} --recursive")
    check("listed objects", len(listing.splitlines()) == 4, listing)
    for algorithm in ("CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"):
        put = f"s3api put-object --bucket {bucket} --key {algorithm} --body {FILES}/model.tar.gz"
        run(f"{put} --checksum-algorithm {algorithm}")
    put = f"s3api put-object --bucket {bucket} --key wrong --body {FILES}/model.tar.gz"
    refuse("BadDigest", f"{put} --checksum-sha256 ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=")
    refuse("404", f"s3api head-object --bucket {bucket} --key none")
    refuse("NoSuchKey", f"s3api get-object --bucket {bucket} --key none {FILES}/none")
    refuse("NoSuchBucket", f"s3 ls s3://{NAME}-none")
    keys = run(f"s3api list-objects-v2 --bucket {bucket} --page-size 2 --query Contents[].Key --output text")
    check("pages of objects", len(keys.split()) == 9, keys)
    some = json.loads(run(f"s3api list-objects-v2 --bucket {bucket} --max-items 2") or "{}")
    rest = f"s3api list-objects-v2 --bucket {bucket} --query length(Contents) --starting-token {some.get('NextToken')}"
    check("next token", run(rest) == "7", some)
    url = run(f"s3 presign s3://{bucket}/model.tar.gz --expires-in 60")
    check("presigned URL", subprocess.run(["curl", "-sfo", "/dev/null", url], check=False).returncode == 0, url)
    run("kms create-key --query KeyMetadata.Arn --output text")
    refuse("NotFoundException", "kms describe-key --key-id alias/none")
    return role, bucket


def train(role: str, bucket: str) -> None:
    def create(name: str, program: str, *more: str) -> tuple[Any, ...]:
        script = {"sagemaker_program": program, "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz"}
        return (
            f"sagemaker create-training-job --training-job-name {name} --role-arn {role} --resource-config {CLUSTER}"
            f" --algorithm-specification TrainingImage={IMAGE},TrainingInputMode=File"
            f" --output-data-config S3OutputPath=s3://{bucket}/models --stopping-condition MaxRuntimeInSeconds=600"
            " --tags Key=team,Value=cli --hyper-parameters",
            script,
            *more,
        )

    run(*create(NAME, "train.py"))
    refuse("ResourceInUse", *create(NAME, "train.py"))
    refuse("ValidationException", *create("not_valid", "train.py"))
    refuse("ValidationException", *create(f"{NAME}-wrong", "train.py", "--role-arn", f"{role}-none"))
    refuse(
        "ValidationException", *create(f"{NAME}-wrong", "train.py", "--resource-config", CLUSTER.replace("m5", "m0"))
    )
    describe = "sagemaker describe-training-job --query TrainingJobStatus --output text --training-job-name"
    poll("Completed", f"{describe} {NAME}")
    run(f"sagemaker wait training-job-completed-or-stopped --training-job-name {NAME}")
    run(*create(f"{NAME}-fails", "fail.py"))
    poll("Failed", f"{describe} {NAME}-fails")
    refuse("Waiter", f"sagemaker wait training-job-completed-or-stopped --training-job-name {NAME}-fails")
    refuse("ValidationException", f"{describe} none")
    pages = f"sagemaker list-training-jobs --name-contains {NAME} --page-size 1 --output text --query"
    check("pages of jobs", len(run(pages, "TrainingJobSummaries[].TrainingJobName").split()) == 2)
    events = (
        "logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --output text --query events[].message"
    )
    line = run(f"{events} --log-stream-name-prefix {NAME}/ --filter-pattern trained")
    check("line in the log", line.startswith("trained"), line)
    streams = run(
        "logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --output text"
        f" --log-stream-name-prefix {NAME}/ --query events[].logStreamName"
    )
    check("streams of the prefix", all(stream.startswith(f"{NAME}/") for stream in streams.split()), streams)
    run(f"s3 cp s3://{bucket}/models/{NAME}/output/model.tar.gz {FILES}/trained")


def serve(role: str, bucket: str) -> None:
    for name in (NAME, f"{NAME}-b"):
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz", "Environment": {"NAME": name}}
        run(f"sagemaker create-model --model-name {name} --execution-role-arn {role} --primary-container", container)
        variant = f"VariantName=main,ModelName={name},InstanceType=ml.m5.large,InitialInstanceCount=1"
        run(f"sagemaker create-endpoint-config --endpoint-config-name {name} --production-variants {variant}")
    create = f"sagemaker create-endpoint --endpoint-name {NAME} --endpoint-config-name {NAME}"
    run(create)
    refuse("already existing", create)
    describe = f"sagemaker describe-endpoint --endpoint-name {NAME} --query EndpointStatus --output text"
    poll("InService", describe)
    run(f"sagemaker wait endpoint-in-service --endpoint-name {NAME}")
    invoke = "sagemaker-runtime invoke-endpoint --content-type text/csv --accept text/plain --endpoint-name"
    variant = run(f"{invoke} {NAME} {FILES}/answer --query InvokedProductionVariant --body", "1 2")
    with open(f"{FILES}/answer") as file:
        check("response", file.read() == f"1 2 {NAME}" and variant == '"main"', variant)
    refuse("ModelError", f"{invoke} {NAME} {FILES}/answer --body", "fail")
    refuse("ValidationError", f"{invoke} none {FILES}/answer --body", "1")
    scale()
    run(f"sagemaker update-endpoint --endpoint-name {NAME} --endpoint-config-name {NAME}-b")
    poll("InService", describe)
    run(f"{invoke} {NAME} {FILES}/answer --body", "1")
    with open(f"{FILES}/answer") as file:
        check("response after the update", file.read() == f"1 {NAME}-b")
    run("cloudwatch list-metrics --namespace AWS/SageMaker --query Metrics[].MetricName --output text")
    alarm = f"cloudwatch put-metric-alarm --alarm-name {NAME} --namespace AWS/SageMaker --metric-name Invocations"
    alarm += " --statistic Sum --evaluation-periods 1 --threshold 0 --comparison-operator GreaterThanThreshold --period"
    run(f"{alarm} 60")
    refuse("ValidationError", f"{alarm} 7")
    run(f"cloudwatch wait alarm-exists --alarm-names {NAME}")
    run(f"sagemaker delete-endpoint --endpoint-name {NAME}")
    run(f"sagemaker wait endpoint-deleted --endpoint-name {NAME}")
    refuse("Could not find endpoint", describe)


def scale() -> None:
    target = (
        f"--service-namespace sagemaker --resource-id endpoint/{NAME}/variant/main --scalable-dimension {DIMENSION}"
    )
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
    policy = (
        f"application-autoscaling put-scaling-policy {target} --policy-name {NAME}"
        " --policy-type TargetTrackingScaling --query length(Alarms) --target-tracking-scaling-policy-configuration"
    )
    refuse("ObjectNotFoundException", policy, {"TargetValue": 100, **metric})
    register = f"application-autoscaling register-scalable-target {target} --min-capacity 1 --max-capacity 2"
    run(register)
    refuse("ValidationException", register.replace(f"endpoint/{NAME}", "endpoint/none"))
    check("alarms of the policy", run(policy, {"TargetValue": 100, **metric}) == "2")
    describe = "application-autoscaling describe-scaling-policies --service-namespace sagemaker --output text --query"
    check("policies", NAME in run(describe, "ScalingPolicies[].PolicyName"))
    run(f"application-autoscaling deregister-scalable-target {target}")


def register(bucket: str) -> None:
    group = f"sagemaker create-model-package-group --model-package-group-name {NAME}"
    run(group)
    refuse("already exists", group)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    create = f"sagemaker create-model-package --model-package-group-name {NAME} --output text --query ModelPackageArn"
    create += " --model-approval-status PendingManualApproval --inference-specification"
    arns = [run(create, {"Containers": [container], **types}) for _ in range(3)]
    run(f"sagemaker update-model-package --model-package-arn {arns[2]} --model-approval-status Approved")
    pages = f"sagemaker list-model-packages --model-package-group-name {NAME} --page-size 1 --query"
    check("versions", run(pages, "length(ModelPackageSummaryList)") == "3")
    newest = f"{pages} ModelPackageSummaryList[0].ModelPackageArn --output text --model-approval-status Approved"
    check("approved version", run(newest).split()[:1] == [arns[2]], newest)
    refuse("ConflictException", f"sagemaker delete-model-package-group --model-package-group-name {NAME}")
    for arn in arns:
        run(f"sagemaker delete-model-package --model-package-name {arn}")
    run(f"sagemaker delete-model-package-group --model-package-group-name {NAME}")


def store_features(role: str) -> None:
    features = "FeatureName=id,FeatureType=String FeatureName=time,FeatureType=String"
    create = (
        f"sagemaker create-feature-group --feature-group-name {NAME} --role-arn {role} --feature-definitions {features}"
        " --record-identifier-feature-name id --event-time-feature-name time"
        " --online-store-config EnableOnlineStore=true"
    )
    run(create)
    refuse("ResourceInUse", create)
    describe = "sagemaker describe-feature-group --query FeatureGroupStatus --output text --feature-group-name"
    poll("Created", f"{describe} {NAME}")
    refuse("ResourceNotFound", f"{describe} none")
    record = "FeatureName=id,ValueAsString=a FeatureName=time,ValueAsString=2026-01-01T00:00:00Z"
    run(f"sagemaker-featurestore-runtime put-record --feature-group-name {NAME} --record {record}")
    key = f"--feature-group-name {NAME} --record-identifier-value-as-string a"
    value = run(f"sagemaker-featurestore-runtime get-record {key} --query Record[0].ValueAsString --output text")
    check("value of the record", value == "a", value)
    run(f"sagemaker-featurestore-runtime delete-record {key} --event-time 2026-01-02T00:00:00Z")
    run(f"sagemaker delete-feature-group --feature-group-name {NAME}")


role = bucket = ""
with scenario("account"):
    role, bucket = use_account_and_storage()
with scenario("training"):
    train(role, bucket)
with scenario("endpoint"):
    serve(role, bucket)
with scenario("registry"):
    register(bucket)
with scenario("features"):
    store_features(role)
