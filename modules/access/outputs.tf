# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "role_arns" {
  description = "ARN of each phase's role, created here or existing. It is available after its policies."
  value       = local.role_arns

  depends_on = [aws_iam_role_policy.s3, aws_iam_role_policy.key, aws_iam_role_policy.container, aws_iam_role_policy.features, aws_iam_role_policy.offline_store, aws_iam_role_policy.vpc, aws_iam_role_policy.orchestration, aws_iam_role_policy.pass_role, aws_iam_role_policy.registration, aws_iam_role_policy.needed]
}

output "role_names" {
  description = "Name of each phase's role, to attach more policies."
  value       = { for phase, arn in local.role_arns : phase => regex("[^/]+$", arn) }

  depends_on = [aws_iam_role_policy.s3, aws_iam_role_policy.key, aws_iam_role_policy.container, aws_iam_role_policy.features, aws_iam_role_policy.offline_store, aws_iam_role_policy.vpc, aws_iam_role_policy.orchestration, aws_iam_role_policy.pass_role, aws_iam_role_policy.registration, aws_iam_role_policy.needed]
}
