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

locals {
  # Patterns of expressions with a valid field, from the EventBridge user guide.
  cron = {
    minutes             = "(?i)^cron\\((\\S+ ){0}(((\\*|[0-5]?[0-9](-[0-5]?[0-9])?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){4}\\S+\\)$"
    hours               = "(?i)^cron\\((\\S+ ){1}(((\\*|([01]?[0-9]|2[0-3])(-([01]?[0-9]|2[0-3]))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){3}\\S+\\)$"
    "days of the month" = "(?i)^cron\\((\\S+ ){2}(((\\*|(0?[1-9]|[12][0-9]|3[01])(-(0?[1-9]|[12][0-9]|3[01]))?)(/[1-9][0-9]*)?|\\?|LW|L(-(0?[1-9]|[12][0-9]|3[01]))?|(0?[1-9]|[12][0-9]|3[01])W)[, ])+(\\S+ ){2}\\S+\\)$"
    months              = "(?i)^cron\\((\\S+ ){3}(((\\*|(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(-(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))?)(/[1-9][0-9]*)?)[, ])+(\\S+ ){1}\\S+\\)$"
    "days of the week"  = "(?i)^cron\\((\\S+ ){4}(((\\*|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(-([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT))?)(/[1-9][0-9]*)?|\\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)#[1-5])[, ])+(\\S+ ){0}\\S+\\)$"
    years               = "(?i)^cron\\((\\S+ ){5}(((\\*|(19[7-9][0-9]|2[01][0-9]{2})(-(19[7-9][0-9]|2[01][0-9]{2}))?)(/[1-9][0-9]*)?)[,)])+$"
  }

  # Names of the tz database.
  time_zones = [
    "Africa/Abidjan", "Africa/Accra", "Africa/Addis_Ababa", "Africa/Algiers", "Africa/Asmara",
    "Africa/Asmera", "Africa/Bamako", "Africa/Bangui", "Africa/Banjul", "Africa/Bissau",
    "Africa/Blantyre", "Africa/Brazzaville", "Africa/Bujumbura", "Africa/Cairo", "Africa/Casablanca",
    "Africa/Ceuta", "Africa/Conakry", "Africa/Dakar", "Africa/Dar_es_Salaam", "Africa/Djibouti",
    "Africa/Douala", "Africa/El_Aaiun", "Africa/Freetown", "Africa/Gaborone", "Africa/Harare",
    "Africa/Johannesburg", "Africa/Juba", "Africa/Kampala", "Africa/Khartoum", "Africa/Kigali",
    "Africa/Kinshasa", "Africa/Lagos", "Africa/Libreville", "Africa/Lome", "Africa/Luanda",
    "Africa/Lubumbashi", "Africa/Lusaka", "Africa/Malabo", "Africa/Maputo", "Africa/Maseru",
    "Africa/Mbabane", "Africa/Mogadishu", "Africa/Monrovia", "Africa/Nairobi", "Africa/Ndjamena",
    "Africa/Niamey", "Africa/Nouakchott", "Africa/Ouagadougou", "Africa/Porto-Novo", "Africa/Sao_Tome",
    "Africa/Timbuktu", "Africa/Tripoli", "Africa/Tunis", "Africa/Windhoek", "America/Adak",
    "America/Anchorage", "America/Anguilla", "America/Antigua", "America/Araguaina",
    "America/Argentina/Buenos_Aires", "America/Argentina/Catamarca", "America/Argentina/ComodRivadavia",
    "America/Argentina/Cordoba", "America/Argentina/Jujuy", "America/Argentina/La_Rioja",
    "America/Argentina/Mendoza", "America/Argentina/Rio_Gallegos", "America/Argentina/Salta",
    "America/Argentina/San_Juan", "America/Argentina/San_Luis", "America/Argentina/Tucuman",
    "America/Argentina/Ushuaia", "America/Aruba", "America/Asuncion", "America/Atikokan",
    "America/Atka", "America/Bahia", "America/Bahia_Banderas", "America/Barbados", "America/Belem",
    "America/Belize", "America/Blanc-Sablon", "America/Boa_Vista", "America/Bogota", "America/Boise",
    "America/Buenos_Aires", "America/Cambridge_Bay", "America/Campo_Grande", "America/Cancun",
    "America/Caracas", "America/Catamarca", "America/Cayenne", "America/Cayman", "America/Chicago",
    "America/Chihuahua", "America/Ciudad_Juarez", "America/Coral_Harbour", "America/Cordoba",
    "America/Costa_Rica", "America/Coyhaique", "America/Creston", "America/Cuiaba", "America/Curacao",
    "America/Danmarkshavn", "America/Dawson", "America/Dawson_Creek", "America/Denver",
    "America/Detroit", "America/Dominica", "America/Edmonton", "America/Eirunepe",
    "America/El_Salvador", "America/Ensenada", "America/Fort_Nelson", "America/Fort_Wayne",
    "America/Fortaleza", "America/Glace_Bay", "America/Godthab", "America/Goose_Bay",
    "America/Grand_Turk", "America/Grenada", "America/Guadeloupe", "America/Guatemala",
    "America/Guayaquil", "America/Guyana", "America/Halifax", "America/Havana", "America/Hermosillo",
    "America/Indiana/Indianapolis", "America/Indiana/Knox", "America/Indiana/Marengo",
    "America/Indiana/Petersburg", "America/Indiana/Tell_City", "America/Indiana/Vevay",
    "America/Indiana/Vincennes", "America/Indiana/Winamac", "America/Indianapolis", "America/Inuvik",
    "America/Iqaluit", "America/Jamaica", "America/Jujuy", "America/Juneau",
    "America/Kentucky/Louisville", "America/Kentucky/Monticello", "America/Knox_IN",
    "America/Kralendijk", "America/La_Paz", "America/Lima", "America/Los_Angeles", "America/Louisville",
    "America/Lower_Princes", "America/Maceio", "America/Managua", "America/Manaus", "America/Marigot",
    "America/Martinique", "America/Matamoros", "America/Mazatlan", "America/Mendoza",
    "America/Menominee", "America/Merida", "America/Metlakatla", "America/Mexico_City",
    "America/Miquelon", "America/Moncton", "America/Monterrey", "America/Montevideo",
    "America/Montreal", "America/Montserrat", "America/Nassau", "America/New_York", "America/Nipigon",
    "America/Nome", "America/Noronha", "America/North_Dakota/Beulah", "America/North_Dakota/Center",
    "America/North_Dakota/New_Salem", "America/Nuuk", "America/Ojinaga", "America/Panama",
    "America/Pangnirtung", "America/Paramaribo", "America/Phoenix", "America/Port-au-Prince",
    "America/Port_of_Spain", "America/Porto_Acre", "America/Porto_Velho", "America/Puerto_Rico",
    "America/Punta_Arenas", "America/Rainy_River", "America/Rankin_Inlet", "America/Recife",
    "America/Regina", "America/Resolute", "America/Rio_Branco", "America/Rosario",
    "America/Santa_Isabel", "America/Santarem", "America/Santiago", "America/Santo_Domingo",
    "America/Sao_Paulo", "America/Scoresbysund", "America/Shiprock", "America/Sitka",
    "America/St_Barthelemy", "America/St_Johns", "America/St_Kitts", "America/St_Lucia",
    "America/St_Thomas", "America/St_Vincent", "America/Swift_Current", "America/Tegucigalpa",
    "America/Thule", "America/Thunder_Bay", "America/Tijuana", "America/Toronto", "America/Tortola",
    "America/Vancouver", "America/Virgin", "America/Whitehorse", "America/Winnipeg", "America/Yakutat",
    "America/Yellowknife", "Antarctica/Casey", "Antarctica/Davis", "Antarctica/DumontDUrville",
    "Antarctica/Macquarie", "Antarctica/Mawson", "Antarctica/McMurdo", "Antarctica/Palmer",
    "Antarctica/Rothera", "Antarctica/South_Pole", "Antarctica/Syowa", "Antarctica/Troll",
    "Antarctica/Vostok", "Arctic/Longyearbyen", "Asia/Aden", "Asia/Almaty", "Asia/Amman", "Asia/Anadyr",
    "Asia/Aqtau", "Asia/Aqtobe", "Asia/Ashgabat", "Asia/Ashkhabad", "Asia/Atyrau", "Asia/Baghdad",
    "Asia/Bahrain", "Asia/Baku", "Asia/Bangkok", "Asia/Barnaul", "Asia/Beirut", "Asia/Bishkek",
    "Asia/Brunei", "Asia/Calcutta", "Asia/Chita", "Asia/Choibalsan", "Asia/Chongqing", "Asia/Chungking",
    "Asia/Colombo", "Asia/Dacca", "Asia/Damascus", "Asia/Dhaka", "Asia/Dili", "Asia/Dubai",
    "Asia/Dushanbe", "Asia/Famagusta", "Asia/Gaza", "Asia/Harbin", "Asia/Hebron", "Asia/Ho_Chi_Minh",
    "Asia/Hong_Kong", "Asia/Hovd", "Asia/Irkutsk", "Asia/Istanbul", "Asia/Jakarta", "Asia/Jayapura",
    "Asia/Jerusalem", "Asia/Kabul", "Asia/Kamchatka", "Asia/Karachi", "Asia/Kashgar", "Asia/Kathmandu",
    "Asia/Katmandu", "Asia/Khandyga", "Asia/Kolkata", "Asia/Krasnoyarsk", "Asia/Kuala_Lumpur",
    "Asia/Kuching", "Asia/Kuwait", "Asia/Macao", "Asia/Macau", "Asia/Magadan", "Asia/Makassar",
    "Asia/Manila", "Asia/Muscat", "Asia/Nicosia", "Asia/Novokuznetsk", "Asia/Novosibirsk", "Asia/Omsk",
    "Asia/Oral", "Asia/Phnom_Penh", "Asia/Pontianak", "Asia/Pyongyang", "Asia/Qatar", "Asia/Qostanay",
    "Asia/Qyzylorda", "Asia/Rangoon", "Asia/Riyadh", "Asia/Saigon", "Asia/Sakhalin", "Asia/Samarkand",
    "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Srednekolymsk", "Asia/Taipei",
    "Asia/Tashkent", "Asia/Tbilisi", "Asia/Tehran", "Asia/Tel_Aviv", "Asia/Thimbu", "Asia/Thimphu",
    "Asia/Tokyo", "Asia/Tomsk", "Asia/Ujung_Pandang", "Asia/Ulaanbaatar", "Asia/Ulan_Bator",
    "Asia/Urumqi", "Asia/Ust-Nera", "Asia/Vientiane", "Asia/Vladivostok", "Asia/Yakutsk", "Asia/Yangon",
    "Asia/Yekaterinburg", "Asia/Yerevan", "Atlantic/Azores", "Atlantic/Bermuda", "Atlantic/Canary",
    "Atlantic/Cape_Verde", "Atlantic/Faeroe", "Atlantic/Faroe", "Atlantic/Jan_Mayen",
    "Atlantic/Madeira", "Atlantic/Reykjavik", "Atlantic/South_Georgia", "Atlantic/St_Helena",
    "Atlantic/Stanley", "Australia/ACT", "Australia/Adelaide", "Australia/Brisbane",
    "Australia/Broken_Hill", "Australia/Canberra", "Australia/Currie", "Australia/Darwin",
    "Australia/Eucla", "Australia/Hobart", "Australia/LHI", "Australia/Lindeman", "Australia/Lord_Howe",
    "Australia/Melbourne", "Australia/NSW", "Australia/North", "Australia/Perth",
    "Australia/Queensland", "Australia/South", "Australia/Sydney", "Australia/Tasmania",
    "Australia/Victoria", "Australia/West", "Australia/Yancowinna", "Brazil/Acre", "Brazil/DeNoronha",
    "Brazil/East", "Brazil/West", "CET", "CST6CDT", "Canada/Atlantic", "Canada/Central",
    "Canada/Eastern", "Canada/Mountain", "Canada/Newfoundland", "Canada/Pacific", "Canada/Saskatchewan",
    "Canada/Yukon", "Chile/Continental", "Chile/EasterIsland", "Cuba", "EET", "EST", "EST5EDT", "Egypt",
    "Eire", "Etc/GMT", "Etc/GMT+0", "Etc/GMT+1", "Etc/GMT+10", "Etc/GMT+11", "Etc/GMT+12", "Etc/GMT+2",
    "Etc/GMT+3", "Etc/GMT+4", "Etc/GMT+5", "Etc/GMT+6", "Etc/GMT+7", "Etc/GMT+8", "Etc/GMT+9",
    "Etc/GMT-0", "Etc/GMT-1", "Etc/GMT-10", "Etc/GMT-11", "Etc/GMT-12", "Etc/GMT-13", "Etc/GMT-14",
    "Etc/GMT-2", "Etc/GMT-3", "Etc/GMT-4", "Etc/GMT-5", "Etc/GMT-6", "Etc/GMT-7", "Etc/GMT-8",
    "Etc/GMT-9", "Etc/GMT0", "Etc/Greenwich", "Etc/UCT", "Etc/UTC", "Etc/Universal", "Etc/Zulu",
    "Europe/Amsterdam", "Europe/Andorra", "Europe/Astrakhan", "Europe/Athens", "Europe/Belfast",
    "Europe/Belgrade", "Europe/Berlin", "Europe/Bratislava", "Europe/Brussels", "Europe/Bucharest",
    "Europe/Budapest", "Europe/Busingen", "Europe/Chisinau", "Europe/Copenhagen", "Europe/Dublin",
    "Europe/Gibraltar", "Europe/Guernsey", "Europe/Helsinki", "Europe/Isle_of_Man", "Europe/Istanbul",
    "Europe/Jersey", "Europe/Kaliningrad", "Europe/Kiev", "Europe/Kirov", "Europe/Kyiv",
    "Europe/Lisbon", "Europe/Ljubljana", "Europe/London", "Europe/Luxembourg", "Europe/Madrid",
    "Europe/Malta", "Europe/Mariehamn", "Europe/Minsk", "Europe/Monaco", "Europe/Moscow",
    "Europe/Nicosia", "Europe/Oslo", "Europe/Paris", "Europe/Podgorica", "Europe/Prague", "Europe/Riga",
    "Europe/Rome", "Europe/Samara", "Europe/San_Marino", "Europe/Sarajevo", "Europe/Saratov",
    "Europe/Simferopol", "Europe/Skopje", "Europe/Sofia", "Europe/Stockholm", "Europe/Tallinn",
    "Europe/Tirane", "Europe/Tiraspol", "Europe/Ulyanovsk", "Europe/Uzhgorod", "Europe/Vaduz",
    "Europe/Vatican", "Europe/Vienna", "Europe/Vilnius", "Europe/Volgograd", "Europe/Warsaw",
    "Europe/Zagreb", "Europe/Zaporozhye", "Europe/Zurich", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0",
    "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Indian/Antananarivo", "Indian/Chagos",
    "Indian/Christmas", "Indian/Cocos", "Indian/Comoro", "Indian/Kerguelen", "Indian/Mahe",
    "Indian/Maldives", "Indian/Mauritius", "Indian/Mayotte", "Indian/Reunion", "Iran", "Israel",
    "Jamaica", "Japan", "Kwajalein", "Libya", "MET", "MST", "MST7MDT", "Mexico/BajaNorte",
    "Mexico/BajaSur", "Mexico/General", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Pacific/Apia",
    "Pacific/Auckland", "Pacific/Bougainville", "Pacific/Chatham", "Pacific/Chuuk", "Pacific/Easter",
    "Pacific/Efate", "Pacific/Enderbury", "Pacific/Fakaofo", "Pacific/Fiji", "Pacific/Funafuti",
    "Pacific/Galapagos", "Pacific/Gambier", "Pacific/Guadalcanal", "Pacific/Guam", "Pacific/Honolulu",
    "Pacific/Johnston", "Pacific/Kanton", "Pacific/Kiritimati", "Pacific/Kosrae", "Pacific/Kwajalein",
    "Pacific/Majuro", "Pacific/Marquesas", "Pacific/Midway", "Pacific/Nauru", "Pacific/Niue",
    "Pacific/Norfolk", "Pacific/Noumea", "Pacific/Pago_Pago", "Pacific/Palau", "Pacific/Pitcairn",
    "Pacific/Pohnpei", "Pacific/Ponape", "Pacific/Port_Moresby", "Pacific/Rarotonga", "Pacific/Saipan",
    "Pacific/Samoa", "Pacific/Tahiti", "Pacific/Tarawa", "Pacific/Tongatapu", "Pacific/Truk",
    "Pacific/Wake", "Pacific/Wallis", "Pacific/Yap", "Poland", "Portugal", "ROC", "ROK", "Singapore",
    "Turkey", "UCT", "US/Alaska", "US/Aleutian", "US/Arizona", "US/Central", "US/East-Indiana",
    "US/Eastern", "US/Hawaii", "US/Indiana-Starke", "US/Michigan", "US/Mountain", "US/Pacific",
    "US/Samoa", "UTC", "Universal", "W-SU", "WET", "Zulu",
  ]

  tracking_server_name = "${var.name_prefix}-tracking"
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

# A separate group, because a trust policy can name a group of schedules and not a single schedule.
resource "aws_scheduler_schedule_group" "tracking_server" {
  for_each = aws_sagemaker_mlflow_tracking_server.this

  name = each.value.tracking_server_name
  tags = var.tags
}

resource "aws_iam_role" "tracking_server" {
  for_each = aws_sagemaker_mlflow_tracking_server.this

  name_prefix          = "${substr("${local.tracking_server_name}-off-hours", 0, 37)}-"
  description          = "Stops and starts the tracking server ${local.tracking_server_name}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StopAndStart"
        Effect    = "Allow"
        Principal = { Service = "scheduler.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = "arn:${var.partition}:scheduler:${var.region}:${var.account_id}:schedule-group/${local.tracking_server_name}"
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "tracking_server" {
  for_each = aws_iam_role.tracking_server

  name = "stop-and-start"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StopAndStart"
        Effect   = "Allow"
        Action   = ["sagemaker:StartMlflowTrackingServer", "sagemaker:StopMlflowTrackingServer"]
        Resource = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:mlflow-tracking-server/${local.tracking_server_name}"
      },
    ]
  })
}

# Universal targets, because Scheduler has no target of its own for tracking servers.
resource "aws_scheduler_schedule" "tracking_server" {
  # checkov:skip=CKV_AWS_297:It contains a name, no secret; a separate key would only add KMS calls

  for_each = merge([
    for one in var.tracking_server[*] : merge(
      { stop = one.off_hours.begin },
      nonsensitive(one.off_hours.end == null) ? {} : { start = one.off_hours.end },
    )
  ]...)

  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.tracking_server["tracking_server"].name
  schedule_expression          = each.value
  schedule_expression_timezone = var.tracking_server.off_hours.timezone

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = "arn:${var.partition}:scheduler:::aws-sdk:sagemaker:${each.key}MlflowTrackingServer"
    role_arn = aws_iam_role.tracking_server["tracking_server"].arn

    input = jsonencode({
      TrackingServerName = aws_sagemaker_mlflow_tracking_server.this["tracking_server"].tracking_server_name
    })

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }

  depends_on = [aws_iam_role_policy.tracking_server]
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
