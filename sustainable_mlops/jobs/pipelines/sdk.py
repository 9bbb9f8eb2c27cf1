"""What is used of the SageMaker SDK, whose import makes clients of AWS: here they find a session of no one's."""

import warnings

import boto3

_of_the_caller = boto3.DEFAULT_SESSION
# Else the SDK's import fails without a Region, and asks the machine's metadata service for credentials.
boto3.setup_default_session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")  # noqa: S106
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the SDK about itself
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
    boto3.DEFAULT_SESSION = _of_the_caller

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
