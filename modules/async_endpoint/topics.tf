# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# Callers get their responses later. One topic notifies of responses, the other of failures.
resource "aws_sns_topic" "this" {
  for_each = toset(["error", "success"])

  name              = "${local.name}-${each.key}"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}
