"""Kit for Terraform modules in Python: declared inputs, typed resources and readable HCL.

This package holds the tools for inputs and imports quickly. The tools for resources are in `authoring.resources`, which
starts jsii.
"""

from pydantic import Field

from sustainable_mlops.authoring.call_inputs import bind_inputs
from sustainable_mlops.authoring.choice import one_of
from sustainable_mlops.authoring.inputs import ModuleInputs, NumberMap, must
from sustainable_mlops.authoring.rules import rule

__all__ = ["Field", "ModuleInputs", "NumberMap", "bind_inputs", "must", "one_of", "rule"]
