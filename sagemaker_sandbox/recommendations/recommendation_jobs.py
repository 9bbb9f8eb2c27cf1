"""Inference recommendation jobs, and the scaling policies that follow from them.

No endpoint is created and no load is generated: `recommendations.recorded` has the figures of every job.
"""

from sagemaker_sandbox.base.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.endpoints.endpoints import Endpoints
from sagemaker_sandbox.jobs.runtime.job_log import CloudWatchStream
from sagemaker_sandbox.recommendations import scaling
from sagemaker_sandbox.recommendations.benchmarks import build_existing_endpoint_step, plan_steps
from sagemaker_sandbox.recommendations.checks import check_request
from sagemaker_sandbox.recommendations.recorded import find_load_test
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import build_page, list_page
from sagemaker_sandbox.resources.region import AccountRegion
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily, SageMakerResource, now
from sagemaker_sandbox.sagemaker.model_facts import ModelFacts
from sagemaker_sandbox.sagemaker.models import Models
from sustainable_mlops.aws.statuses import STATUSES

#: Log group in which the SageMaker SDK looks for the messages of a job.
_LOG_GROUP = "/aws/sagemaker/InferenceRecommendationsJobs"
_NOUN = "inference recommendations job"


class InferenceRecommendationsJobs(ResourceFamily):
    """Inference recommendation jobs. `private` holds a job's steps as they are once the job is over."""

    arn_type = "inference-recommendations-job"
    noun = _NOUN

    def __init__(self, region: AccountRegion, models: Models, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._models = models
        self._endpoints = endpoints

    @emulated_operation
    def create_inference_recommendations_job(self, request: Fields) -> Fields:
        """Start a job. It is over after its transition."""
        name = request["JobName"]
        if self.find(name) is not None:
            raise ResourceInUseError(f"A job with the name, {name}, already exists. Choose a different name.")
        check_request(request)
        config = request["InputConfig"]
        facts = self._check_model(config)
        steps = plan_steps(request, facts, self.region.name) + self._list_existing(name, config)
        summary = {"JobDescription": "", "Status": "IN_PROGRESS", "SamplePayloadUrl": facts.payload_url}
        models = {member: config.get(member) for member in ("ModelName", "ModelPackageVersionArn")}
        job = self.add(name, summary | models | request, request.get("Tags"))
        job.fields["JobArn"] = job.arn
        job.private = {"steps": steps}
        outcome: Fields = {"Status": "COMPLETED"}
        if not any(step["Status"] == "COMPLETED" for step in steps):
            outcome = {"Status": "FAILED", "FailureReason": steps[0]["InferenceBenchmark"]["FailureReason"]}
        self.schedule_change(job, "CreateInferenceRecommendationsJob", outcome)
        message = f"{name}: {len(steps)} benchmarks; the sandbox answers with recorded figures"
        log = CloudWatchStream(self.region.client("logs"), _LOG_GROUP, f"{name}/execution")
        self.region.start_thread(f"log of {name}", lambda: log.put([(now().timestamp(), message)]))
        return {"JobArn": job.arn}

    def _check_model(self, config: Fields) -> ModelFacts:
        """Return the facts about the model. Raises ApiError if the model does not exist or lacks a fact."""
        package = {}
        if arn := config.get("ModelPackageVersionArn"):
            package = self.region.call("DescribeModelPackage", {"ModelPackageName": arn})
        facts = ModelFacts(config.get("ContainerConfig", {}), package)
        facts.check()
        if not package:
            self._models.get(config["ModelName"])
        return facts

    def _list_existing(self, name: str, config: Fields) -> list[Fields]:
        """Return the steps of existing endpoints. Raises ApiError for one that answers no InvokeEndpoint."""
        endpoints = [self._endpoints.get(item["EndpointName"]) for item in config.get("Endpoints", ())]
        for endpoint in endpoints:
            if endpoint.fields["EndpointStatus"] != "InService" or "AsyncInferenceConfig" in endpoint.private["config"]:
                raise ValidationError(f'Endpoint "{endpoint.arn}" does not answer InvokeEndpoint: it cannot be loaded.')
        return [
            build_existing_endpoint_step(name, endpoint.name, endpoint.private["config"]["ProductionVariants"][0])
            for endpoint in endpoints
        ]

    @emulated_operation
    def describe_inference_recommendations_job(self, request: Fields) -> Fields:
        """Return a job, with its recommendations once it is over: the cheapest inference first (assumed)."""
        job = self.get(request["JobName"])
        benchmarks = [step for step in _list_steps(job) if step["Status"] == "COMPLETED"]
        recommended = [step for step in benchmarks if "Metrics" in step["InferenceBenchmark"]]
        recommended.sort(key=lambda step: step["InferenceBenchmark"]["Metrics"].get("CostPerInference", float("inf")))
        existing = [step["InferenceBenchmark"] for step in benchmarks if step not in recommended]
        is_over = job.fields["Status"] in STATUSES["RecommendationJobStatus"].final
        times = {"InvocationStartTime": job.fields["CreationTime"], "InvocationEndTime": job.fields["LastModifiedTime"]}
        return job.fields | {
            "CompletionTime": job.fields["LastModifiedTime"] if is_over else None,
            "InferenceRecommendations": [
                {"RecommendationId": step["id"], **step["InferenceBenchmark"], **times} for step in recommended
            ]
            or None,
            "EndpointPerformances": [
                {
                    "Metrics": benchmark["EndpointMetrics"],
                    "EndpointInfo": {"EndpointName": benchmark["EndpointConfiguration"]["EndpointName"]},
                }
                for benchmark in existing
            ]
            or None,
        }

    @emulated_operation
    def list_inference_recommendations_jobs(self, request: Fields) -> Fields:
        """Return summaries of all jobs, or of one model's."""
        filters = {
            member: request[f"{member}Equals"]
            for member in ("ModelName", "ModelPackageVersionArn")
            if f"{member}Equals" in request
        }
        return list_page(
            "ListInferenceRecommendationsJobs", request, self, name="JobName", status="Status", filters=filters
        )

    @emulated_operation
    def list_inference_recommendations_job_steps(self, request: Fields) -> Fields:
        """Return the benchmarks of a job, with the reason of each failure."""
        steps = _list_steps(self.get(request["JobName"]))
        return build_page(
            "ListInferenceRecommendationsJobSteps",
            request,
            [step for step in steps if request.get("Status") in (None, step["Status"])],
        )

    @emulated_operation
    def stop_inference_recommendations_job(self, request: Fields) -> Fields:
        """Stop a job: STOPPING, and STOPPED after the transition."""
        job = self.get(request["JobName"])
        status = job.fields["Status"]
        if status in STATUSES["RecommendationJobStatus"].final:
            raise ValidationError(f"The request was rejected because the {self.noun} is in status {status}.")
        job.fields |= {"Status": "STOPPING", "LastModifiedTime": now()}
        self.schedule_change(job, "StopInferenceRecommendationsJob", {"Status": "STOPPED"})
        return {}

    @emulated_operation
    def get_scaling_configuration_recommendation(self, request: Fields) -> Fields:
        """Return a scaling policy for one of a completed job's endpoints."""
        job = self.get(request["InferenceRecommendationsJobName"])
        if job.fields["Status"] != "COMPLETED":
            raise ValidationError(f"The {self.noun} {job.name} is in status {job.fields['Status']}, not COMPLETED.")
        if ("RecommendationId" in request) == ("EndpointName" in request):
            raise ValidationError("Specify either RecommendationId or EndpointName.")
        step = _find_step(job, request)
        if step["instance_type"] is None:
            raise ValidationError("No scaling policy is recommended for serverless endpoints.")
        benchmark = step["InferenceBenchmark"]
        expected = (benchmark.get("Metrics") or benchmark["EndpointMetrics"])["MaxInvocations"]
        target = request.get("TargetCpuUtilizationPerCore", scaling.DEFAULT_CPU)
        objective = request.get("ScalingPolicyObjective", {})
        policy = scaling.recommend_scaling(find_load_test(step["instance_type"]), target, objective, expected)
        return request | {"TargetCpuUtilizationPerCore": target} | policy

    def list_remaining(self) -> dict[str, list[str]]:
        """Return the jobs in progress: a finished job cannot be deleted."""
        names = [job.name for job in self if job.fields["Status"] not in STATUSES["RecommendationJobStatus"].final]
        return {self.arn_type: names} if names else {}

    def create_not_found_error(self, name: str) -> Exception:
        """Return SageMaker's own error; its message is assumed."""
        return ResourceNotFoundError(f"Could not find {self.noun} with name: {name}")


def _list_steps(job: SageMakerResource) -> list[Fields]:
    """Return the steps with the job's status if it is not over or was stopped, without results."""
    status = job.fields["Status"]
    if status in ("COMPLETED", "FAILED"):
        steps: list[Fields] = job.private["steps"]
        return steps
    status = "STOPPED" if status == "STOPPED" else "IN_PROGRESS"
    results = ("Metrics", "EndpointMetrics", "FailureReason")
    return [
        step
        | {
            "Status": status,
            "InferenceBenchmark": {k: v for k, v in step["InferenceBenchmark"].items() if k not in results},
        }
        for step in job.private["steps"]
    ]


def _find_step(job: SageMakerResource, request: Fields) -> Fields:
    """Return the completed step that the request names. Raises ResourceNotFoundError."""
    name = request.get("RecommendationId") or request["EndpointName"]
    for step in job.private["steps"]:
        endpoint = step["InferenceBenchmark"]["EndpointConfiguration"]["EndpointName"]
        if step["Status"] == "COMPLETED" and name == (endpoint if "EndpointName" in request else step["id"]):
            completed: Fields = step
            return completed
    raise ResourceNotFoundError(f"Could not find {name} among the recommendations of {_NOUN} {job.name}.")
