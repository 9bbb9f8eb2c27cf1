"""The modules' sources. Importing them starts jsii on the project's own Node, before any bindings do."""

from sustainable_mlops.authoring import cdktn as cdktn
