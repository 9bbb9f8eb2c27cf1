"""Check that the provider uses the account and the Region of the inputs."""

from typing import Any

from cdktn_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktn_provider_aws.data_aws_region import DataAwsRegion

from modules.common import LocatedInputs
from sustainable_mlops.authoring.expressions import each_of, every, set_of, when
from sustainable_mlops.authoring.resources import Module


def check_location(module: Module[Any]) -> None:
    """Add the check, which reads the caller's identity and Region only if `verify_location` is true."""
    var: LocatedInputs = module.var
    no_keys: list[str] = []
    caller = each_of(set_of(when(var.verify_location, ["caller"], no_keys)))
    identities = module.add(DataAwsCallerIdentity, "location", for_each=caller)
    regions = module.add(DataAwsRegion, "location", for_each=caller)
    module.check(
        "location",
        every(identities, lambda identity: identity.account_id == var.account_id)
        & every(regions, lambda region: region.id == var.region),
        f"the provider works in another account or Region than {var.account_id} and {var.region}; correct account_id "
        "and region, or pass another provider.",
    )
