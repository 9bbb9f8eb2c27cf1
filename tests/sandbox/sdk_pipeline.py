"""A pipeline made, started twice and followed with the SageMaker SDK, as a program: the test that starts it reads JSON.

Arguments: bucket, role, the ARN of a Lambda function that squares `x`, the S3 address of an archive with train.py.
"""

import json
import sys
from typing import Any

import boto3
from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionGreaterThan
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.for_each_step import CurrentItem, ForEachSelector, ForEachStep, IterationOutput
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import SageMakerJobExceptionTypeEnum, SageMakerJobStepRetryPolicy
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.model_trainer import ModelTrainer

IMAGE = "662702820516.dkr.ecr.eu-north-1.amazonaws.com/sagemaker-xgboost:3.0-5"
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")


def preparation(session: PipelineSession, role: str, bucket: str) -> ProcessingStep:
    """Return a cached step that writes a file."""
    write = ["sh", "-c", "echo flights > /opt/ml/processing/out/data"]
    processor = Processor(role, IMAGE, 1, "ml.m5.large", write, volume_size_in_gb=1, sagemaker_session=session)
    target = ProcessingS3Output(
        s3_uri=f"s3://{bucket}/prepared", local_path="/opt/ml/processing/out", s3_upload_mode="EndOfJob"
    )
    outputs = [ProcessingOutput(output_name="out", s3_output=target)]
    return ProcessingStep("Prepare", step_args=processor.run(outputs=outputs), cache_config=CACHE)


def training(
    session: PipelineSession, role: str, source: str, depth: PipelineVariable, data: PipelineVariable
) -> TrainingStep:
    """Return a cached step with a script."""
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=role,
        training_image=IMAGE,
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": source, "depth": depth},
    )
    policy = SageMakerJobStepRetryPolicy([SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], max_attempts=2)
    channel = InputData(channel_name="train", data_source=data)
    step_args = trainer.train(input_data_config=[channel])
    return TrainingStep("Train", step_args=step_args, cache_config=CACHE, retry_policies=[policy])


def squares(function: str, items: PipelineVariable) -> ForEachStep:
    """Return a ForEach step that selects the largest square."""
    square = LambdaStep(
        "Square",
        lambda_func=Lambda(function_arn=function),
        inputs={"x": CurrentItem()},
        outputs=[LambdaOutput("square", LambdaOutputTypeEnum.Integer)],
    )
    selector = ForEachSelector("MaxBy", IterationOutput(square).OutputParameters["square"])
    return ForEachStep("Squares", iterable_items=items, max_concurrency=2, for_each_body=[square], selector=selector)


def main(bucket: str, role: str, function: str, source: str) -> dict[str, Any]:
    """Print the steps of two executions, and of a third that ends at a Fail step."""
    session = PipelineSession(boto_session=boto3.Session(), default_bucket=bucket)
    depth, items = ParameterString("Depth", default_value="6"), ParameterString("Items", default_value="[1, -4, 3]")
    prepare, largest = preparation(session, role, bucket), squares(function, items)
    data = prepare.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
    train = training(session, role, source, depth, data)
    message = Join(
        on=" ",
        values=["only", largest.properties.Selected.OutputParameters["square"], "in", ExecutionVariables.PIPELINE_NAME],
    )
    enough = ConditionStep(
        "Enough",
        conditions=[ConditionGreaterThan(largest.properties.Selected.OutputParameters["square"], 10)],
        if_steps=[train],
        else_steps=[FailStep("Too-few", error_message=message)],
    )
    pipeline = Pipeline("sdk", parameters=[depth, items], steps=[prepare, largest, enough], sagemaker_session=session)
    pipeline.upsert(role_arn=role)
    report: dict[str, Any] = {"again": pipeline.upsert(role_arn=role)["PipelineArn"], "executions": []}
    for parameters in ({}, {}, {"Items": "[1, 2]"}):
        execution = pipeline.start(parameters=parameters)
        try:
            execution.wait(delay=1, max_attempts=2000)
        except Exception as error:  # the SDK's waiter says of a failed execution that it failed
            report["waiter"] = type(error).__name__
        steps = execution.list_steps()
        report["executions"].append({"status": execution.describe()["PipelineExecutionStatus"], "steps": steps})
    return report


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:]), default=str))
