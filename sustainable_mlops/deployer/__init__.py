"""IAM policies of whoever plans and applies an environment."""
