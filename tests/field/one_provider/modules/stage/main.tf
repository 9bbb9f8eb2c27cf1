variable "name" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "instances" {
  type = number
}

resource "aws_s3_bucket" "data" {
  bucket = "acme-${var.name}"
}

module "model" {
  source = "../model"

  name          = var.name
  instance_type = var.instance_type
  instances     = var.instances
  model_data    = "s3://${aws_s3_bucket.data.bucket}/model.tar.gz"
}
