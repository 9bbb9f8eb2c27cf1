# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

output "repositories" {
  description = "Repositories by key: name, arn and url. An image is `<url>:<tag>`."

  value = {
    for key, repository in aws_ecr_repository.this : key => {
      name = repository.name
      arn  = repository.arn
      url  = repository.repository_url
    }
  }
}

output "role_statements" {
  description = "IAM statements that these resources need in the roles `data_preparation`, `training` and `inference`: a map of lists by phase, with sid, actions, resources and condition. Add it to the list `role_statements` of `access`."

  value = {
    data_preparation = [
      {
        sid       = "RegistryLogin"
        actions   = ["ecr:GetAuthorizationToken"]
        resources = ["*"]
        condition = []
      },
      {
        sid     = "PullImages"
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources = [
          for key, repository in var.repositories :
          "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.name_prefix}/${replace(key, "_", "-")}"
        ]
        condition = []
      },
    ]
    training = [
      {
        sid       = "RegistryLogin"
        actions   = ["ecr:GetAuthorizationToken"]
        resources = ["*"]
        condition = []
      },
      {
        sid     = "PullImages"
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources = [
          for key, repository in var.repositories :
          "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.name_prefix}/${replace(key, "_", "-")}"
        ]
        condition = []
      },
    ]
    inference = [
      {
        sid       = "RegistryLogin"
        actions   = ["ecr:GetAuthorizationToken"]
        resources = ["*"]
        condition = []
      },
      {
        sid     = "PullImages"
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        resources = [
          for key, repository in var.repositories :
          "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${var.name_prefix}/${replace(key, "_", "-")}"
        ]
        condition = []
      },
    ]
  }
}
