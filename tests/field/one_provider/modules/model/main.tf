variable "name" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "instances" {
  type = number
}

variable "model_data" {
  type = string
}

variable "role_arn" {
  type    = string
  default = "arn:aws:iam::111111111111:role/logistics-serving"
}

resource "aws_sagemaker_model" "this" {
  name               = var.name
  execution_role_arn = var.role_arn

  primary_container {
    image          = "111111111111.dkr.ecr.eu-north-1.amazonaws.com/xgboost-serving:2.0.3"
    model_data_url = var.model_data
  }
}

resource "aws_sagemaker_endpoint_configuration" "this" {
  name = var.name

  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.this.name
    instance_type          = var.instance_type
    initial_instance_count = var.instances
  }
}

resource "aws_sagemaker_endpoint" "this" {
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.this.name
}
