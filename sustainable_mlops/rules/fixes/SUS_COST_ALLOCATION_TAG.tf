resource "aws_ce_cost_allocation_tag" "workload" {
  tag_key = "workload"
  status  = "Active"
}
