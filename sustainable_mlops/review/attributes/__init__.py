"""Review of changed attributes: protective attributes, harmless attributes, and attributes that no check reads."""
