"""AWS on this machine, for Terraform, boto3 and the AWS CLI. No account, and no request leaves the machine.

The commands are those of `sagemaker-sandbox`.
"""

from sagemaker_sandbox.command import create_app
from sustainable_mlops import terraform

_TERRAFORM_VARIABLES = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "CHECKPOINT_DISABLE")


def _get_terraform_variables() -> dict[str, str]:
    """Return the variables with which Terraform finds this project's provider and plugin cache."""
    return {name: value for name, value in terraform.make_environment().items() if name in _TERRAFORM_VARIABLES}


app = create_app("smlops sandbox", _get_terraform_variables)
