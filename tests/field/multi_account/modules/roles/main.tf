variable "prefix" {
  type = string
}

variable "policies" {
  description = "Managed policies: name to document."
  type        = map(string)
}

variable "roles" {
  description = "Roles: name to who may take it, and the policies that it has."
  type = map(object({
    trust    = string
    policies = list(string)
  }))
}

locals {
  attachments = merge([
    for role, settings in var.roles : {
      for policy in settings.policies : "${role}/${policy}" => { role = role, policy = policy }
    }
  ]...)
}

resource "aws_iam_policy" "this" {
  for_each = var.policies

  name   = "${var.prefix}-${each.key}"
  policy = each.value
}

resource "aws_iam_role" "this" {
  for_each = var.roles

  name                 = "${var.prefix}-${each.key}"
  assume_role_policy   = each.value.trust
  max_session_duration = 14400
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.attachments

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = aws_iam_policy.this[each.value.policy].arn
}

output "arns" {
  value = { for name, role in aws_iam_role.this : name => role.arn }
}
