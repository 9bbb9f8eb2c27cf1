variable "name" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "instances" {
  type = number
}

module "stage" {
  source   = "../stage"
  for_each = toset(["dev", "prod"])

  name          = "${var.name}-${each.key}"
  instance_type = var.instance_type
  instances     = each.key == "prod" ? var.instances : 1
}
