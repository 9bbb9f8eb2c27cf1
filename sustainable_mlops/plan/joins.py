"""Relations between resources.

A relation follows from a name if it is known, else from a reference in the configuration. If neither tells, it is
unknown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

from sustainable_mlops.aws.s3 import find_bucket
from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.configuration import Configuration, References
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, AttributePath, Block, Unknown

ENDPOINT = "aws_sagemaker_endpoint"
ENDPOINT_CONFIGURATION = "aws_sagemaker_endpoint_configuration"
MODEL = "aws_sagemaker_model"
SCALABLE_TARGET = "aws_appautoscaling_target"
SCALING_POLICY = "aws_appautoscaling_policy"
SCHEDULED_ACTION = "aws_appautoscaling_scheduled_action"
ALARM = "aws_cloudwatch_metric_alarm"
BUCKET = "aws_s3_bucket"

#: The kinds of variants.
SERVERLESS, ASYNCHRONOUS, REAL_TIME = "serverless", "asynchronous", "real-time"

#: The attributes with which other resources name a resource.
_IDENTIFIERS = ("arn", "id", "name", "bucket", "url", "key_id", "bucket_domain_name", "model_package_group_name")
_VARIANT = LazyPattern(r"endpoint/([^/]+)/variant/([^/]+)")

#: One related resource. None: nothing is named, or the resource is not in this plan. UNKNOWN: known only after apply.
RelatedResource = Resource | Unknown | None


def add_article(kind: object) -> str:
    """Return a kind of variant with its article, for a message."""
    return f"{'an' if kind == ASYNCHRONOUS else 'a'} {kind}"


class Matches(NamedTuple):
    """Related resources: `sure` ones, and `maybe` ones whose relation is unknown until apply."""

    certain: tuple[Resource, ...] = ()
    possible: tuple[Resource, ...] = ()


class Variant(NamedTuple):
    """A production variant or shadow variant of an endpoint configuration."""

    block: Block
    name: str | Unknown | None
    is_shadow: bool
    kind: str | Unknown
    model: RelatedResource
    serverless: Block | Unknown | None


class InstanceChoice(NamedTuple):
    """An instance type of a variant, and its attribute path."""

    instance_type: str | Unknown | None
    path: str


def list_instance_choices(block: Block) -> list[InstanceChoice]:
    """Return the instance type of a variant, or those of its instance pools by priority.

    SageMaker starts instances of the first type, and of the next one if it has no capacity (developer guide, "Deploy to
    multiple instance types with instance pools"). The type is None if the variant names none.
    """
    pools = block.blocks("instance_pools")
    if pools is UNKNOWN:
        return [InstanceChoice(UNKNOWN, f"{block.path}.instance_pools")]
    sources = sorted(pools, key=_read_priority) or [block]
    choices = [InstanceChoice(one.text("instance_type"), f"{one.path}.instance_type") for one in sources]
    return [choice._replace(instance_type=None) if choice.instance_type == "" else choice for choice in choices]


def _read_priority(pool: Block) -> float:
    """Return the priority of an instance pool; infinite if it is unknown."""
    priority = pool.number("priority")
    return priority if isinstance(priority, int | float) else inf


class ScaledVariant(NamedTuple):
    """The endpoint and variant that a scalable target scales."""

    endpoint: RelatedResource
    variant: str | Unknown | None


class Joins:
    """The relations between a plan's resources, before or after the plan. Indexes are built when first used."""

    def __init__(self, inventory: Inventory, configuration: Configuration, *, before: bool) -> None:
        """Relate the resources that exist `before` (or after) the plan."""
        self._inventory = inventory
        self._configuration = configuration
        self.before = before
        self._targets: dict[tuple[int, AttributePath, str], RelatedResource] = {}
        self._variants: dict[int, list[Variant] | Unknown] = {}
        self._name_indexes: dict[str, dict[str, list[Resource]]] = {}
        self._inverse_indexes: dict[tuple[str, AttributePath, str], dict[int | None, list[Resource]]] = {}

    def list_existing(self, *types: str) -> list[Resource]:
        """Return the existing resources of these types."""
        resources = (resource for kind in types for resource in self._inventory.by_type.get(kind, ()))
        return [resource for resource in resources if resource.exists(before=self.before)]

    def find_target(self, resource: Resource, path: AttributePath, kind: str) -> RelatedResource:
        """Return the resource of type `kind` that the attribute at `path` names (by name, id, ARN or `s3://` address).

        An identifier of a resource of this type names the resource itself.
        """
        key = (id(resource), path if isinstance(path, str) else tuple(path), kind)
        if key not in self._targets:
            self._targets[key] = self._find_new_target(resource, path, kind)
        return self._targets[key]

    def _find_new_target(self, resource: Resource, path: AttributePath, kind: str) -> RelatedResource:
        if resource.type == kind and path in _IDENTIFIERS:
            return resource
        value = resource.get_values(before=self.before).text(path)
        if value is None:
            return None
        return self._resolve_name(value, resource, path, kind)

    def find_targets(self, resource: Resource, path: AttributePath, kind: str) -> Matches:
        """Return the resources of type `kind` that the list at `path` names.

        If one of the names is unknown, all other resources of the type are possible matches.
        """
        texts = resource.get_values(before=self.before).texts(path)
        if texts == []:
            return Matches()
        if texts is UNKNOWN or UNKNOWN in texts:
            certain = self._list_managed_references(resource, path, kind)
            if certain and not self.find_references(resource, path).unresolved:
                return Matches(tuple(certain))
            return Matches(
                tuple(certain), tuple(candidate for candidate in self.list_existing(kind) if candidate not in certain)
            )
        targets = [self._resolve_name(value, resource, path, kind) for value in texts]
        certain = [target for target in targets if isinstance(target, Resource)]
        possible = self.list_existing(kind) if UNKNOWN in targets else []
        return Matches(tuple(certain), tuple(candidate for candidate in possible if candidate not in certain))

    def find_sources(self, resource: Resource, kind: str, path: AttributePath) -> Matches:
        """Return the resources of type `kind` whose attribute at `path` names `resource`.

        This is the inverse of `target`.
        """
        return self._find_inverse(resource, kind, path, lambda source: [self.find_target(source, path, resource.type)])

    def find_list_sources(self, resource: Resource, kind: str, path: str) -> Matches:
        """Return the resources of type `kind` whose list at `path` names `resource`.

        This is the inverse of `targets`.
        """
        return self._find_inverse(resource, kind, path, lambda source: self._list_targets(source, path, resource.type))

    def _list_targets(self, source: Resource, path: str, kind: str) -> list[RelatedResource]:
        matches = self.find_targets(source, path, kind)
        return [*matches.certain, *([UNKNOWN] if matches.possible else [])]

    def find_configuration(self, endpoint: Resource) -> RelatedResource:
        """Return the endpoint configuration of an endpoint."""
        return self.find_target(endpoint, "endpoint_config_name", ENDPOINT_CONFIGURATION)

    def find_endpoints(self, configuration: Resource) -> Matches:
        """Return the endpoints that use an endpoint configuration."""
        return self.find_sources(configuration, ENDPOINT, "endpoint_config_name")

    def list_variants(self, configuration: RelatedResource) -> list[Variant] | Unknown:
        """Return the variants of an endpoint configuration, shadow variants last.

        A configuration always has a variant. The result is `UNKNOWN` if the plan shows none, or does not contain the
        configuration.
        """
        if not isinstance(configuration, Resource):
            return UNKNOWN
        if id(configuration) not in self._variants:
            self._variants[id(configuration)] = self._read_variants(configuration)
        return self._variants[id(configuration)]

    def _read_variants(self, configuration: Resource) -> list[Variant] | Unknown:
        values = configuration.get_values(before=self.before)
        production, shadow_variants = values.blocks("production_variants"), values.blocks("shadow_production_variants")
        if production is UNKNOWN or shadow_variants is UNKNOWN or not production:
            return UNKNOWN
        asynchronous = values.block("async_inference_config")
        return [
            self._build_variant(configuration, block, block in shadow_variants, asynchronous)
            for block in [*production, *shadow_variants]
        ]

    def _build_variant(
        self, configuration: Resource, block: Block, shadow_variants: bool, asynchronous: Block | Unknown | None
    ) -> Variant:
        serverless = block.block("serverless_config")
        kind: str | Unknown = UNKNOWN
        if isinstance(serverless, Block):
            kind = SERVERLESS
        elif serverless is None and asynchronous is not UNKNOWN:
            kind = REAL_TIME if asynchronous is None else ASYNCHRONOUS
        name = block.text("model_name")
        model: RelatedResource = None
        if name is not None:
            model = self._resolve_name(name, configuration, f"{block.path}.model_name", MODEL)
        return Variant(block, block.text("variant_name"), shadow_variants, kind, model, serverless)

    def find_scaled_variant(self, target: Resource) -> ScaledVariant:
        """Return the endpoint and variant that a scalable target (or its policy or scheduled action) scales."""
        identifier = target.get_values(before=self.before).text("resource_id")
        if isinstance(identifier, str):
            match = _VARIANT.fullmatch(identifier)
            if match is None:
                return ScaledVariant(None, None)
            endpoint = self._resolve_name(match[1], target, "resource_id", ENDPOINT)
            through = self._find_referenced_target(target) if endpoint is UNKNOWN else None
            return self.find_scaled_variant(through) if through is not None else ScaledVariant(endpoint, match[2])
        endpoints = self.list_referenced(target, "resource_id", ENDPOINT)
        if len(endpoints) == 1:
            return ScaledVariant(endpoints[0], self._find_only_variant(endpoints[0]))
        through = self._find_referenced_target(target)
        return self.find_scaled_variant(through) if through is not None else ScaledVariant(UNKNOWN, UNKNOWN)

    def _find_referenced_target(self, source: Resource) -> Resource | None:
        """Return the only scalable target that a policy or scheduled action refers to."""
        targets = [] if source.type == SCALABLE_TARGET else self.list_referenced(source, "resource_id", SCALABLE_TARGET)
        return targets[0] if len(targets) == 1 else None

    def _find_only_variant(self, endpoint: Resource) -> str | Unknown | None:
        variants = self.list_variants(self.find_configuration(endpoint))
        return variants[0].name if variants is not UNKNOWN and len(variants) == 1 else UNKNOWN

    def find_scalable_targets(self, endpoint: Resource, variant: str | Unknown | None = None) -> Matches:
        """Return the scalable targets of an endpoint: those of all its variants, or of the variant named."""
        matches = self._find_inverse(
            endpoint, SCALABLE_TARGET, "resource_id", lambda target: [self.find_scaled_variant(target).endpoint]
        )
        if variant is None:
            return matches
        certain, possible = [], list(matches.possible)
        for target in matches.certain:
            name = self.find_scaled_variant(target).variant
            if name is UNKNOWN or variant is UNKNOWN:
                possible.append(target)
            elif name == variant:
                certain.append(target)
        return Matches(tuple(certain), tuple(possible))

    def find_scaling_policies(self, target: Resource) -> Matches:
        """Return the scaling policies of a scalable target."""
        return self._find_target_resources(target, SCALING_POLICY)

    def find_scheduled_actions(self, target: Resource) -> Matches:
        """Return the scheduled actions of a scalable target."""
        return self._find_target_resources(target, SCHEDULED_ACTION)

    def _find_target_resources(self, target: Resource, kind: str) -> Matches:
        return self._find_inverse(target, kind, "resource_id", self._find_scalable_target)

    def _find_scalable_target(self, source: Resource) -> list[RelatedResource]:
        values = source.get_values(before=self.before)
        through = self._find_referenced_target(source)
        if values.text("resource_id") is UNKNOWN:
            if through is not None:
                return [through]
            endpoint, variant = self.find_scaled_variant(source)
            if not isinstance(endpoint, Resource) or not isinstance(variant, str):
                return [UNKNOWN]
            targets = self.find_scalable_targets(endpoint, variant)
        else:
            same = self._targets_by_id.get((values.text("resource_id"), values.text("scalable_dimension")), [])
            # Several Regions or accounts may have endpoints with the same name.
            targets = Matches((through,) if through in same else tuple(same))
        return list(targets.certain) or ([UNKNOWN] if targets.possible else [])

    @cached_property
    def _targets_by_id(self) -> dict[tuple[object, object], list[Resource]]:
        targets: dict[tuple[object, object], list[Resource]] = {}
        for target in self.list_existing(SCALABLE_TARGET):
            values = target.get_values(before=self.before)
            targets.setdefault((values.text("resource_id"), values.text("scalable_dimension")), []).append(target)
        return targets

    def find_alarms_with_action(self, resource: Resource, actions: str = "alarm_actions") -> Matches:
        """Return the metric alarms whose actions name `resource`, such as a scaling policy or a topic."""
        return self.find_list_sources(resource, ALARM, actions)

    def find_endpoint_alarms(self, endpoint: Resource) -> Matches:
        """Return the metric alarms on an endpoint's metrics, by the dimension `EndpointName`."""
        return self._find_inverse(endpoint, ALARM, "dimensions", self._list_alarm_endpoints)

    def _list_alarm_endpoints(self, alarm: Resource) -> list[RelatedResource]:
        values = alarm.get_values(before=self.before)
        locations: list[AttributePath] = [["dimensions", "EndpointName"]]
        queries = values.blocks("metric_query")
        if queries is UNKNOWN:
            return [UNKNOWN]
        locations += [["metric_query", n, "metric", 0, "dimensions", "EndpointName"] for n in range(len(queries))]
        return [self.find_target(alarm, location, ENDPOINT) for location in locations]

    def find_bucket(self, resource: Resource, path: AttributePath) -> RelatedResource:
        """Return the bucket that an attribute names, by bucket name, ARN or `s3://` address."""
        return self.find_target(resource, path, BUCKET)

    def find_bucket_resources(self, bucket: Resource, kind: str) -> Matches:
        """Return the resources of type `kind` that configure a bucket, such as `aws_s3_bucket_versioning`."""
        return self.find_sources(bucket, kind, "bucket")

    def list_inline_policy_names(self, role: Resource) -> set[object]:
        """Return the names of a role's policies that are resources of their own, before or after the plan."""
        values = role.get_values(before=self.before)
        return self._inline_policy_names.get(values.text("name"), set())

    @cached_property
    def _inline_policy_names(self) -> dict[object, set[object]]:
        names: dict[object, set[object]] = {}
        for policy in self._inventory.by_type.get("aws_iam_role_policy", ()):
            for values in (policy.old, policy.new):
                names.setdefault(values.text("role"), set()).add(values.text("name"))
        return names

    def _find_inverse(
        self,
        resource: Resource,
        kind: str,
        path: AttributePath,
        targets: Callable[[Resource], Iterable[RelatedResource]],
    ) -> Matches:
        """Return the resources of type `kind` whose `targets` contain `resource`.

        The index is built once for each combination of kind, path and type.
        """
        key = (kind, path if isinstance(path, str) else tuple(path), resource.type)
        index = self._inverse_indexes.get(key)
        if index is None:
            index = self._inverse_indexes[key] = {}
            for source in self.list_existing(kind):
                for target in targets(source):
                    if target is not None:
                        index.setdefault(None if target is UNKNOWN else id(target), []).append(source)
        return Matches(tuple(index.get(id(resource), ())), tuple(index.get(None, ())))

    def _resolve_name(
        self, value: str | Unknown, resource: Resource, path: AttributePath, kind: str
    ) -> RelatedResource:
        """Return the resource of type `kind` that `value`, read at `path` of `resource`, names."""
        if value is UNKNOWN:
            candidates = self._list_awaited(resource, path, kind) or self._list_managed_references(resource, path, kind)
        else:
            candidates = self.index_by_name(kind).get(find_bucket(value) or value, [])
            if not candidates:
                return None
            if len(candidates) > 1:  # the same name in several Regions or accounts
                candidates = [
                    candidate
                    for candidate in self._list_managed_references(resource, path, kind)
                    if candidate in candidates
                ]
        return candidates[0] if len(candidates) == 1 else UNKNOWN

    def _list_awaited(self, resource: Resource, path: AttributePath, kind: str) -> list[Resource]:
        """Return those of `_managed` that have an unknown attribute in the expression.

        A known attribute cannot make the value unknown.
        """
        attributes = () if self.before else self.find_references(resource, path).attributes
        awaited = {id(candidate) for candidate, name in attributes if name and candidate.is_unknown(name)}
        return [
            candidate for candidate in self._list_managed_references(resource, path, kind) if id(candidate) in awaited
        ]

    def _list_managed_references(self, resource: Resource, path: AttributePath, kind: str) -> list[Resource]:
        """Return the result of `referred` without data sources, which read resources that others manage."""
        return [candidate for candidate in self.list_referenced(resource, path, kind) if candidate.mode == "managed"]

    def is_configured(self, resource: Resource, path: AttributePath) -> bool | Unknown:
        """Return whether the configuration sets the attribute; see `Configuration.is_configured`."""
        return self._configuration.is_configured(resource, path)

    def list_configured_blocks(self, resource: Resource, name: str) -> list[Mapping[str, Any]]:
        """Return the expressions of each block of this name; see `Configuration.list_blocks`."""
        return self._configuration.list_blocks(resource, name)

    def find_references(self, resource: Resource, path: AttributePath) -> References:
        """Return everything that the expression at `path` refers to; see `Configuration.find_references`."""
        return self._configuration.find_references(resource, path)

    def list_referenced(self, resource: Resource, path: AttributePath, kind: str) -> list[Resource]:
        """Return the resources or data sources of type `kind` that the expression at `path` refers to."""
        resources = self.find_references(resource, path).filter_by_type(kind)
        return [candidate for candidate in resources if candidate.exists(before=self.before)]

    def index_by_name(self, kind: str) -> dict[str, list[Resource]]:
        """Return the resources of type `kind` by each known name, id and ARN."""
        index = self._name_indexes.get(kind)
        if index is None:
            index = self._name_indexes[kind] = {}
            for resource in self.list_existing(kind):
                for name in set(self._list_names(resource)):
                    index.setdefault(name, []).append(resource)
        return index

    def _list_names(self, resource: Resource) -> Iterator[str]:
        values = resource.get_values(before=self.before)
        for attribute in _IDENTIFIERS:
            value = values.text(attribute)
            if isinstance(value, str):
                yield value
