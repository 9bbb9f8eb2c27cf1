# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  kms_key_arn = var.existing_kms_key == null ? one([for key in aws_kms_key.state : key.arn]) : var.existing_kms_key.arn
}
