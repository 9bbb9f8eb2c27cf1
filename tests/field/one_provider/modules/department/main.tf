variable "name" {
  type = string
}

variable "products" {
  type = map(object({
    instance_type = string
    instances     = number
  }))
}

module "product" {
  source   = "../product"
  for_each = var.products

  name          = "${var.name}-${each.key}"
  instance_type = each.value.instance_type
  instances     = each.value.instances
}
