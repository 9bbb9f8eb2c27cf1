variable "name_prefix" {
  description = "Start of every name."
  type        = string
}

variable "pytorch_version" {
  description = "PyTorch version of the container."
  type        = string
  default     = "2.1.0"
}

variable "transformers_version" {
  description = "Transformers version of the container."
  type        = string
  default     = "4.37.0"
}

variable "hf_model_id" {
  description = "Model on the Hugging Face Hub."
  type        = string
  default     = null
}

variable "hf_task" {
  description = "Task of the pipeline."
  type        = string
}

variable "model_data" {
  description = "Archive in S3 to serve instead of a model of the Hub."
  type        = string
  default     = null
}

variable "instance_type" {
  description = "Instance type of the endpoint."
  type        = string
}

variable "instance_count" {
  description = "Instances to start with."
  type        = number
  default     = 1
}

variable "autoscaling" {
  description = "Limits of autoscaling; none where max_capacity is null."
  type = object({
    min_capacity               = optional(number, 1)
    max_capacity               = optional(number)
    scaling_target_invocations = optional(number)
    scale_in_cooldown          = optional(number, 300)
    scale_out_cooldown         = optional(number, 66)
  })
  default = {}
}

variable "sagemaker_execution_role" {
  description = "ARN of a role that there is; without it one is made."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
