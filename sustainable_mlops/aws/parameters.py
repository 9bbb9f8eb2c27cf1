"""Names of the SSM parameters that an environment publishes. Standard library only."""


def get_platform_parameter(environment: str) -> str:
    """Return the name of the parameter with the platform of an environment."""
    return f"/sustainable-mlops/{environment}/platform"
