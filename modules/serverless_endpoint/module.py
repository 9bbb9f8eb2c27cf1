"""SageMaker Serverless Inference: between requests nothing runs and nothing is billed."""

from typing import Any

from modules.endpoints import hosting, scaling
from modules.endpoints.inputs import VARIANT, get_endpoint_name
from modules.iam_statements import build_statements_output, derive_location
from modules.serverless_endpoint import iam_statements
from modules.serverless_endpoint.inputs import Inputs
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    each_of,
    list_of,
    one_or_null,
    optional,
    optional_map,
)
from sustainable_mlops.authoring.resources import Module, Outputs


class ServerlessEndpointModule(Module[Inputs]):
    """Endpoint that scales to zero."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", get_endpoint_name(var), why="The name may be longer than name_prefix.")
        endpoint, outputs = hosting.add_single_container_endpoint(
            self,
            var,
            name,
            model={"skips": {"CKV_AWS_370": "a serverless endpoint refuses a model with network isolation"}},
            variant={
                "serverless_config": {
                    "memory_size_in_mb": var.memory_mb,
                    "max_concurrency": var.max_concurrency,
                    "provisioned_concurrency": one_or_null(
                        list_of(optional(var.provisioned_concurrency), lambda warm: warm.min)
                    ),
                }
            },
            configuration={"kms_key_arn": var.kms_key_arn},
        )
        self._scale_warm_workers(var, endpoint)
        at = self.local("location", derive_location(var), why="Account, Region and partition of the endpoint.")
        return {
            **outputs,
            "role_statements": build_statements_output(iam_statements.build_statements(var, at)),
        }

    def _scale_warm_workers(self, var: Inputs, endpoint: Any) -> None:
        label = "provisioned_concurrency"
        warm = each_of(optional_map(VARIANT, var.provisioned_concurrency))
        targets = scaling.add_target(
            self,
            label,
            endpoint,
            var.variant_name,
            why="Idle warm workers are billed, so they always have autoscaling.",
            for_each=warm,
            dimension=scaling.WARM_WORKERS,
            between=(warm.value.min, warm.value.max),
        )
        scaling.add_policy(
            self,
            label,
            targets,
            "provisioned-concurrency-utilization",
            each=each_of(targets),
            target_tracking_scaling_policy_configuration={
                "target_value": assume_not_null(var.provisioned_concurrency).target_utilization,
                "predefined_metric_specification": {
                    "predefined_metric_type": "SageMakerVariantProvisionedConcurrencyUtilization"
                },
            },
        )
