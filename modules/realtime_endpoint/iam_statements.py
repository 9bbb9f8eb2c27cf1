"""IAM statements that a real-time endpoint needs in the role of its containers."""

from typing import Any

from modules import containers
from modules.endpoints import iam_statements
from modules.endpoints.inputs import get_endpoint_name
from modules.iam_statements import (
    StatementsByPhase,
    build_item_statement,
    build_optional_statement,
    build_prefix_condition,
    build_statement,
    build_via_condition,
    join_lists,
)
from modules.realtime_endpoint.inputs import Inputs
from sustainable_mlops.authoring.expressions import concat, groups, is_expression, is_null, keys, list_of, optional

#: Metrics of each variant that roll a deployment back.
ERRORS, LATENCY = "errors", "latency"


def build_statements(var: Inputs, images: Any = None, archives: Any = None) -> StatementsByPhase:
    """Return the statements of inference. Reads all inputs except the role.

    `images` and `archives` are locals of the module; without them the statements list their values.
    """
    prefix, capture = var.models_s3_uri, var.data_capture
    return {
        "inference": join_lists(
            [
                *iam_statements.build_common_statements(var, var),
                iam_statements.describe_alarms(var, var, *_list_rollback_alarms(var)),
            ],
            build_item_statement(
                list_images(var) if images is None else images,
                lambda all_: containers.pull_images(
                    list_of(all_, lambda image: iam_statements.build_repository_arn(image, var))
                ),
            ),
            build_item_statement(
                list_archives(var) if archives is None else archives,
                lambda all_: iam_statements.read_models(
                    list_of(all_, lambda url: iam_statements.build_object_arn(url, var))
                ),
            ),
            build_optional_statement(
                prefix, lambda uri: iam_statements.read_models([f"{iam_statements.build_object_arn(uri, var)}*"])
            ),
            build_optional_statement(prefix, lambda uri: _find_model(uri, var)),
            build_optional_statement(
                capture,
                lambda settings: build_statement(
                    "KeepCaptures", ["s3:PutObject"], [f"{iam_statements.build_object_arn(settings.s3_uri, var)}/*"]
                ),
            ),
            build_optional_statement(
                capture,
                lambda _: build_statement(
                    "StoreEncrypted",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    [var.kms_key_arn],
                    build_via_condition(var, "s3"),
                ),
            ),
        )
    }


def format_rollback_alarm_name(name: str, variant: Any, metric: str) -> str:
    """Return the name of a rollback alarm of a variant."""
    return f"{name}-{variant}-{metric}"


def _list_rollback_alarms(var: Inputs) -> list[Any]:
    """Return the names of all rollback alarms, one list for each metric."""
    variants = concat([var.variant_name], keys(var.challengers))

    def list_names(metric: str) -> Any:
        return list_of(variants, lambda variant: format_rollback_alarm_name(get_endpoint_name(var), variant, metric))

    return [list_names(metric) for metric in (ERRORS, LATENCY)]


def list_images(var: Inputs) -> Any:
    """Return the images of all containers, without images of model packages."""
    return _collect(var, "image_uri")


def list_archives(var: Inputs) -> Any:
    """Return the model archives of all containers, without archives of model packages."""
    return _collect(var, "model_data_url")


def _collect(var: Inputs, name: str) -> Any:
    if not is_expression(var.containers):
        all_ = [var, *var.containers, *var.challengers.values(), *([var.shadow] if var.shadow else [])]
        return [value for one in all_ if (value := getattr(one, name)) is not None]

    def collect_values(containers: Any) -> Any:
        return list_of(containers, lambda one: getattr(one, name), where=lambda one: ~is_null(getattr(one, name)))

    return concat(
        optional(getattr(var, name)),
        collect_values(var.containers),
        collect_values(var.challengers),
        collect_values(optional(var.shadow)),
    )


def _find_model(uri: str, var: Inputs) -> dict[str, Any]:
    """Return the statement to find a model by its name."""
    bucket, prefix = (groups(r"^s3://([^/]+)/(.*)$", uri)[part] for part in range(2))
    return build_statement(
        "FindModel",
        ["s3:ListBucket"],
        [f"arn:{var.partition}:s3:::{bucket}"],
        build_prefix_condition(prefix),
    )
