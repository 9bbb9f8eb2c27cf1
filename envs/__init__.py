"""Composition of the environments. The import configures jsii before a binding starts it."""

from sustainable_mlops.authoring import nodejs as nodejs
