# Generated from module.py by smlops synth. Change the source, then run `smlops synth`.

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

  name = "${var.name_prefix}-${var.name}"

  # Composed: a reference to the resource would be unknown in each plan that changes it.
  arn = "arn:${var.partition}:sagemaker:${var.region}:${var.account_id}:pipeline/${local.name}"

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

locals {
  # Empty without a trigger.
  starters = toset((nonsensitive(var.data_arrival == null) ? (nonsensitive(var.drift == null) ? nonsensitive(var.schedule == null) : false) : false) ? [] : ["starter"])

  # Rules that may start the pipeline.
  trigger_rule_arns = concat(
    [
      "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-data-arrived",
    ],
    nonsensitive(var.drift == null) ? [] : ["arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-drift"],
  )
}

# Keeps failed starts, which would be lost otherwise.
resource "aws_sqs_queue" "not_started" {
  for_each = local.starters

  name                      = "${local.name}-not-started"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

# EventBridge sends with its own service principal, Scheduler with the role starter.
resource "aws_sqs_queue_policy" "not_started" {
  for_each = aws_sqs_queue.not_started

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepFailedStarts"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals    = { "aws:SourceArn" = local.trigger_rule_arns }
        }
      },
    ]
  })
}

# Only for the rules and the schedule of this pipeline. Scheduler passes the ARN of the group, not of the
# schedule.
resource "aws_iam_role" "starter" {
  for_each = nonsensitive(var.existing_starter_role == null) ? local.starters : toset([])

  name_prefix          = "${substr("${local.name}-starter", 0, 37)}-"
  description          = "Starts the pipeline ${local.name}"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "StartThisPipeline"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "scheduler.amazonaws.com"] }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = concat(
              local.trigger_rule_arns,
              [
                "arn:${var.partition}:scheduler:${var.region}:${var.account_id}:schedule-group/${local.name}",
              ],
            )
          }
        }
      },
    ]
  })
}

resource "aws_iam_role_policy" "starter" {
  for_each = aws_iam_role.starter

  name = "start"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = "sagemaker:StartPipelineExecution"
        Resource = local.arn
      },
      {
        Sid      = "KeepFailedStarts"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-not-started"
      },
    ]
  })
}

locals {
  starter_role_arn = one(concat(
    [for role in aws_iam_role.starter : role.arn],
    [for existing in var.existing_starter_role[*] : existing.arn],
  ))
}

# A wildcard requires both the prefix and the suffix; separate patterns would require only one of them.
resource "aws_cloudwatch_event_rule" "data_arrived" {
  for_each = nonsensitive(var.data_arrival == null) ? {} : { data-arrived = var.data_arrival }

  name        = "${local.name}-data-arrived"
  description = "Data has arrived for the pipeline ${local.name}."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [each.value.bucket] }
      object = {
        key = [
          for suffix in length(each.value.key_suffixes) == 0 ? [""] : each.value.key_suffixes :
          { wildcard = "${each.value.key_prefix}*${suffix}" }
        ]
      }
    }
  })
}

resource "aws_cloudwatch_event_target" "data_arrived" {
  for_each = aws_cloudwatch_event_rule.data_arrived

  rule      = each.value.name
  target_id = "pipeline"
  arn       = aws_sagemaker_pipeline.this.arn
  role_arn  = local.starter_role_arn

  sagemaker_pipeline_target {
    pipeline_parameter_list {
      name  = var.data_arrival.key_parameter
      value = "$.detail.object.key"
    }
  }

  dead_letter_config {
    arn = aws_sqs_queue.not_started["starter"].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = var.start_retries.max_age_seconds
    maximum_retry_attempts       = var.start_retries.max_attempts
  }
}

# Without new data the alarm keeps its state: the same drift starts the pipeline once, not at each check.
resource "aws_cloudwatch_metric_alarm" "drift" {
  for_each = nonsensitive(var.drift == null) ? {} : { drift = var.drift }

  alarm_name          = "${local.name}-drift"
  alarm_description   = "Inputs or predictions differ from the training data; starts the pipeline ${local.name}."
  namespace           = coalesce(each.value.namespace, "${var.name_prefix}/drift")
  metric_name         = each.value.metric_name
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "ignore"
  tags                = var.tags

  dimensions = {
    Workload = each.value.workload
  }
}

resource "aws_cloudwatch_event_rule" "drift" {
  for_each = aws_cloudwatch_metric_alarm.drift

  name        = "${local.name}-drift"
  description = "Drift starts the pipeline ${local.name}."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.cloudwatch"]
    detail-type = ["CloudWatch Alarm State Change"]
    resources = [
      "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${local.name}-drift",
    ]
    detail = { state = { value = ["ALARM"] } }
  })
}

resource "aws_cloudwatch_event_target" "drift" {
  for_each = aws_cloudwatch_event_rule.drift

  rule      = each.value.name
  target_id = "pipeline"
  arn       = aws_sagemaker_pipeline.this.arn
  role_arn  = local.starter_role_arn

  sagemaker_pipeline_target {
    dynamic "pipeline_parameter_list" {
      for_each = concat(
        [
          for name, value in var.drift.parameters : {
            name  = name
            value = value
          }
        ],
        [
          {
            name  = var.drift.reason_parameter
            value = "$.detail.state.reason"
          },
        ],
      )
      iterator = parameter

      content {
        name  = parameter.value.name
        value = parameter.value.value
      }
    }
  }

  dead_letter_config {
    arn = aws_sqs_queue.not_started["starter"].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = var.start_retries.max_age_seconds
    maximum_retry_attempts       = var.start_retries.max_attempts
  }
}

# A separate group, because a trust policy can name a group of schedules and not a single schedule.
resource "aws_scheduler_schedule_group" "this" {
  for_each = nonsensitive(var.schedule == null) ? {} : { schedule = var.schedule }

  name = local.name
  tags = var.tags
}

# The universal target, because the pipeline target has no alias and starts the latest version.
resource "aws_scheduler_schedule" "this" {
  # checkov:skip=CKV_AWS_297:It contains a name and parameters, no secret; a separate key would only add KMS calls

  for_each = nonsensitive(var.schedule == null) ? {} : { schedule = var.schedule }

  name                         = local.name
  group_name                   = aws_scheduler_schedule_group.this[each.key].name
  description                  = "Starts the pipeline ${local.name}."
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = each.value.flexible_window_minutes
  }

  # Scheduler replaces its placeholder by the time; jsonencode escapes the placeholder. Each firing has one token,
  # so a retry does not start a second execution.
  target {
    arn      = "arn:${var.partition}:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    role_arn = local.starter_role_arn

    input = replace(replace(jsonencode(merge(
      {
        PipelineName = aws_sagemaker_pipeline.this.pipeline_name
        PipelineParameters = [
          for name, value in each.value.parameters : {
            Name  = name
            Value = value
          }
        ]
        ClientRequestToken = "${local.name}-by-the-clock-at-<aws.scheduler.scheduled-time>"
      },
      nonsensitive(each.value.alias == null) ? {} : { PipelineVersionAlias = each.value.alias },
    )), "\\u003c", "<"), "\\u003e", ">")

    dead_letter_config {
      arn = aws_sqs_queue.not_started["starter"].arn
    }

    retry_policy {
      maximum_event_age_in_seconds = var.start_retries.max_age_seconds
      maximum_retry_attempts       = var.start_retries.max_attempts
    }
  }
}

resource "aws_sns_topic" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name              = "${local.name}-failed"
  kms_master_key_id = each.value.kms_key_arn
  tags              = var.tags
}

# Has no Allow statement: roles publish by their own IAM policies. EventBridge assumes the role publisher.
resource "aws_sns_topic_policy" "failed" {
  for_each = aws_sns_topic.failed

  arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyPlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : var.failure_topic.subscribers

  topic_arn = aws_sns_topic.failed["failed"].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

resource "aws_cloudwatch_event_rule" "failed" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name        = "${local.name}-failed"
  description = "An execution of the pipeline ${local.name} failed."
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.sagemaker"]
    detail-type = ["SageMaker Model Building Pipeline Execution Status Change"]
    detail = {
      pipelineArn                    = [local.arn]
      currentPipelineExecutionStatus = ["Failed", "CompletedWithFailures"]
    }
  })
}

locals {
  missing_publishers = {
    for key, item in nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic } : key => item
    if nonsensitive(item.existing_role == null)
  }
}

# EventBridge may assume the role only for these rules.
resource "aws_iam_role" "publisher" {
  for_each = local.missing_publishers

  name_prefix          = "${substr("${local.name}-failed-publisher", 0, 37)}-"
  description          = "Publishes events to ${local.name}-failed"
  path                 = var.role_path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PublishEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-failed"
          }
        }
      },
    ]
  })
}

resource "terraform_data" "publisher_policy" {
  for_each = local.missing_publishers

  # A plan shows these statements, even if an ARN in them is unknown until apply.
  input = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Publish"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.name}-failed"
      },
      {
        Sid      = "PublishEncrypted"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = each.value.kms_key_arn
        Condition = {
          StringEquals = {
            "kms:ViaService" = "sns.${var.region}.${var.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"}"
          }
        }
      },
    ]
  }
}

resource "aws_iam_role_policy" "publisher" {
  for_each = aws_iam_role.publisher

  name   = "publish"
  role   = each.value.name
  policy = jsonencode(terraform_data.publisher_policy[each.key].input)
}

# Keeps events that no topic got, such as for a missing permission on its key.
resource "aws_sqs_queue" "undelivered" {
  for_each = nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic }

  name                      = "${local.name}-failed-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each = aws_sqs_queue.undelivered

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "KeepEvents"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.name}-failed-undelivered"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnEquals = {
            "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${local.name}-failed"
          }
        }
      },
    ]
  })
}

locals {
  publisher_role_arn = one(concat(
    [for key, item in aws_iam_role_policy.publisher : aws_iam_role.publisher[key].arn],
    [
      for key, item in nonsensitive(var.failure_topic == null) ? {} : { failed = var.failure_topic } :
      item.existing_role.arn if !nonsensitive(item.existing_role == null)
    ],
  ))
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = aws_cloudwatch_event_rule.failed

  rule      = each.value.name
  target_id = "topic"
  arn       = aws_sns_topic.failed[each.key].arn
  role_arn  = local.publisher_role_arn

  dead_letter_config {
    arn = one([for queue in aws_sqs_queue.undelivered : queue.arn])
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
