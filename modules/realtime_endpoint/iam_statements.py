"""What a real-time endpoint needs of the role of its containers."""

from typing import Any

from modules import containers
from modules.endpoints import needs
from modules.endpoints.inputs import VARIANT, name_of
from modules.needs import Needs, statement, through, together, where_any, where_given
from modules.realtime_endpoint.inputs import Inputs
from sustainable_mlops.authoring.expressions import concat, groups, is_expression, is_null, keys, list_of, optional

#: What of each variant rolls a deployment back.
ERRORS, LATENCY = "errors", "latency"


def statements(var: Inputs, images: Any = None, archives: Any = None) -> Needs:
    """The statements of inference; `var` is read but for its role, and the others where a module has them as locals."""
    prefix, capture = var.models_s3_uri, var.data_capture
    return {
        "inference": together(
            [*needs.of_any(var, var), needs.watch_alarms(var, var, *_rollback_alarms(var))],
            where_any(
                images_of(var) if images is None else images,
                lambda all_: containers.images(list_of(all_, lambda image: needs.repository_arn(image, var))),
            ),
            where_any(
                archives_of(var) if archives is None else archives,
                lambda all_: needs.read_models(list_of(all_, lambda url: needs.object_arn(url, var))),
            ),
            where_given(prefix, lambda uri: needs.read_models([f"{needs.object_arn(uri, var)}*"])),
            where_given(prefix, lambda uri: _list(uri, var)),
            where_given(
                capture,
                lambda kept: statement("KeepCaptures", ["s3:PutObject"], [f"{needs.object_arn(kept.s3_uri, var)}/*"]),
            ),
            where_given(
                capture,
                lambda _: statement(
                    "StoreEncrypted", ["kms:Decrypt", "kms:GenerateDataKey"], [var.kms_key_arn], through(var, "s3")
                ),
            ),
        )
    }


def rollback_alarm(name: str, variant: Any, what: str) -> str:
    """The name of an alarm of a variant."""
    return f"{name}-{variant}-{what}"


def _rollback_alarms(var: Inputs) -> list[Any]:
    """The names of all, a list a kind."""
    variants = concat([VARIANT], keys(var.challengers))

    def of_all(what: str) -> Any:
        return list_of(variants, lambda variant: rollback_alarm(name_of(var), variant, what))

    return [of_all(what) for what in (ERRORS, LATENCY)]


def images_of(var: Inputs) -> Any:
    """The images of all containers, but those of model packages."""
    return _of_all(var, "image_uri")


def archives_of(var: Inputs) -> Any:
    """The model archives of all containers, but those of model packages."""
    return _of_all(var, "model_data_url")


def _of_all(var: Inputs, name: str) -> Any:
    if not is_expression(var.containers):
        all_ = [var, *var.containers, *var.challengers.values(), *([var.shadow] if var.shadow else [])]
        return [found for one in all_ if (found := getattr(one, name)) is not None]

    def given(containers: Any) -> Any:
        return list_of(containers, lambda one: getattr(one, name), where=lambda one: ~is_null(getattr(one, name)))

    return concat(
        optional(getattr(var, name)), given(var.containers), given(var.challengers), given(optional(var.shadow))
    )


def _list(uri: str, var: Inputs) -> dict[str, Any]:
    """Finding a model by its name."""
    bucket, prefix = (groups(r"^s3://([^/]+)/(.*)$", uri)[part] for part in range(2))
    return statement(
        "FindModel",
        ["s3:ListBucket"],
        [f"arn:{var.partition}:s3:::{bucket}"],
        {"test": "StringLike", "variable": "s3:prefix", "values": [f"{prefix}*"]},
    )
