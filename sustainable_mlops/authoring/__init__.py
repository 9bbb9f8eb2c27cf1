"""Write Terraform modules in Python: inputs declared once, resources proven by typed bindings, readable HCL.

What inputs need is here and is light. What resources need is in `authoring.resources`, which starts jsii.
"""

from pydantic import Field

from sustainable_mlops.authoring.called import called
from sustainable_mlops.authoring.choice import one_of
from sustainable_mlops.authoring.inputs import ModuleInputs, Numbers, must
from sustainable_mlops.authoring.rules import rule

__all__ = ["Field", "ModuleInputs", "Numbers", "called", "must", "one_of", "rule"]
