"""The composition of an environment, written once: `settings.yaml` of each environment becomes its root module."""

from collections.abc import Mapping
from typing import Any

from cdktn_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktn_provider_aws.ssm_parameter import SsmParameter

from envs.settings import Settings
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.expressions import (
    contains,
    each_of,
    join,
    jsonencode,
    keys,
    length,
    map_of,
    replace,
    set_of,
    without,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs, Root

#: Log groups that SageMaker would create by itself, and keep for ever.
JOB_LOGS = ("ProcessingJobs", "TrainingJobs", "TransformJobs")


class Inputs(ModuleInputs):
    """What an operator may still give when planning; everything else is in settings.yaml."""

    model_packages: dict[str, str] = Field(
        {}, description="ARN of the approved model package to serve, by model; a model's endpoint comes with its first."
    )


class Environment(Root[Inputs]):
    """Storage, access, Feature Store, model registry and serverless endpoints of one account."""

    def __init__(self, settings: Settings, modules: Mapping[str, Module[Any]]) -> None:
        super().__init__(settings.environment)
        self._settings = settings
        self._modules = modules
        self.backend = _backend(settings)

    def build(self, var: Inputs) -> Outputs:
        settings, modules = self._settings, self._modules
        self._provider()
        located: dict[str, Any] = {
            "name_prefix": settings.name_prefix,
            "account_id": settings.account_id,
            "region": settings.region,
        }
        protected: dict[str, Any] = {"deletion_protection": settings.deletion_protection}

        storage = self.call(modules["storage"], **located, **protected)
        access = self.call(
            modules["access"],
            **located,
            buckets=storage.buckets,
            kms_key_arn=storage.kms_key_arn,
            feature_group_names=[settings.name(key) for key in settings.feature_groups],
            model_package_group_names=[settings.name(key) for key in settings.models],
        )
        feature_store = self.call(
            modules["feature_store"],
            name_prefix=settings.name_prefix,
            **protected,
            feature_groups=_given(settings.feature_groups),
            kms_key_arn=storage.kms_key_arn,
            offline_store_s3_uri=f"s3://{storage.buckets['data'].name}/feature-store",
            role_arn=access.role_arns["data_preparation"],
        )
        groups = {
            name: {field: value for field, value in model.items() if field != "serverless_endpoint"}
            for name, model in _given(settings.models).items()
        }
        registry = self.call(modules["model_registry"], **located, **protected, model_package_groups=groups)
        endpoints = self._endpoints(var, storage, access)
        self._job_logs(storage)
        return self._publish(storage, access, feature_store, registry, endpoints)

    def _provider(self) -> None:
        settings = self._settings
        provider: dict[str, Any] = {
            "region": settings.region,
            "allowed_account_ids": [settings.account_id],
        }
        if settings.assume_role_arn:
            provider["assume_role"] = {"role_arn": settings.assume_role_arn}
        tags = {"environment": settings.environment, **settings.tags.model_dump()}
        provider["default_tags"] = {"tags": tags}
        self.provider(provider)

    def _endpoints(self, var: Inputs, storage: Any, access: Any) -> Any:
        endpoints = {
            name: model.serverless_endpoint.model_dump(exclude_none=True)
            for name, model in self._settings.models.items()
            if model.serverless_endpoint
        }
        served = self.local("serverless_endpoints", endpoints)
        unknown = without(keys(var.model_packages), keys(served))
        self.check(
            "model_packages_are_of_known_models",
            length(unknown) == 0,
            f"model_packages names {join(', ', unknown)}, which settings.yaml gives no serverless_endpoint.",
        )
        endpoint = each_of(
            map_of(
                served,
                lambda _name, endpoint: endpoint,
                where=lambda name, _: contains(keys(var.model_packages), name),
            )
        )
        return self.call(
            self._modules["serverless_endpoint"],
            why="An endpoint needs a model: it comes with the first approved package.",
            for_each=endpoint,
            name_prefix=f"{self._settings.name_prefix}-{replace(endpoint.key, '_', '-')}",
            model_package_arn=var.model_packages[endpoint.key],
            memory_mb=endpoint.value.memory_mb,
            max_concurrency=endpoint.value.max_concurrency,
            log_retention_days=self._settings.log_retention_days,
            role_arn=access.role_arns["inference"],
            kms_key_arn=storage.kms_key_arn,
        )

    def _job_logs(self, storage: Any) -> None:
        group = each_of(set_of(JOB_LOGS))
        self.add(
            CloudwatchLogGroup,
            "jobs",
            why="SageMaker would create these with the first job, and keep what is in them for ever.",
            skips={"CKV_AWS_338": "a year of job logs is storage that nobody reads; settings.yaml says how long"},
            for_each=group,
            name=f"/aws/sagemaker/{group.key}",
            retention_in_days=self._settings.log_retention_days,
            kms_key_id=storage.kms_key_arn,
        )

    def _publish(self, storage: Any, access: Any, feature_store: Any, registry: Any, endpoints: Any) -> Outputs:
        settings = self._settings
        platform = self.local(
            "platform",
            {
                "environment": settings.environment,
                "region": settings.region,
                "account_id": settings.account_id,
                "name_prefix": settings.name_prefix,
                "buckets": map_of(storage.buckets, lambda _purpose, bucket: bucket.name),
                "kms_key_arn": storage.kms_key_arn,
                "roles": access.role_arns,
                "feature_groups": feature_store.feature_groups,
                "model_package_groups": map_of(registry.model_package_groups, lambda group: group.name),
                "tags": {"environment": settings.environment, **settings.tags.model_dump()},
            },
            why="What a launcher needs to know.",
        )
        parameter = self.add(
            SsmParameter,
            "platform",
            why="Whoever may read it can launch jobs here, without Terraform or its state.",
            skips={"CKV2_AWS_34": "names and ARNs, no secret"},
            name=f"/sustainable-mlops/{settings.environment}/platform",
            description="Names and ARNs that launchers of jobs need.",
            type="String",
            value=jsonencode(platform),
        )
        return {
            "platform": Output(platform, "What launchers need: names and ARNs, as the SSM parameter holds them."),
            "platform_parameter": Output(parameter.name, "SSM parameter that holds `platform` as JSON."),
            "serverless_endpoints": Output(
                map_of(endpoints, lambda _name, endpoint: endpoint.endpoint_name),
                "Name of the endpoint to invoke, by model.",
            ),
        }


def _backend(settings: Settings) -> dict[str, Any]:
    backend: dict[str, Any] = {
        "bucket": settings.state.bucket,
        "key": f"{settings.environment}/terraform.tfstate",
        "region": settings.region,
        "encrypt": True,
        "use_lockfile": True,
        "allowed_account_ids": [settings.account_id],
    }
    if settings.state.kms_key_arn:
        backend["kms_key_id"] = settings.state.kms_key_arn
    if settings.assume_role_arn:
        backend["assume_role"] = {"role_arn": settings.assume_role_arn}
    return backend


def _given(models: Mapping[str, ModuleInputs]) -> dict[str, Any]:
    """Only what settings.yaml says: the modules' own defaults stay theirs."""
    return {name: model.model_dump(exclude_unset=True) for name, model in models.items()}
