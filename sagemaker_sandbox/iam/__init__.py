"""IAM's decision on a request.

`evaluation` decides by all policies that apply, without knowledge of moto and HTTP. `partial_requests` calls it for
requests with unknown condition keys. `roles` and `permissions` read the policies from moto.
"""
