"""Policies of resources as HCL."""

from typing import Any

from sustainable_mlops.account.adopt.fields import escape_template
from sustainable_mlops.authoring.hcl import render_expression


def render_policy(document: Any) -> str:
    """Return a JSON document as an expression with `jsonencode`, which shows changes of single statements."""
    return f"${{jsonencode({render_expression(escape_template(document))})}}"
