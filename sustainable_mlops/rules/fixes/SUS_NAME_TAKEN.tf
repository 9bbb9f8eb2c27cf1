resource "aws_sagemaker_model_package_group" "this" {
  for_each = toset(["delay", "fraud"])

  model_package_group_name = "models-${each.key}"
}
