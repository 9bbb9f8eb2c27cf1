# Generated from settings.yaml, ../catalogue and ../components by smlops synth: change that, then run it again.

variable "model_packages" {
  description = "ARN of the approved model package to serve, by model. The first one creates the endpoint."
  type        = map(string)
  default     = {}
  nullable    = false
}
