"""Review of changed attributes: guards, harmless attributes, and attributes that no check reads."""
