"""Models of the endpoint, and the variants that they run in."""

from collections.abc import Sequence
from typing import Any

from cdktn_provider_aws.sagemaker_model import SagemakerModel

from modules.endpoints import hardware, hosting
from modules.endpoints.inputs import VARIANT
from modules.endpoints.network import build_network_arguments, build_network_value
from modules.realtime_endpoint.inputs import SHADOW, Inputs
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    each_of,
    is_null,
    length,
    list_of,
    merge,
    one_or_null,
    optional,
    optional_map,
    when,
)
from sustainable_mlops.authoring.resources import Module

#: Weights are whole numbers: the provider rounds others to 32 bits, and every plan would change them.
MAIN_WEIGHT = 100


def add_models(module: Module[Inputs], var: Inputs) -> tuple[Any, Any]:
    """Add the model of the first variant, and the models of the other variants."""
    network = build_network_arguments(var)
    nothing: list[str] = []
    changed_network, changed_mode = _add_triggers(module, var)
    main = hosting.add_model(
        module,
        var,
        triggers=[changed_network, changed_mode],
        **network,
        primary_container=Dynamic(
            when(length(var.containers) == 0, [VARIANT], nothing),
            lambda _variant: {
                **hosting.build_container_block(var),
                "model_data_url": when(is_null(var.models_s3_uri), var.model_data_url, var.models_s3_uri),
                "mode": when(is_null(var.models_s3_uri), "SingleModel", "MultiModel"),
                "multi_model_config": Dynamic(
                    optional(var.models_s3_uri),
                    lambda _prefix: {"model_cache_setting": when(var.model_cache, "Enabled", "Disabled")},
                ),
            },
        ),
        container=Dynamic(
            var.containers,
            lambda container: {
                "container_hostname": container.value.hostname,
                "image": container.value.image_uri,
                "model_data_url": container.value.model_data_url,
                "environment": container.value.environment_variables,
            },
        ),
        inference_execution_config=Dynamic(
            when(length(var.containers) == 0, nothing, [var.containers_mode]), lambda mode: {"mode": mode.value}
        ),
    )
    variant_model = each_of(merge(var.challengers, optional_map(SHADOW, var.shadow)))
    others = module.add(
        SagemakerModel,
        "others",
        why="Models of the other variants.",
        for_each=variant_model,
        execution_role_arn=var.role_arn,
        **network,
        tags=var.tags,
        primary_container=hosting.build_container_block(variant_model.value),
        lifecycle=hosting.create_before_destroy([changed_network]),
    )
    return main, others


def _add_triggers(module: Module[Inputs], var: Inputs) -> tuple[Any, Any]:
    """Add resources that replace models, because the provider's in-place update has no effect."""
    network = module.add(
        DataResource,
        "network",
        why="SageMaker cannot update a model. For a change of the network, AWS provider versions before 6.25 plan an "
        "update that has no effect (provider issue 45491). This resource replaces the models instead.",
        input={"vpc_config": one_or_null(list_of(optional(var.vpc_config), build_network_value))},
    )
    mode = module.add(
        DataResource,
        "containers_mode",
        why="Replaces the models when the mode of several containers changes, for every provider version.",
        input={"mode": when(length(var.containers) == 0, None, var.containers_mode)},
    )
    return network, mode


def add_configuration(
    module: Module[Inputs], var: Inputs, name: str, models: tuple[Any, Any], *, triggers: Sequence[Any]
) -> Any:
    """Add the configuration with the first variant, the challengers and the shadow."""
    main, others = models
    hardware_of = {
        "instance_type": var.instance_type,
        "inference_ami_version": hardware.add_driver_version(module, var.inference_ami_version),
        # The least busy instance gets the request, so that fewer instances meet the SLO.
        "routing_config": [{"routing_strategy": "LEAST_OUTSTANDING_REQUESTS"}],
    }
    return hosting.add_configuration(
        module,
        var,
        name,
        triggers=triggers,
        skips=hardware.SKIP_NO_KEY,
        kms_key_arn=hardware.select_volume_key(var),
        production_variants=[
            {
                "variant_name": var.variant_name,
                "model_name": main.name,
                "initial_instance_count": var.min_instances,
                "initial_variant_weight": MAIN_WEIGHT,
                **hardware_of,
            },
            Dynamic(
                var.challengers,
                lambda variant: {
                    "variant_name": variant.key,
                    "model_name": others[variant.key].name,
                    "initial_instance_count": var.min_instances,
                    "initial_variant_weight": variant.value.weight,
                    **hardware_of,
                },
            ),
        ],
        shadow_production_variants=Dynamic(
            optional(var.shadow),
            lambda shadow: {
                "variant_name": SHADOW,
                "model_name": others[SHADOW].name,
                "initial_instance_count": shadow.value.instances,
                "initial_variant_weight": shadow.value.percent,
                **hardware_of,
            },
        ),
        data_capture_config=Dynamic(
            optional(var.data_capture),
            lambda settings: {
                "enable_capture": True,
                "initial_sampling_percentage": settings.value.percent,
                "destination_s3_uri": settings.value.s3_uri,
                "kms_key_id": var.kms_key_arn,
                "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
                "capture_content_type_header": {
                    "csv_content_types": ["text/csv"],
                    "json_content_types": ["application/json", "application/jsonlines"],
                },
            },
        ),
    )
