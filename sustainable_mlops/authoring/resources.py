"""Classes for the resources of modules and environments. The import starts jsii (seconds, 250 MB)."""

from sustainable_mlops.authoring.entries import Output, Outputs
from sustainable_mlops.authoring.module import Module
from sustainable_mlops.authoring.root import Root

__all__ = ["Module", "Output", "Outputs", "Root"]
