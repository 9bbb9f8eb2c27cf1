variable "role_arn" {
  type = string
}

variable "image_account" {
  type = string
}

variable "model_data" {
  type = string
}

variable "min_instances" {
  type = number
}

variable "max_instances" {
  type = number
}

data "aws_region" "current" {}

resource "aws_sagemaker_model" "ranking" {
  name               = "ranking"
  execution_role_arn = var.role_arn

  primary_container {
    image          = "${var.image_account}.dkr.ecr.${data.aws_region.current.name}.amazonaws.com/ranking:1.4.2"
    model_data_url = var.model_data
  }
}

module "endpoint" {
  source = "../endpoint"

  name          = "ranking"
  model_name    = aws_sagemaker_model.ranking.name
  min_instances = var.min_instances
  max_instances = var.max_instances
}
