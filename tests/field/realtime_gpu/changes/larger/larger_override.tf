# "The queue grows at noon: a larger GPU, and twice as many of them."
module "sentiment" {
  instance_type = "ml.g5.xlarge"

  autoscaling = {
    min_capacity               = 2
    max_capacity               = 4
    scaling_target_invocations = 200
  }
}
