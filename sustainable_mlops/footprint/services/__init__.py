"""What the resources of each service run or hold, read from a plan: one file a service."""
