# tests/modules/test_linters.py runs tflint with this file in the mirror of the modules.
config {
  # Modules and examples are checked in their own folders.
  call_module_type = "none"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

plugin "aws" {
  enabled = true
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
  version = "0.48.0"
}
