"""What the endpoint modules take where nobody says otherwise, for who writes their inputs."""

#: Requests at once that `serverless_endpoint` takes; workers that do not work cost nothing.
WORKERS = 5
#: Fewest instances of `realtime_endpoint`, in two zones.
ZONES = 2
#: Major version of the AWS provider.
PROVIDER = 5
