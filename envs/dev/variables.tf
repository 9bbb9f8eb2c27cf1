# Generated from settings.yaml, ../catalogue and ../components by smlops synth: change that, then run it again.

variable "model_packages" {
  description = "ARN of the approved model package to serve, by model; a model's endpoint comes with its first."
  type        = map(string)
  default     = {}
  nullable    = false
}
