"""Services of this account and Region for pipeline executions."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.pipelines import functions
from sagemaker_sandbox.pipelines.services import Fields, StepError
from sagemaker_sandbox.resources.callers import act_for
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.role_environment import create_role_client
from sustainable_mlops.aws.s3 import S3Uri, is_s3


class PipelineServices:
    """SageMaker in this process, S3 and SQS over HTTP, and Lambda functions.

    moto has the code of a function, and `functions` runs it. With enforcement of IAM, SageMaker and S3 need the
    permissions of `role`.
    """

    def __init__(self, region: AccountRegion, role: str | None = None) -> None:
        self._region, self._role = region, role

    def call(self, operation: str, request: Fields) -> Fields:
        """Return the response of a SageMaker operation. Raises ApiError."""
        role = self._role
        if role is None:
            return self._region.call(operation, request)
        self._region.check_role(role, operation, request)
        with act_for(lambda: roles.build_session(role)):
            return self._region.call(operation, request)

    def read_json(self, uri: str) -> Any:
        """Return the JSON document at an S3 address. Raises StepError."""
        if not is_s3(uri):
            raise StepError(f"ClientError: '{uri}' is not an S3 address.")
        bucket, key = S3Uri.parse(uri)
        try:
            s3 = create_role_client(self._region, "s3", self._role)
            return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: Failed to read {uri}: {error}") from None
        except ValueError:
            raise StepError(f"ClientError: {uri} is not JSON.") from None

    def send(self, queue_url: str, body: str) -> None:
        """Send a message to an SQS queue. Raises StepError."""
        try:
            self._region.client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: Failed to send a message to {queue_url}: {error}") from None

    def invoke(self, function_arn: str, event: Fields) -> Any:
        """Run a Lambda function and return its result. Raises StepError."""
        region, moto_function = self._region, self._find_function(function_arn)
        if moto_function is None:
            raise StepError(f"ClientError: The Lambda function {function_arn} does not exist.")
        function = functions.LambdaFunction(
            moto_function.code_bytes,
            moto_function.handler,
            moto_function.run_time or "none",
            moto_function.timeout,
            moto_function.environment_vars,
        )
        return functions.run_function(
            function, event, self._build_environment(moto_function.role), region.folder, region.closing
        )

    def has_function(self, name_or_arn: str) -> bool:
        """Return whether the Lambda function exists."""
        return self._find_function(name_or_arn) is not None

    def _find_function(self, name_or_arn: str) -> Any:
        """Return moto's record of a Lambda function, or None."""
        from moto.awslambda.models import lambda_backends

        try:
            return lambda_backends[self._region.account_id][self._region.name].get_function(name_or_arn)
        except HTTPException:
            return None

    def now(self) -> datetime:
        """Return the sandbox's time."""
        return self._region.clock.now()

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` in a thread. The Region waits for it when it closes."""
        self._region.start_thread(name, work)

    def _build_environment(self, role: str) -> dict[str, str]:
        """Return the environment variables for a function's AWS clients, with the credentials of its role."""
        sts = self._region.client("sts")
        try:
            credentials = sts.assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise StepError(f"ClientError: The Lambda function cannot assume its role {role}: {error}") from None
        return {
            "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
            **self._region.context.variables,
            "AWS_REGION": self._region.name,
            "AWS_DEFAULT_REGION": self._region.name,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }
