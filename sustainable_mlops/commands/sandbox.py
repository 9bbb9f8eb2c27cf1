"""Run an emulation of AWS on this computer, for Terraform, boto3 and the AWS CLI.

It needs no account, and sends no request to AWS. `sagemaker-sandbox` has the same commands.
"""

from sagemaker_sandbox.command import create_app
from sustainable_mlops.base import terraform

_TERRAFORM_VARIABLES = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "CHECKPOINT_DISABLE")


def _get_terraform_variables() -> dict[str, str]:
    """Return the variables that direct Terraform to this project's provider and plugin cache."""
    return {name: value for name, value in terraform.make_environment().items() if name in _TERRAFORM_VARIABLES}


app = create_app("smlops sandbox", _get_terraform_variables)
