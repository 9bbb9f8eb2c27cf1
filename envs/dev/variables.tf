# Generated from settings.yaml, ../catalogue and ../components by smlops synth. Change the source, then run `smlops synth`.

variable "model_packages" {
  description = "ARN of the approved model package to serve, by model. The first one creates the endpoint."
  type        = map(string)
  default     = {}
  nullable    = false
}
