"""Exports of the account's carbon data by the Customer Carbon Footprint Tool.

The rule checks only existing exports of carbon emissions. It does not require one, because an account has one export,
mostly managed elsewhere.
"""

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, rule

EXPORT = "aws_bcmdataexports_export"


@rule(
    id="SUS_CARBON_EXPORT",
    severity=Severity.WARN,
    title="The export of carbon emissions should be Parquet and should overwrite the previous export",
    problem="The export of carbon emissions is not Parquet, or does not overwrite the previous export",
    practices=("1",),
    fix='Set format and compression to "PARQUET" and overwrite to "OVERWRITE_REPORT".',
    types=(EXPORT,),
)
def carbon_export(_: Plan, export: Resource) -> RuleResults:
    """Check the format: Parquet needs up to 87 % less storage than CSV (ML Lens). AWS corrects earlier months later."""
    query = export.text("export.0.data_query.0.query_statement")
    if query is UNKNOWN or query is None or "CARBON_EMISSIONS" not in query.upper():
        return
    output = "export.0.destination_configurations.0.s3_destination.0.s3_output_configurations.0"
    for name, expected in (("format", "PARQUET"), ("overwrite", "OVERWRITE_REPORT")):
        value = export.text(f"{output}.{name}")
        yield check_value(value, f"{output}.{name}", {expected}.__contains__, f"{name} is {value}")
