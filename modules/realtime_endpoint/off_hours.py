"""Off hours: a schedule with fewer instances."""

from modules.schedules import Cron, has_valid_fields, is_canonical_time_zone, join_invalid_fields
from sustainable_mlops.authoring import Field, ModuleInputs, rule


class OffHours(ModuleInputs):
    """Schedule with fewer instances."""

    begin: Cron = Field(description="Start of the off hours, such as cron(0 20 ? * MON-FRI *).")
    end: Cron = Field(description="End of the off hours, such as cron(0 7 ? * MON-FRI *).")
    instances: int = Field(1, ge=1, description="Number of instances in off hours; at least one.")
    timezone: str = Field(description="Time zone of begin and end, such as Europe/Stockholm.")

    rules = (
        rule(
            "begin",
            lambda v: has_valid_fields(v.begin),
            lambda v: f"{v.begin} has invalid {join_invalid_fields(v.begin)}.",
        ),
        rule(
            "end",
            lambda v: has_valid_fields(v.end),
            lambda v: f"{v.end} has invalid {join_invalid_fields(v.end)}.",
        ),
        rule(
            "timezone",
            lambda v: is_canonical_time_zone(v.timezone),
            lambda v: (
                f"{v.timezone} is not the canonical name of a time zone, which Application Auto Scaling requires; use "
                "one such as Europe/Stockholm, or UTC."
            ),
        ),
    )
