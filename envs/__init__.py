"""The environments' composition. Importing it settles how jsii starts, before any of the bindings starts it."""

from sustainable_mlops.authoring import nodejs as nodejs
