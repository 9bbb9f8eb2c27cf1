"""Resources that a plan creates. A permission that reaches only new resources reaches nothing that exists today.

The forms of ARNs come from the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from string import Formatter
from typing import NamedTuple

from sustainable_mlops.aws.arn import Arn
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan.iam import ROLE, DerivedText
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.privileges.grants import Grant


class ArnForm(NamedTuple):
    """The ARN form of a type: `service`, and the `resource` part with the attributes that name it."""

    service: str
    resource: str
    #: Separators between the resource part and its sub-resources.
    inside: str = ""


_SAGEMAKER = {
    "aws_sagemaker_domain": (),
    "aws_sagemaker_endpoint": (ArnForm("sagemaker", "endpoint/{name}"),),
    "aws_sagemaker_endpoint_configuration": (ArnForm("sagemaker", "endpoint-config/{name}"),),
    "aws_sagemaker_feature_group": (ArnForm("sagemaker", "feature-group/{feature_group_name}"),),
    "aws_sagemaker_mlflow_tracking_server": (ArnForm("sagemaker", "mlflow-tracking-server/{tracking_server_name}"),),
    "aws_sagemaker_model": (ArnForm("sagemaker", "model/{name}"),),
    "aws_sagemaker_model_package_group": (
        ArnForm("sagemaker", "model-package-group/{model_package_group_name}"),
        ArnForm("sagemaker", "model-package/{model_package_group_name}", "/"),
    ),
    "aws_sagemaker_notebook_instance": (ArnForm("sagemaker", "notebook-instance/{name}"),),
    "aws_sagemaker_pipeline": (ArnForm("sagemaker", "pipeline/{pipeline_name}", "/"),),
}
#: Forms by type. The ARN of a type without a form is unknown before apply; it counts only by reference.
#: Types that give access to another existing resource (access point, alias, key replica) are left out.
ARN_FORMS: dict[str, tuple[ArnForm, ...]] = {
    **_SAGEMAKER,
    "aws_cloudwatch_event_bus": (ArnForm("events", "event-bus/{name}"),),
    "aws_cloudwatch_event_rule": (ArnForm("events", "rule/{name}"),),
    "aws_cloudwatch_log_group": (ArnForm("logs", "log-group:{name}", ":"),),
    "aws_cloudwatch_metric_alarm": (ArnForm("cloudwatch", "alarm:{alarm_name}"),),
    "aws_codebuild_project": (ArnForm("codebuild", "project/{name}"),),
    "aws_dynamodb_table": (ArnForm("dynamodb", "table/{name}", "/"),),
    "aws_ecr_repository": (ArnForm("ecr", "repository/{name}"),),
    "aws_efs_file_system": (),
    "aws_glue_catalog_database": (ArnForm("glue", "database/{name}"), ArnForm("glue", "table/{name}", "/")),
    "aws_iam_role": (ArnForm("iam", "role{path}{name}"),),
    "aws_kinesis_firehose_delivery_stream": (ArnForm("firehose", "deliverystream/{name}"),),
    "aws_kinesis_stream": (ArnForm("kinesis", "stream/{name}", "/"),),
    "aws_kms_key": (),
    "aws_lambda_function": (ArnForm("lambda", "function:{function_name}", ":"),),
    "aws_s3_bucket": (ArnForm("s3", "{bucket}", "/"),),
    # Secrets Manager appends a dash and six characters; policies match them with question marks.
    "aws_secretsmanager_secret": (ArnForm("secretsmanager", "secret:{name}-??????"),),
    "aws_sfn_state_machine": (ArnForm("states", "stateMachine:{name}", ":"),),
    "aws_sns_topic": (ArnForm("sns", "{name}", ":"),),
    "aws_sqs_queue": (ArnForm("sqs", "{name}"),),
    "aws_ssm_parameter": (ArnForm("ssm", "parameter{name}"), ArnForm("ssm", "parameter/{name}")),
}
_WILDCARD = LazyPattern(r"[*?$]")
#: Services whose ARNs have neither account nor Region, and services whose ARNs have no Region.
_SERVICES_WITHOUT_ACCOUNT, _GLOBAL_SERVICES = ("s3",), ("iam",)
_SEPARATOR = LazyPattern(r"[/:]")
#: Actions that are harmless on a new role of the plan, if that role has no dangerous permission.
_HARMLESS_ROLE_ACTIONS = frozenset({"iam:passrole", "iam:getrole", "sts:assumerole"})


class NewResources:
    """The resources that a plan creates, by ARN."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    def find_reached(self, grant: Grant) -> list[ResourcePair] | None:
        """Return the new resources that `grant` reaches, or None if it may reach any other resource.

        A grant on new roles counts as other access if it can change what those roles may do.
        """
        if grant.resources.negated or grant.actions.negated:
            return None
        pairs_by_address: dict[str, ResourcePair] = {}
        for text in grant.resources.patterns:
            pairs = self._list_created(text.resources) if isinstance(text, DerivedText) else self._list_named(text)
            if not pairs:
                return None
            pairs_by_address |= {pair.address: pair for pair in pairs}
        if any(pair.type == ROLE for pair in pairs_by_address.values()):
            actions = {str(action).lower() for action in grant.actions.patterns}
            return list(pairs_by_address.values()) if actions <= _HARMLESS_ROLE_ACTIONS else None
        return list(pairs_by_address.values())

    def _list_created(self, resources: Sequence[Resource]) -> list[ResourcePair]:
        pairs = [self._comparison.pair(resource) for resource in resources]
        return pairs if all(_is_created(pair) and pair.type in ARN_FORMS for pair in pairs) else []

    def _list_named(self, text: object) -> list[ResourcePair]:
        arn = Arn.parse_or_none(text) if isinstance(text, str) else None
        if arn is None or any(map(_WILDCARD.search, arn[:-1])):
            return []
        _, service, region, account, resource = arn
        return [
            pair for pair in self._find_at(service, resource) if self._matches_location(pair, service, region, account)
        ]

    def _find_at(self, service: str, resource: str) -> Iterator[ResourcePair]:
        """Yield the resources named by `resource`, or by its part before a slash or colon."""
        yield from (pair for pair, _ in self._index.get((service, resource), ()))
        for cut in _SEPARATOR.finditer(resource):
            entries = self._index.get((service, resource[: cut.start()]), ())
            yield from (pair for pair, inside in entries if cut[0] in inside)

    def _matches_location(self, pair: ResourcePair, service: str, region: str, account: str) -> bool:
        """Return whether an ARN with this Region and account may be the ARN of `pair`."""
        if service in _SERVICES_WITHOUT_ACCOUNT:
            return not region and not account
        own = "" if service in _GLOBAL_SERVICES else self._comparison.plan.find_region(pair.resource)
        return account in self._comparison.accounts and (region == own or own is UNKNOWN)

    @cached_property
    def _index(self) -> dict[tuple[str, str], list[tuple[ResourcePair, str]]]:
        """New resources by service and resource part of the ARN, with the separators of their sub-resources.

        A name that another resource had before is left out: its former content may still exist.
        """
        pairs_by_arn: dict[tuple[str, str], list[tuple[ResourcePair, str]]] = {}
        existing_keys: set[tuple[str, str]] = set()
        for type_, forms in ARN_FORMS.items():
            for pair in self._comparison.by_type.get(type_, ()):
                for form in forms:
                    if pair.before is not None:
                        existing_keys |= {
                            (form.service, resource) for resource in _list_resource_parts(form, pair.before)
                        }
                    if _is_created(pair) and pair.after is not None:
                        for resource in _list_resource_parts(form, pair.after):
                            pairs_by_arn.setdefault((form.service, resource), []).append((pair, form.inside))
        return {key: pairs for key, pairs in pairs_by_arn.items() if key not in existing_keys}


def _is_created(pair: ResourcePair) -> bool:
    """Return whether the plan creates the resource. A replacement does not count: it may hold former content."""
    return pair.is_new and pair.new is not None and pair.new.action == "create"


def _list_resource_parts(form: ArnForm, values: Block) -> set[str]:
    """Return the resource parts of the ARNs of a resource. SageMaker writes names in lower case."""
    values_by_name = {"path": "/"}
    for _, name, _, _ in Formatter().parse(form.resource):
        value = values.get(name) if name else None
        if isinstance(value, str) and not isinstance(value, Sensitive):
            values_by_name[str(name)] = value
        elif name and name not in values_by_name:
            return set()
    resource = form.resource.format_map(values_by_name)
    return {resource, resource.lower()} if form.service == "sagemaker" else {resource}
