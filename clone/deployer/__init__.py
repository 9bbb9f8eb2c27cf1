"""IAM policies of the roles that plan and apply an environment."""
