"""Import of the SageMaker SDK without the caller's AWS session: its import creates AWS clients."""

import warnings

import boto3

_caller_session = boto3.DEFAULT_SESSION
# Without this session, the SDK's import fails without a Region and requests credentials from the metadata service.
boto3.setup_default_session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecations inside the SDK
        from sagemaker.core.helper.pipeline_variable import PipelineVariable
        from sagemaker.core.workflow.conditions import (
            ConditionEquals,
            ConditionGreaterThanOrEqualTo,
            ConditionLessThanOrEqualTo,
            ConditionOr,
        )
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.functions import Join, JsonGet
        from sagemaker.core.workflow.parameters import Parameter, ParameterFloat, ParameterInteger, ParameterString
        from sagemaker.core.workflow.properties import Properties, PropertyFile
        from sagemaker.mlops.workflow.condition_step import ConditionStep
        from sagemaker.mlops.workflow.fail_step import FailStep
        from sagemaker.mlops.workflow.pipeline import Pipeline
        from sagemaker.mlops.workflow.retry import (
            RetryPolicy,
            SageMakerJobExceptionTypeEnum,
            SageMakerJobStepRetryPolicy,
            StepExceptionTypeEnum,
            StepRetryPolicy,
        )
        from sagemaker.mlops.workflow.steps import CacheConfig, ConfigurableRetryStep, Step, StepTypeEnum
finally:
    boto3.DEFAULT_SESSION = _caller_session

__all__ = [
    "CacheConfig",
    "ConditionEquals",
    "ConditionGreaterThanOrEqualTo",
    "ConditionLessThanOrEqualTo",
    "ConditionOr",
    "ConditionStep",
    "ConfigurableRetryStep",
    "ExecutionVariables",
    "FailStep",
    "Join",
    "JsonGet",
    "Parameter",
    "ParameterFloat",
    "ParameterInteger",
    "ParameterString",
    "Pipeline",
    "PipelineVariable",
    "Properties",
    "PropertyFile",
    "RetryPolicy",
    "SageMakerJobExceptionTypeEnum",
    "SageMakerJobStepRetryPolicy",
    "Step",
    "StepExceptionTypeEnum",
    "StepRetryPolicy",
    "StepTypeEnum",
]
