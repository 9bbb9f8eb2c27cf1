# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

locals {
  # Member of each job's request; empty without one.
  network = {
    for vpc_config in var.vpc_config[*] : "VpcConfig" => {
      SecurityGroupIds = vpc_config.security_group_ids
      Subnets          = vpc_config.subnets
    }
  }

  # Arguments that the network adds to steps, by type.
  arguments_in_vpc = {
    ClarifyCheck = {
      NetworkConfig = local.network
    }
    Processing = {
      NetworkConfig = local.network
    }
    QualityCheck = {
      NetworkConfig = local.network
    }
    Model    = local.network
    Training = local.network
  }

  # Normalized text, so that white space and the order of keys cause no change in a plan.
  definition = jsonencode(merge(
    jsondecode(var.definition),
    {
      Parameters = [
        for parameter in lookup(jsondecode(var.definition), "Parameters", []) : merge(
          parameter,
          {
            for name, value in var.parameters :
            "DefaultValue" => jsondecode(parameter.Type == "String" ? jsonencode(value) : value) if name == parameter.Name
          },
        )
      ]
    },
    {
      for vpc_config in var.vpc_config[*] : "Steps" => [
        for step in jsondecode(var.definition).Steps : merge(
          step,
          {
            for part, arguments in step : part => merge(
              lookup(local.arguments_in_vpc, step.Type, {}),
              arguments,
              {
                for name, value in arguments : name => merge(local.network, value)
                if contains(["NetworkConfig", "TrainingJobDefinition"], name)
              },
              {
                for outcome, branch in arguments : outcome => [
                  for inner in branch : merge(
                    inner,
                    {
                      for member, values in inner : member => merge(
                        lookup(local.arguments_in_vpc, inner.Type, {}),
                        values,
                        {
                          for name, value in values : name => merge(local.network, value)
                          if contains(["NetworkConfig", "TrainingJobDefinition"], name)
                        },
                      ) if member == "Arguments"
                    },
                  )
                ] if contains(["IfSteps", "ElseSteps"], outcome)
              },
            ) if part == "Arguments"
          },
        )
      ]
    },
  ))
}

# Inline, because with a definition in S3 the provider plans an update each time, which then fails.
resource "aws_sagemaker_pipeline" "this" {
  pipeline_name         = local.name
  pipeline_display_name = local.name
  pipeline_description  = var.description
  pipeline_definition   = local.definition
  role_arn              = var.role_arn
  tags                  = var.tags

  parallelism_configuration {
    max_parallel_execution_steps = var.max_parallel_steps
  }

  lifecycle {
    precondition {
      condition     = length(local.definition) <= 1048576
      error_message = "definition: SageMaker allows 1048576 characters, and this has ${length(local.definition)} with its parameters; split the pipeline, or move long values to S3"
    }

    precondition {
      condition     = nonsensitive(var.vpc_config == null) ? true : length(regexall("(\\x22VpcConfig\\x22:)", local.definition)) >= length(regexall("(\\x22(AlgorithmSpecification|AppSpecification)\\x22:|\\x22Type\\x22:\\x22Model\\x22)", local.definition))
      error_message = "vpc_config: it reaches only the jobs of the pipeline and of its conditions; give each job of inner conditions and of TrainingJobDefinitions a VpcConfig in the definition"
    }
  }
}

# For the review of a plan: one value that is unknown until apply, such as the ARN of a new role, makes the
# whole text above unknown.
resource "terraform_data" "definition" {
  input = {
    definition = var.definition
    parameters = var.parameters
  }
}

data "aws_caller_identity" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

data "aws_region" "location" {
  for_each = toset(var.verify_location ? ["caller"] : [])
}

check "location" {
  assert {
    condition     = alltrue([for identity in data.aws_caller_identity.location : identity.account_id == var.account_id]) ? alltrue([for region in data.aws_region.location : region.id == var.region]) : false
    error_message = "the provider works in another account or Region than ${var.account_id} and ${var.region}; correct account_id and region, or pass another provider."
  }
}
