"""Enforcement of IAM: the permissions that a request needs, the policies that apply, and the refusal.

`actions`, `resources` and `condition_keys` translate a request into IAM actions, resources and condition keys.
`required_permissions` lists the permissions that it needs. `principals` and `resource_policies` read the policies that
moto keeps. `enforcer` puts them together.
"""
