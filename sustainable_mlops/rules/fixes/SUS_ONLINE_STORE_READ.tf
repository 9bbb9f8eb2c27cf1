resource "aws_sagemaker_feature_group" "this" {
  # …

  online_store_config {
    enable_online_store = true

    ttl_duration {
      unit  = "Days"
      value = 7
    }
  }

  tags = {
    serving = "online" # an endpoint reads the group
  }
}
