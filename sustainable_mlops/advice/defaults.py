"""Defaults of the endpoint modules, for code that writes their inputs."""

#: Maximum concurrency of `serverless_endpoint`. Idle workers cost nothing.
WORKERS = 5
#: Minimum number of instances of `realtime_endpoint`, in two zones.
ZONES = 2
#: Major version of the AWS provider.
PROVIDER = 5
