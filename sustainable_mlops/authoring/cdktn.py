"""The one place that starts jsii: import cdktn from here, so that a rename upstream costs one file."""

from cdktn import (
    App,
    DataResource,
    TerraformDataSource,
    TerraformElement,
    TerraformHclModule,
    TerraformStack,
    Testing,
    Token,
)

from sustainable_mlops.authoring import nodejs as nodejs  # isort: split  jsii reads its environment while it is imported

__all__ = [
    "App",
    "DataResource",
    "TerraformDataSource",
    "TerraformElement",
    "TerraformHclModule",
    "TerraformStack",
    "Testing",
    "Token",
]
