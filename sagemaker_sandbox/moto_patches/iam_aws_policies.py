"""IAM: moto has AWS's managed policies only with a setting that creates all of them at the start of each account.

Here a policy is created when a request names it or lists all policies. An account then holds, and saves, only the
policies that it uses.
"""

import copy
import functools
import json
from typing import Any

from moto.iam import models
from moto.iam.models import AWSManagedPolicy, IAMBackend

#: Operations whose first argument is the ARN of a policy that may be AWS's.
OPERATIONS = ("get_policy", "attach_group_policy", "attach_role_policy", "attach_user_policy")


def apply() -> None:
    """Create policies of AWS on demand."""
    for name in OPERATIONS:
        setattr(IAMBackend, name, _add_named_policy(getattr(IAMBackend, name)))
    list_policies = IAMBackend.list_policies

    def list_policies_with_those_of_aws(
        self: Any, marker: Any, max_items: int, only_attached: bool, path_prefix: str, scope: str
    ) -> Any:
        backend = copy.copy(self)  # other requests change the policies meanwhile
        if scope != "Local" and not only_attached:
            backend.managed_policies = _create_all(self.account_id, self.region_name) | self.managed_policies
        return list_policies(backend, marker, max_items, only_attached, path_prefix, scope)

    IAMBackend.list_policies = list_policies_with_those_of_aws


def _add_named_policy(operation: Any) -> Any:
    @functools.wraps(operation)
    def add_and_call(self: Any, policy_arn: str, *arguments: Any, **options: Any) -> Any:
        if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies:
            name = policy_arn.rpartition("/")[2]
            policy = _create(name, self.account_id, self.region_name) if name in _read_data() else None
            if policy is not None and policy.arn == policy_arn:
                self.managed_policies[policy_arn] = policy
                self.aws_managed_policies.append(policy)
        return operation(self, policy_arn, *arguments, **options)

    return add_and_call


@functools.cache
def _read_data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(models.aws_managed_policies_data)
    return data


def _create(name: str, account: str, partition: str) -> Any:
    return AWSManagedPolicy.from_data(name, account, partition, _read_data()[name])


@functools.lru_cache(maxsize=2)  # a list has sixteen pages
def _create_all(account: str, partition: str) -> dict[str, Any]:
    policies = [_create(name, account, partition) for name in _read_data()]
    return {policy.arn: policy for policy in policies}
