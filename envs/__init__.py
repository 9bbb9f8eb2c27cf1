"""The environments' composition. Importing it starts jsii on the project's own Node, before any bindings do."""

from sustainable_mlops.authoring import cdktn as cdktn
