"""The Region of a resource, as far as a plan tells."""

from functools import cached_property

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.plan.configuration import Configuration
from sustainable_mlops.plan.inventory import Inventory
from sustainable_mlops.plan.resources import Resource
from sustainable_mlops.plan.values import UNKNOWN, Block, Unknown, get_at_path

_REGION = LazyPattern(r"[a-z]{2,3}(?:-[a-z]+)+-[0-9]{1,2}")
_ARN = LazyPattern(rf"arn:[a-z-]+:[a-z0-9-]+:({_REGION.pattern}):")
_KEY = LazyPattern(r"arn:[a-z-]+:kms:[^\"]+")
_ZONE = LazyPattern(rf"({_REGION.pattern})[a-z]")


class Regions:
    """Regions of resources.

    The Region comes from the resource itself, else from its provider's configuration, else from other resources of the
    provider.
    """

    def __init__(self, inventory: Inventory, configuration: Configuration) -> None:
        """Prepare to find the Regions of the resources in `inventory`."""
        self._inventory = inventory
        self._configuration = configuration
        self._providers: dict[tuple[str, str], str | Unknown] = {}
        self._known: dict[tuple[int, bool], str | Unknown] = {}

    def find_region(self, resource: Resource, *, before: bool = False) -> str | Unknown:
        """Return the Region of `resource`, else `UNKNOWN`."""
        key = (id(resource), before)
        region = self._known.get(key)
        if region is None:
            region = self._known[key] = self._find_resource_region(resource, before)
        return region

    def _find_resource_region(self, resource: Resource, before: bool) -> str | Unknown:
        values = resource.get_values(before=before)
        own = _find_own_region(values) or (_find_own_region(resource.old) if not before else None)
        if own is None and values.text("region") is UNKNOWN:  # set to an unknown value, or computed by the provider
            computed = self._configuration.is_configured(resource, "region") is False
            return self._find_provider_region(*self._find_provider_key(resource)) if computed else UNKNOWN
        return own or self._find_provider_region(*self._find_provider_key(resource))

    def _find_provider_key(self, resource: Resource) -> tuple[str, str]:
        """Return the provider and the key of its configuration.

        The key is empty if it is unknown, as for a destroyed resource.
        """
        key = self._configuration.find_resource(resource).get("provider_config_key")
        return resource.provider, key if isinstance(key, str) else ""

    def _find_provider_region(self, provider: str, key: str) -> str | Unknown:
        known = self._providers.get((provider, key))
        if known is None:
            known = self._find_configured_region(key) or self._observed_regions.get((provider, key))
            if known is None:
                known = UNKNOWN if self._is_own(key) else self._find_shared_region(provider)
            self._providers[provider, key] = known
        return known

    def _find_configured_region(self, key: str) -> str | None:
        provider = self._configuration.providers.get(key)
        if not isinstance(provider, dict):
            return None
        address = str(provider.get("module_address") or "")
        module = tuple(part for name in address.split(".")[1::2] for part in ("module", name))
        return _parse_region(self._configuration.evaluate_constant(get_at_path(provider, "expressions.region"), module))

    def _is_own(self, key: str) -> bool:
        """Return whether a provider configuration belongs to the root module or has settings of its own.

        Otherwise a module received it from its caller. Terraform records only that module's key, not the original
        configuration. It also does not record what a call passes on through a module without a resource of the
        provider.
        """
        provider = self._configuration.providers.get(key)
        return isinstance(provider, dict) and ("expressions" in provider or "module_address" not in provider)

    def _find_shared_region(self, provider: str) -> str | Unknown:
        """Return the Region that all configurations of a provider share.

        A module has this Region, whichever configuration it received.
        """
        own = self._list_own_keys(provider)
        regions = {
            self._find_configured_region(key) or self._observed_regions.get((provider, key), UNKNOWN) for key in own
        }
        if len(own) <= 1 and regions <= {UNKNOWN}:
            regions = {region for (name, _), region in self._observed_regions.items() if name == provider}
        return regions.pop() if len(regions) == 1 else UNKNOWN

    def _list_own_keys(self, provider: str) -> list[str]:
        """Return the keys of a provider's own configurations; see `_is_own`."""
        configured = self._configuration.providers
        return [key for key in configured if self._is_own(key) and configured[key].get("full_name") == provider]

    def is_environment_region(self, resource: Resource) -> bool:
        """Return whether the Region of `resource` is the Region of the environment, because nothing else sets it.

        If one of several provider configurations sets a Region, this holds only for resources of a configuration
        without one.
        """
        if self._configuration.is_configured(resource, "region") is True:
            return False
        own, configured = self._list_own_keys(resource.provider), self._configuration.providers
        setting = [key for key in own if get_at_path(configured[key], "expressions.region") is not None]
        key = self._find_provider_key(resource)[1]
        return len(own) <= 1 or not setting or (key in own and key not in setting)

    @cached_property
    def _observed_regions(self) -> dict[tuple[str, str], str | Unknown]:
        """Region of each provider configuration, if its existing resources, its `aws_region` and its keys all agree."""
        regions_by_key: dict[tuple[str, str], set[str]] = {}
        for resource in self._inventory.all:
            if resource.type == "aws_region" and resource.mode == "data":
                region = _parse_region(resource.get("region")) or _parse_region(resource.get("name"))
            else:
                region = _find_own_region(resource.old) or _find_key_region(resource)
            if region:
                regions_by_key.setdefault(self._find_provider_key(resource), set()).add(region)
        return {key: regions.pop() if len(regions) == 1 else UNKNOWN for key, regions in regions_by_key.items()}


def _find_own_region(values: Block) -> str | None:
    """Return the Region in a resource's attributes: `region`, its ARN or its availability zone."""
    region = _parse_region(values.get("region"))
    if region:
        return region
    for attribute, pattern in (("arn", _ARN), ("availability_zone", _ZONE)):
        value = values.text(attribute)
        match = pattern.match(value) if isinstance(value, str) else None
        if match:
            return match[1]
    return None


def _find_key_region(resource: Resource) -> str | None:
    """Return the Region of the KMS key of a resource or its steps. A key and the data under it are in one Region."""
    if not resource.type.startswith(("aws_sagemaker_", "aws_cloudwatch_log_group")):
        return None
    keys = (resource.text(attribute) for attribute in ("kms_key_arn", "kms_key_id"))
    steps = resource.text("pipeline_definition")
    within = _KEY.findall(steps) if isinstance(steps, str) else []
    return next((match[1] for key in (*keys, *within) if isinstance(key, str) and (match := _ARN.match(key))), None)


def _parse_region(value: object) -> str | None:
    return value if isinstance(value, str) and _REGION.fullmatch(value) else None
