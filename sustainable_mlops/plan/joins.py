"""Relations between resources.

A relation follows from a name if it is known, else from a reference in the configuration. If neither tells, it is
unknown.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from sustainable_mlops.aws.s3 import bucket_of
from sustainable_mlops.plan.configuration import Configuration, References
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, Path, Unknown

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
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")

#: One related resource. None: nothing is named, or the named resource is not in this plan. UNKNOWN: known only after apply.
Joined = Resource | Unknown | None


class Matches(NamedTuple):
    """Related resources: `sure` ones, and `maybe` ones whose relation is unknown until apply."""

    sure: tuple[Resource, ...] = ()
    maybe: tuple[Resource, ...] = ()


class Variant(NamedTuple):
    """A production variant or shadow variant of an endpoint configuration."""

    block: Block
    name: str | Unknown | None
    shadow: bool
    kind: str | Unknown
    model: Joined
    serverless: Block | Unknown | None


class Scaled(NamedTuple):
    """The endpoint and variant that a scalable target scales."""

    endpoint: Joined
    variant: str | Unknown | None


class Joins:
    """The relations between a plan's resources, before or after the plan. Indexes are built when first used."""

    def __init__(self, inventory: Inventory, configuration: Configuration, *, before: bool) -> None:
        """Relate the resources that exist `before` (or after) the plan."""
        self._inventory = inventory
        self._configuration = configuration
        self.before = before
        self._named: dict[str, dict[str, list[Resource]]] = {}
        self._reverse: dict[tuple[str, Path, str], dict[int | None, list[Resource]]] = {}

    def all(self, *types: str) -> list[Resource]:
        """Return the existing resources of these types."""
        found = (resource for kind in types for resource in self._inventory.by_type.get(kind, ()))
        return [resource for resource in found if resource.exists(before=self.before)]

    def target(self, resource: Resource, path: Path, kind: str) -> Joined:
        """Return the resource of type `kind` that the attribute at `path` names (by name, id, ARN or `s3://` address).

        An identifier of a resource of this type names the resource itself.
        """
        if resource.type == kind and path in _IDENTIFIERS:
            return resource
        value = resource.values(before=self.before).text(path)
        if value is None:
            return None
        return self._named_by(value, resource, path, kind)

    def targets(self, resource: Resource, path: Path, kind: str) -> Matches:
        """Return the resources of type `kind` that the list at `path` names.

        If one of the names is unknown, all other resources of the type are possible matches.
        """
        texts = resource.values(before=self.before).texts(path)
        if texts == []:
            return Matches()
        if texts is UNKNOWN or UNKNOWN in texts:
            sure = self._managed(resource, path, kind)
            if sure and not self.references(resource, path).unresolved:
                return Matches(tuple(sure))
            return Matches(tuple(sure), tuple(other for other in self.all(kind) if other not in sure))
        joined = [self._named_by(value, resource, path, kind) for value in texts]
        sure = [found for found in joined if isinstance(found, Resource)]
        maybe = self.all(kind) if UNKNOWN in joined else []
        return Matches(tuple(sure), tuple(other for other in maybe if other not in sure))

    def sources(self, resource: Resource, kind: str, path: Path) -> Matches:
        """Return the resources of type `kind` whose attribute at `path` names `resource`.

        This is the inverse of `target`.
        """
        return self._inverse(resource, kind, path, lambda source: [self.target(source, path, resource.type)])

    def listing(self, resource: Resource, kind: str, path: str) -> Matches:
        """Return the resources of type `kind` whose list at `path` names `resource`.

        This is the inverse of `targets`.
        """
        return self._inverse(resource, kind, path, lambda source: self._listed(source, path, resource.type))

    def _listed(self, source: Resource, path: str, kind: str) -> list[Joined]:
        found = self.targets(source, path, kind)
        return [*found.sure, *([UNKNOWN] if found.maybe else [])]

    def configuration(self, endpoint: Resource) -> Joined:
        """Return the endpoint configuration of an endpoint."""
        return self.target(endpoint, "endpoint_config_name", ENDPOINT_CONFIGURATION)

    def endpoints(self, configuration: Resource) -> Matches:
        """Return the endpoints that use an endpoint configuration."""
        return self.sources(configuration, ENDPOINT, "endpoint_config_name")

    def variants(self, configuration: Joined) -> list[Variant] | Unknown:
        """Return the variants of an endpoint configuration, shadow variants last.

        A configuration always has a variant. The result is `UNKNOWN` if the plan shows none, or does not contain the
        configuration.
        """
        if not isinstance(configuration, Resource):
            return UNKNOWN
        values = configuration.values(before=self.before)
        production, shadow = values.blocks("production_variants"), values.blocks("shadow_production_variants")
        if production is UNKNOWN or shadow is UNKNOWN or not production:
            return UNKNOWN
        asynchronous = values.block("async_inference_config")
        return [self._variant(configuration, block, block in shadow, asynchronous) for block in [*production, *shadow]]

    def _variant(
        self, configuration: Resource, block: Block, shadow: bool, asynchronous: Block | Unknown | None
    ) -> Variant:
        serverless = block.block("serverless_config")
        kind: str | Unknown = UNKNOWN
        if isinstance(serverless, Block):
            kind = SERVERLESS
        elif serverless is None and asynchronous is not UNKNOWN:
            kind = REAL_TIME if asynchronous is None else ASYNCHRONOUS
        name = block.text("model_name")
        model: Joined = None
        if name is not None:
            model = self._named_by(name, configuration, f"{block.path}.model_name", MODEL)
        return Variant(block, block.text("variant_name"), shadow, kind, model, serverless)

    def scaled(self, target: Resource) -> Scaled:
        """Return the endpoint and variant that a scalable target (or its policy or scheduled action) scales."""
        identifier = target.values(before=self.before).text("resource_id")
        if isinstance(identifier, str):
            match = _VARIANT.fullmatch(identifier)
            if match is None:
                return Scaled(None, None)
            found = self._named_by(match[1], target, "resource_id", ENDPOINT)
            through = self._through_target(target) if found is UNKNOWN else None
            return self.scaled(through) if through is not None else Scaled(found, match[2])
        endpoints = self.referred(target, "resource_id", ENDPOINT)
        if len(endpoints) == 1:
            return Scaled(endpoints[0], self._only_variant(endpoints[0]))
        through = self._through_target(target)
        return self.scaled(through) if through is not None else Scaled(UNKNOWN, UNKNOWN)

    def _through_target(self, source: Resource) -> Resource | None:
        """Return the only scalable target that a policy or scheduled action refers to."""
        found = [] if source.type == SCALABLE_TARGET else self.referred(source, "resource_id", SCALABLE_TARGET)
        return found[0] if len(found) == 1 else None

    def _only_variant(self, endpoint: Resource) -> str | Unknown | None:
        variants = self.variants(self.configuration(endpoint))
        return variants[0].name if variants is not UNKNOWN and len(variants) == 1 else UNKNOWN

    def scalable_targets(self, endpoint: Resource, variant: str | Unknown | None = None) -> Matches:
        """Return the scalable targets of an endpoint: those of all its variants, or of the variant named."""
        found = self._inverse(endpoint, SCALABLE_TARGET, "resource_id", lambda target: [self.scaled(target).endpoint])
        if variant is None:
            return found
        sure, maybe = [], list(found.maybe)
        for target in found.sure:
            name = self.scaled(target).variant
            if name is UNKNOWN or variant is UNKNOWN:
                maybe.append(target)
            elif name == variant:
                sure.append(target)
        return Matches(tuple(sure), tuple(maybe))

    def scaling_policies(self, target: Resource) -> Matches:
        """Return the scaling policies of a scalable target."""
        return self._of_target(target, SCALING_POLICY)

    def scheduled_actions(self, target: Resource) -> Matches:
        """Return the scheduled actions of a scalable target."""
        return self._of_target(target, SCHEDULED_ACTION)

    def _of_target(self, target: Resource, kind: str) -> Matches:
        return self._inverse(target, kind, "resource_id", self._target_of)

    def _target_of(self, source: Resource) -> list[Joined]:
        values = source.values(before=self.before)
        through = self._through_target(source)
        if values.text("resource_id") is UNKNOWN:
            if through is not None:
                return [through]
            endpoint, variant = self.scaled(source)
            if not isinstance(endpoint, Resource) or not isinstance(variant, str):
                return [UNKNOWN]
            targets = self.scalable_targets(endpoint, variant)
        else:
            same = self._targets_by_id.get((values.text("resource_id"), values.text("scalable_dimension")), [])
            # Endpoints of one name are in several Regions or accounts.
            targets = Matches((through,) if through in same else tuple(same))
        return list(targets.sure) or ([UNKNOWN] if targets.maybe else [])

    @cached_property
    def _targets_by_id(self) -> dict[tuple[object, object], list[Resource]]:
        found: dict[tuple[object, object], list[Resource]] = {}
        for target in self.all(SCALABLE_TARGET):
            values = target.values(before=self.before)
            found.setdefault((values.text("resource_id"), values.text("scalable_dimension")), []).append(target)
        return found

    def alarms_of(self, resource: Resource, actions: str = "alarm_actions") -> Matches:
        """Return the metric alarms whose actions name `resource`, such as a scaling policy or a topic."""
        return self.listing(resource, ALARM, actions)

    def alarms_on(self, endpoint: Resource) -> Matches:
        """Return the metric alarms on an endpoint's metrics, by the dimension `EndpointName`."""
        return self._inverse(endpoint, ALARM, "dimensions", self._watched)

    def _watched(self, alarm: Resource) -> list[Joined]:
        values = alarm.values(before=self.before)
        places: list[Path] = [["dimensions", "EndpointName"]]
        queries = values.blocks("metric_query")
        if queries is UNKNOWN:
            return [UNKNOWN]
        places += [["metric_query", n, "metric", 0, "dimensions", "EndpointName"] for n in range(len(queries))]
        return [self.target(alarm, place, ENDPOINT) for place in places]

    def bucket(self, resource: Resource, path: Path) -> Joined:
        """Return the bucket that an attribute names, by bucket name, ARN or `s3://` address."""
        return self.target(resource, path, BUCKET)

    def of_bucket(self, bucket: Resource, kind: str) -> Matches:
        """Return the resources of type `kind` that configure a bucket, such as `aws_s3_bucket_versioning`."""
        return self.sources(bucket, kind, "bucket")

    def inline_policy_names(self, role: Resource) -> set[object]:
        """Return the names of a role's policies that are resources of their own, before or after the plan."""
        values = role.values(before=self.before)
        return self._inline_policy_names.get(values.text("name"), set())

    @cached_property
    def _inline_policy_names(self) -> dict[object, set[object]]:
        found: dict[object, set[object]] = {}
        for policy in self._inventory.by_type.get("aws_iam_role_policy", ()):
            for values in (policy.old, policy.new):
                found.setdefault(values.text("role"), set()).add(values.text("name"))
        return found

    def _inverse(
        self, resource: Resource, kind: str, path: Path, targets: Callable[[Resource], Iterable[Joined]]
    ) -> Matches:
        """Return the resources of type `kind` whose `targets` contain `resource`.

        The index is built once for each combination of kind, path and type.
        """
        key = (kind, path if isinstance(path, str) else tuple(path), resource.type)
        index = self._reverse.get(key)
        if index is None:
            index = self._reverse[key] = {}
            for source in self.all(kind):
                for target in targets(source):
                    if target is not None:
                        index.setdefault(None if target is UNKNOWN else id(target), []).append(source)
        return Matches(tuple(index.get(id(resource), ())), tuple(index.get(None, ())))

    def _named_by(self, value: str | Unknown, resource: Resource, path: Path, kind: str) -> Joined:
        """Return the resource of type `kind` that `value`, read at `path` of `resource`, names."""
        if value is UNKNOWN:
            found = self._awaited(resource, path, kind) or self._managed(resource, path, kind)
        else:
            found = self.names(kind).get(bucket_of(value) or value, [])
            if not found:
                return None
            if len(found) > 1:  # the same name in several regions or accounts
                found = [other for other in self._managed(resource, path, kind) if other in found]
        return found[0] if len(found) == 1 else UNKNOWN

    def _awaited(self, resource: Resource, path: Path, kind: str) -> list[Resource]:
        """Return those of `_managed` that have an unknown attribute in the expression.

        A known attribute cannot make the value unknown.
        """
        attributes = () if self.before else self.references(resource, path).attributes
        awaited = {id(found) for found, name in attributes if name and found.awaits(name)}
        return [found for found in self._managed(resource, path, kind) if id(found) in awaited]

    def _managed(self, resource: Resource, path: Path, kind: str) -> list[Resource]:
        """Return the result of `referred` without data sources, which read resources that others manage."""
        return [found for found in self.referred(resource, path, kind) if found.mode == "managed"]

    def configured(self, resource: Resource, path: Path) -> bool | Unknown:
        """Return whether the configuration sets the attribute; see `Configuration.configured`."""
        return self._configuration.configured(resource, path)

    def references(self, resource: Resource, path: Path) -> References:
        """Return everything that the expression at `path` refers to; see `Configuration.references`."""
        return self._configuration.references(resource, path)

    def referred(self, resource: Resource, path: Path, kind: str) -> list[Resource]:
        """Return the resources or data sources of type `kind` that the expression at `path` refers to."""
        found = self.references(resource, path).of(kind)
        return [other for other in found if other.exists(before=self.before)]

    def names(self, kind: str) -> dict[str, list[Resource]]:
        """Return the resources of type `kind` by each known name, id and ARN."""
        index = self._named.get(kind)
        if index is None:
            index = self._named[kind] = {}
            for resource in self.all(kind):
                for name in set(self._names(resource)):
                    index.setdefault(name, []).append(resource)
        return index

    def _names(self, resource: Resource) -> Iterator[str]:
        values = resource.values(before=self.before)
        for attribute in _IDENTIFIERS:
            value = values.text(attribute)
            if isinstance(value, str):
                yield value
