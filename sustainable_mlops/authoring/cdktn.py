"""Re-exports of cdktn. Import cdktn only from here: an upstream rename then changes one file."""

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

from sustainable_mlops.authoring import nodejs as nodejs  # isort: split  jsii reads its environment variables at import

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
