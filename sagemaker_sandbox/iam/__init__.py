"""IAM's decision on a request, without knowledge of moto and HTTP. `evaluation` decides by all policies that apply."""
