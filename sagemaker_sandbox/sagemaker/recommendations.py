"""Inference recommendation jobs, and the scaling policies that follow from them: the API's side."""

import secrets
from typing import Any

from sagemaker_sandbox.errors import ResourceInUseError, ResourceNotFoundError, ValidationError
from sagemaker_sandbox.parts.listing import cut, list_page
from sagemaker_sandbox.parts.operations import behaves
from sagemaker_sandbox.parts.region import Region
from sagemaker_sandbox.parts.resources import Family, Fields, Resource, now
from sagemaker_sandbox.recommendations import pattern, scaling
from sagemaker_sandbox.recommendations.benchmarks import Benchmark, benchmarks
from sagemaker_sandbox.recommendations.checks import check
from sagemaker_sandbox.recommendations.run import Plan, Run
from sagemaker_sandbox.recommendations.stopping import Conditions
from sagemaker_sandbox.recommendations.subject import Subject
from sagemaker_sandbox.runtime.job_log import CloudWatchStream
from sagemaker_sandbox.sagemaker.endpoints import Endpoints
from sagemaker_sandbox.sagemaker.fleets import Fleets
from sagemaker_sandbox.sagemaker.models import Models
from sagemaker_sandbox.sagemaker.served import served_containers

_OVER = ("COMPLETED", "FAILED", "STOPPED")
_ENDED = "InternalServerError: the sandbox ended while the job ran; start the job again"
#: Where the SDK looks for what a job says.
_LOGS = "/aws/sagemaker/InferenceRecommendationsJobs"
_NOUN = "inference recommendations job"
#: What comes after the job's name in the id of a recommendation, in bytes of which each is two characters.
_ID = 4


class InferenceRecommendationsJobs(Family):
    """A job's `private` holds its steps: what ListInferenceRecommendationsJobSteps answers, each with its `id`."""

    arn_type = "inference-recommendations-job"
    noun = _NOUN

    def __init__(self, region: Region, models: Models, fleets: Fleets, endpoints: Endpoints) -> None:
        super().__init__(region)
        self._models = models
        self._fleets = fleets
        self._endpoints = endpoints
        self._runs: dict[str, Run] = {}

    @behaves
    def create_inference_recommendations_job(self, request: Fields) -> Fields:
        """Load one endpoint after the other, in the background."""
        name = request["JobName"]
        if self.find(name) is not None:
            raise ResourceInUseError(f"A job with the name, {name}, already exists. Choose a different name.")
        check(request)
        plan = self._plan(request)
        config = request["InputConfig"]
        named = {member: config.get(member) for member in ("ModelName", "ModelPackageVersionArn")}
        summary = {"JobDescription": "", "Status": "PENDING", "SamplePayloadUrl": plan.payload_url} | named
        job = self.add(name, summary | request, request.get("Tags"))
        job.fields["JobArn"] = job.arn
        job.private = {"steps": [_step(name, benchmark) for benchmark in plan.benchmarks], "stopping": False}
        log = CloudWatchStream(self.region.client("logs"), _LOGS, f"{name}/execution")

        def tell(number: int, status: str, told: Fields) -> None:
            log.put([(now().timestamp(), self._tell(job, number, status, told))])

        def over(failure: str | None) -> None:
            log.put([(now().timestamp(), self._end(job, failure))])

        run = self._runs[name] = Run(self.region, self._fleets, plan, tell, over)
        run.start(f"{self.noun} {name}", self.region.transition_seconds("CreateInferenceRecommendationsJob", name))
        return {"JobArn": job.arn}

    def _plan(self, request: Fields) -> Plan:
        """Raises ApiError where what the request names is not there, or says too little."""
        config, package, existing = request["InputConfig"], {}, self._existing(request["InputConfig"])
        arn = config.get("ModelPackageVersionArn")
        if arn is not None:
            package = self.region.call("DescribeModelPackage", {"ModelPackageName": arn})
        subject = Subject(config.get("ContainerConfig", {}), package)
        subject.check()
        made = benchmarks(config, subject)
        model = {"ExecutionRoleArn": request["RoleArn"]} if arn else self._models.get(config["ModelName"]).fields
        containers = {
            one: served_containers(self.region, model | _packaged(arn, one) if arn else model)
            for one in {benchmark.specification for benchmark in made}
        }
        return Plan(
            benchmarks=[*made, *existing],
            containers=containers,
            payload_url=subject.payload_url,
            content_type=subject.content_type,
            pattern=pattern.steps(config.get("TrafficPattern")),
            conditions=Conditions.of(request.get("StoppingConditions", {})),
            seconds=config.get("JobDurationInSeconds"),
        )

    def _existing(self, config: Fields) -> list[Benchmark]:
        """The endpoints that are to be loaded as they are."""
        found = [self._endpoints.get(one["EndpointName"]) for one in config.get("Endpoints", ())]
        for endpoint in found:
            if endpoint.fields["EndpointStatus"] != "InService" or "AsyncInferenceConfig" in endpoint.private["config"]:
                raise ValidationError(f'Endpoint "{endpoint.arn}" does not answer InvokeEndpoint: it cannot be loaded.')
        return [
            Benchmark(one.name, one.private["config"]["ProductionVariants"][0]["VariantName"], existing=True)
            for one in found
        ]

    def _tell(self, job: Resource, number: int, status: str, told: Fields) -> str:
        """Keep what a step tells of itself; the line for the log."""
        with self.region.lock:
            if self.region.closing.is_set():  # what is restored says so itself
                return "The sandbox is ending."
            step = job.private["steps"][number]
            step["Status"] = status
            step["measured"] = told.pop("measured", None)
            step["InferenceBenchmark"] |= told
            if job.fields["Status"] == "PENDING":
                job.fields["Status"] = "IN_PROGRESS"
            job.fields["LastModifiedTime"] = now()
            benchmark = step["InferenceBenchmark"]
            where = benchmark["EndpointConfiguration"]
            on = where.get("InstanceType") or ("serverless" if "ServerlessConfig" in where else "existing endpoint")
            said = benchmark.get("FailureReason") or benchmark.get("Metrics") or benchmark.get("EndpointMetrics") or ""
            return f"Benchmark {where['EndpointName']} ({on}): {status} {said}".rstrip()

    def _end(self, job: Resource, failure: str | None) -> str:
        with self.region.lock:
            self._runs.pop(job.name, None)
            if self.region.closing.is_set():
                return "The sandbox is ending."
            steps = job.private["steps"]
            completed = any(step["Status"] == "COMPLETED" for step in steps)
            job.fields["Status"] = "STOPPED" if job.private["stopping"] else "COMPLETED" if completed else "FAILED"
            if job.fields["Status"] == "FAILED":
                reasons = (step["InferenceBenchmark"].get("FailureReason") for step in steps)
                job.fields["FailureReason"] = failure or next(filter(None, reasons), "JobDurationInSeconds was over.")
            for step in steps:
                if step["Status"] not in _OVER:  # nothing could be sent
                    step["Status"] = job.fields["Status"]
            job.fields |= {"CompletionTime": now(), "LastModifiedTime": now()}
            return f"{job.name}: {job.fields['Status']} {job.fields.get('FailureReason', '')}".rstrip()

    @behaves
    def describe_inference_recommendations_job(self, request: Fields) -> Fields:
        """The job as it stands, and once it is over what it recommends: the cheapest inference first, which is assumed
        of AWS's order."""
        job = self.get(request["JobName"])
        if job.fields["Status"] not in _OVER:
            return job.fields
        completed = [step for step in job.private["steps"] if step["Status"] == "COMPLETED"]
        made = [step for step in completed if "Metrics" in step["InferenceBenchmark"]]
        made.sort(key=lambda step: step["InferenceBenchmark"]["Metrics"].get("CostPerInference", float("inf")))
        existing = [step["InferenceBenchmark"] for step in completed if "EndpointMetrics" in step["InferenceBenchmark"]]
        return job.fields | {
            "InferenceRecommendations": [
                {"RecommendationId": step["id"], **step["InferenceBenchmark"]} for step in made
            ]
            or None,
            "EndpointPerformances": [
                {
                    "Metrics": one["EndpointMetrics"],
                    "EndpointInfo": {"EndpointName": one["EndpointConfiguration"]["EndpointName"]},
                }
                for one in existing
            ]
            or None,
        }

    @behaves
    def list_inference_recommendations_jobs(self, request: Fields) -> Fields:
        """Summaries of jobs, of all or of one model's."""
        wanted = {
            member: request[f"{member}Equals"]
            for member in ("ModelName", "ModelPackageVersionArn")
            if f"{member}Equals" in request
        }
        return list_page(
            "ListInferenceRecommendationsJobs", request, self, name="JobName", status="Status", wanted=wanted
        )

    @behaves
    def list_inference_recommendations_job_steps(self, request: Fields) -> Fields:
        """The benchmarks of a job, those that failed with why."""
        steps = self.get(request["JobName"]).private["steps"]
        found = [step for step in steps if request.get("Status") in (None, step["Status"])]
        return cut("ListInferenceRecommendationsJobSteps", request, found)

    @behaves
    def stop_inference_recommendations_job(self, request: Fields) -> Fields:
        """STOPPING, and STOPPED once the endpoint under load is let go; what was completed is described."""
        job = self.get(request["JobName"])
        status = job.fields["Status"]
        if status in _OVER:
            raise ValidationError(f"The request was rejected because the {self.noun} is in status {status}.")
        job.fields |= {"Status": "STOPPING", "LastModifiedTime": now()}
        job.private["stopping"] = True
        self._runs[job.name].stop()
        return {}

    @behaves
    def get_scaling_configuration_recommendation(self, request: Fields) -> Fields:
        """What to scale one of a completed job's endpoints by."""
        job = self.get(request["InferenceRecommendationsJobName"])
        if job.fields["Status"] != "COMPLETED":
            raise ValidationError(f"The {self.noun} {job.name} is in status {job.fields['Status']}, not COMPLETED.")
        if ("RecommendationId" in request) == ("EndpointName" in request):
            raise ValidationError("Specify either RecommendationId or EndpointName.")
        step = _named(job, request)
        if step["measured"] is None:
            raise ValidationError("No scaling policy is recommended for serverless endpoints.")
        measured = scaling.Measured(**step["measured"])
        benchmark = step["InferenceBenchmark"]
        expected = (benchmark.get("Metrics") or benchmark["EndpointMetrics"])["MaxInvocations"]
        target = request.get("TargetCpuUtilizationPerCore", scaling.CPU)
        found = scaling.recommend(measured, target, request.get("ScalingPolicyObjective", {}), expected)
        return request | {"TargetCpuUtilizationPerCore": target} | found

    def left(self) -> dict[str, list[str]]:
        """Jobs in progress, as of the other jobs."""
        names = [job.name for job in self if job.fields["Status"] not in _OVER]
        return {self.arn_type: names} if names else {}

    def restore(self, kept: Any) -> None:
        """Jobs that ran when the sandbox ended have failed."""
        super().restore(kept)
        for job in self.resources.values():
            if job.fields["Status"] in _OVER:
                continue
            over = {"CompletionTime": now(), "LastModifiedTime": now()}
            job.fields |= {"Status": "FAILED", "FailureReason": _ENDED} | over
            for step in job.private["steps"]:
                if step["Status"] not in _OVER:
                    step["Status"] = "FAILED"
                    step["InferenceBenchmark"]["FailureReason"] = _ENDED

    def close(self) -> None:
        """Send no more requests."""
        for run in list(self._runs.values()):
            run.stop()

    def not_found(self, name: str) -> Exception:
        """SageMaker has an error of its own; the words are assumed."""
        return ResourceNotFoundError(f"Could not find {self.noun} with name: {name}")


def _packaged(arn: str, specification: str | None) -> Fields:
    named = {} if specification is None else {"InferenceSpecificationName": specification}
    return {"PrimaryContainer": {"ModelPackageName": arn, **named}}


def _step(job: str, benchmark: Benchmark) -> Fields:
    return {
        "StepType": "BENCHMARK",
        "JobName": job,
        "Status": "PENDING",
        "InferenceBenchmark": {"EndpointConfiguration": benchmark.endpoint(), "ModelConfiguration": benchmark.model},
        "id": f"{job}/{secrets.token_hex(_ID)}",
        "measured": None,
    }


def _named(job: Resource, request: Fields) -> Fields:
    """The completed step that the request names. Raises ResourceNotFoundError."""
    for step in job.private["steps"]:
        endpoint = step["InferenceBenchmark"]["EndpointConfiguration"]["EndpointName"]
        if step["Status"] == "COMPLETED" and (step["id"], endpoint)["EndpointName" in request] == (
            request.get("RecommendationId") or request["EndpointName"]
        ):
            found: Fields = step
            return found
    what = request.get("RecommendationId") or request["EndpointName"]
    raise ResourceNotFoundError(f"Could not find {what} among the recommendations of {_NOUN} {job.name}.")
