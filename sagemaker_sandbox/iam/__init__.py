"""IAM's decision on a request, without knowledge of moto and HTTP.

`evaluation` decides by all policies that apply. `partial_requests` calls it for requests with unknown condition keys.
"""
