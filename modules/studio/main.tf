# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

# No API changes a script, so a new script has a new name.
resource "aws_sagemaker_studio_lifecycle_config" "this" {
  for_each = var.lifecycle_scripts

  studio_lifecycle_config_name     = "${var.name_prefix}-${each.key}-${substr(sha256(each.value.script), 0, 8)}"
  studio_lifecycle_config_app_type = each.value.app_type
  studio_lifecycle_config_content  = base64encode(each.value.script)
  tags                             = var.tags

  # AWS refuses to delete a script that a user profile lists.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_domain" "this" {
  domain_name             = "${var.name_prefix}-studio"
  auth_mode               = var.auth_mode
  vpc_id                  = var.vpc_id
  subnet_ids              = var.subnet_ids
  app_network_access_type = var.network_access
  kms_key_id              = var.kms_key_arn
  # Apps get the tags of the domain, so their cost has an owner.
  tag_propagation = "ENABLED"
  tags            = var.tags

  default_user_settings {
    execution_role      = var.role_arn
    security_groups     = var.security_group_ids
    default_landing_uri = "studio::"
    studio_web_portal   = "ENABLED"

    space_storage_settings {
      default_ebs_storage_settings {
        default_ebs_volume_size_in_gb = var.disk_gb.default
        maximum_ebs_volume_size_in_gb = var.disk_gb.max
      }
    }

    jupyter_lab_app_settings {
      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 60
        }
      }
    }

    code_editor_app_settings {
      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 60
        }
      }
    }

    dynamic "studio_web_portal_settings" {
      for_each = length(var.hidden_instance_types) > 0 ? [var.hidden_instance_types] : []
      iterator = hidden

      content {
        hidden_instance_types = hidden.value
      }
    }
  }

  default_space_settings {
    execution_role  = var.role_arn
    security_groups = var.security_group_ids

    space_storage_settings {
      default_ebs_storage_settings {
        default_ebs_volume_size_in_gb = var.disk_gb.default
        maximum_ebs_volume_size_in_gb = var.disk_gb.max
      }
    }

    jupyter_lab_app_settings {
      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 60
        }
      }
    }
  }

  retention_policy {
    home_efs_file_system = var.keep_home_directories ? "Retain" : "Delete"
  }
}

resource "aws_sagemaker_user_profile" "this" {
  for_each = var.users

  domain_id                      = aws_sagemaker_domain.this.id
  user_profile_name              = each.key
  single_sign_on_user_identifier = one([for name in each.value.sso_user_name[*] : "UserName"])
  single_sign_on_user_value      = each.value.sso_user_name
  tags                           = var.tags

  user_settings {
    execution_role = coalesce(each.value.role_arn, var.role_arn)

    jupyter_lab_app_settings {
      lifecycle_config_arns = [
        for name, script in var.lifecycle_scripts : aws_sagemaker_studio_lifecycle_config.this[name].arn
        if script.app_type == "JupyterLab"
      ]

      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 60
        }
      }
    }

    code_editor_app_settings {
      lifecycle_config_arns = [
        for name, script in var.lifecycle_scripts : aws_sagemaker_studio_lifecycle_config.this[name].arn
        if script.app_type == "CodeEditor"
      ]

      app_lifecycle_management {
        idle_settings {
          lifecycle_management        = "ENABLED"
          idle_timeout_in_minutes     = 60
          min_idle_timeout_in_minutes = 60
          max_idle_timeout_in_minutes = 60
        }
      }
    }
  }
}

resource "aws_sagemaker_space" "this" {
  for_each = var.spaces

  domain_id  = aws_sagemaker_domain.this.id
  space_name = each.key
  tags       = var.tags

  ownership_settings {
    owner_user_profile_name = aws_sagemaker_user_profile.this[each.value.user].user_profile_name
  }

  space_sharing_settings {
    sharing_type = "Private"
  }

  space_settings {
    app_type = each.value.app_type

    space_storage_settings {
      ebs_storage_settings {
        ebs_volume_size_in_gb = each.value.disk_gb
      }
    }
  }

  # Studio writes its settings when a user starts an app. AWS refuses each update of the provider, because it has
  # the type of the app.
  lifecycle {
    ignore_changes = [space_settings]
  }
}

resource "aws_sagemaker_mlflow_tracking_server" "this" {
  for_each = nonsensitive(var.tracking_server == null) ? {} : { tracking_server = var.tracking_server }

  tracking_server_name         = local.tracking_server_name
  artifact_store_uri           = each.value.artifacts_s3_uri
  automatic_model_registration = each.value.automatic_model_registration
  mlflow_version               = each.value.mlflow_version
  role_arn                     = coalesce(each.value.role_arn, var.role_arn)
  tracking_server_size         = each.value.size
  tags                         = var.tags
}

# Terraform refuses to destroy or replace these guards, and so any plan that deletes or replaces the data.
# prevent_destroy takes no variable, so it is not an argument of the data itself.
resource "terraform_data" "deletion_protection" {
  for_each = var.deletion_protection ? merge(
    { home_directories = aws_sagemaker_domain.this.arn },
    { for key, one in aws_sagemaker_space.this : key => one.arn },
    { for key, one in aws_sagemaker_mlflow_tracking_server.this : key => one.arn },
  ) : {}

  triggers_replace = each.value

  lifecycle {
    prevent_destroy = true
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
