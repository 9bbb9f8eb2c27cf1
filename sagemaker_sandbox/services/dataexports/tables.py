"""Tables of Data Exports. The sandbox has the data of one table, and knows the names of the others."""

from typing import NamedTuple

#: Source of the names, the columns and the quotas: AWS Data Exports user guide, "Data Exports table dictionary" with
#: "Carbon emissions columns", and "Creating data exports".
CARBON_EMISSIONS = "CARBON_EMISSIONS"
OTHER_TABLES = (
    "COST_AND_USAGE_DASHBOARD",
    "COST_AND_USAGE_REPORT",
    "COST_OPTIMIZATION_RECOMMENDATIONS",
    "FOCUS_1_0_AWS",
    "FOCUS_1_2_AWS",
)


class Column(NamedTuple):
    """A column of a table, with its type as in the user guide."""

    name: str
    type: str
    description: str


class ExportTable(NamedTuple):
    """A table that exports can select from. `quota` is the maximum number of its exports in an account."""

    name: str
    description: str
    columns: tuple[Column, ...]
    quota: int

    def find_column(self, name: str) -> Column | None:
        """Return the column with this name in any case, or None."""
        return next((column for column in self.columns if column.name == name.lower()), None)


def _list_emission_columns() -> list[Column]:
    columns: list[Column] = []
    for subject, text in (
        ("total_lbm", "Total, location-based method"),
        ("total_mbm", "Total, market-based method"),
        ("total_scope_1", "Scope 1"),
        ("total_scope_2_lbm", "Scope 2, location-based method"),
        ("total_scope_2_mbm", "Scope 2, market-based method"),
        ("total_scope_3_lbm", "Scope 3, location-based method"),
        ("total_scope_3_mbm", "Scope 3, market-based method"),
    ):
        columns.append(Column(f"{subject}_emissions_unit", "string", f"{text}: unit"))
        columns.append(Column(f"{subject}_emissions_value", "double", f"{text}: estimated emissions"))
    return columns


TABLES = {
    CARBON_EMISSIONS: ExportTable(
        CARBON_EMISSIONS,
        "Estimated carbon emissions by month, account, Region and product",
        (
            Column("last_refresh_timestamp", "timestamp", "Time of the last calculation"),
            Column("location", "string", "Name of the Region"),
            Column("model_version", "string", "Version of the method"),
            Column("payer_account_id", "string", "Account that pays"),
            Column("product_code", "string", "Code of the service"),
            Column("region_code", "string", "Code of the Region"),
            *_list_emission_columns(),
            Column("usage_account_id", "string", "Account of the usage"),
            Column("usage_period_end", "timestamp", "End of the month"),
            Column("usage_period_start", "timestamp", "Start of the month"),
        ),
        2,
    )
}
