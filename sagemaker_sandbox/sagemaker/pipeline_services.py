"""What executions of pipelines ask of this account and Region: `pipelines.outside.Outside`."""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from werkzeug.exceptions import HTTPException

from sustainable_mlops.aws.s3 import S3Uri, is_s3
from sagemaker_sandbox.parts.region import AccountRegion
from sagemaker_sandbox.pipelines import functions
from sagemaker_sandbox.pipelines.outside import Fields, StepError


class Services:
    """SageMaker in this process, S3 and SQS over HTTP, Lambda's code from moto and its run from `functions`."""

    def __init__(self, region: AccountRegion) -> None:
        self._region = region

    def call(self, operation: str, request: Fields) -> Fields:
        """The answer of a SageMaker operation; raises ApiError."""
        return self._region.call(operation, request)

    def read_json(self, uri: str) -> Any:
        """The JSON document at an S3 address; raises StepError."""
        if not is_s3(uri):
            raise StepError(f"ClientError: '{uri}' is no S3 address.")
        bucket, key = S3Uri.parse(uri)
        try:
            return json.loads(self._region.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: Failed to read {uri}: {error}") from None
        except ValueError:
            raise StepError(f"ClientError: {uri} is not JSON.") from None

    def send(self, queue_url: str, body: str) -> None:
        """Put a message into an SQS queue; raises StepError."""
        try:
            self._region.client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: Failed to send a message to {queue_url}: {error}") from None

    def invoke(self, function_arn: str, event: Fields) -> Any:
        """What a Lambda function answers, once it has; raises StepError."""
        from moto.awslambda.models import lambda_backends

        region = self._region
        try:
            found = lambda_backends[region.account_id][region.name].get_function(function_arn)
        except HTTPException:
            raise StepError(f"ClientError: There is no Lambda function {function_arn}.") from None
        function = functions.Function(
            found.code_bytes, found.handler, found.run_time or "none", found.timeout, found.environment_vars
        )
        return functions.run(function, event, self._environment(found.role), region.folder, region.closing)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Do `work` in a thread of its own, which the Region waits for as it closes."""
        self._region.start_thread(name, work)

    def _environment(self, role: str) -> dict[str, str]:
        """What leads a function's clients here, as its role."""
        sts = self._region.client("sts")
        try:
            keys = sts.assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: The Lambda function cannot assume its role {role}: {error}") from None
        return {
            "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
            "AWS_REGION": self._region.name,
            "AWS_DEFAULT_REGION": self._region.name,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
