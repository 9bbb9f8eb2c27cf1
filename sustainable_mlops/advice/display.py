"""Terminal output of advice."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.advice import RefusedOption, ServingAdvice, ServingOption
from sustainable_mlops.advice.wording import format_figure_cell, list_legend
from sustainable_mlops.footprint import FootprintFigure


def print_advice(advice: ServingAdvice, out: Console) -> None:
    """Print the options with their reasons, the best first, and the refused options with theirs."""
    if advice.options:
        out.print(f"[bold]Advice for {advice.requirements.region}: {advice.options[0].title}[/]\n")
        _print_options(out, advice.options)
    else:
        out.print("[bold red]No option meets these requirements.[/]")
    if advice.refusals:
        _print_section(out, "Refused", _group_refusals(advice.refusals))
    if (other_advice := advice.advice_for_longer_wait) is not None:
        latency, title = other_advice.requirements.latency, other_advice.options[0].title
        out.print(f"\n[bold]If callers accept --latency {latency}: {title}[/]\n")
        _print_options(out, other_advice.options)


def _print_options(out: Console, options: Sequence[ServingOption]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("best first", "CO2e a month", "USD a month"):
        table.add_column(title, overflow="fold")
    for number, option in enumerate(options, 1):
        hardware = "" if option.kind == "serverless" else f" on {option.silicon}"
        option_title = Text(f"{option.kind}{hardware}\n", "bold green" if number == 1 else "bold")
        option_title.append(f"{option.size}, {option.min_instances} to {option.max_instances}", "not bold")
        figures = (_format_figure(option.estimate.get(metric)) for metric in ("total", "cost"))
        table.add_row(str(number), option_title, *figures)
    out.print(table)
    _print_section(out, "Why", _merge_notes([option.reasons for option in options]))
    _print_section(out, "Check first", _merge_notes([option.checks for option in options]))
    totals = [(str(number), option.estimate.get("total")) for number, option in enumerate(options, 1)]
    _print_section(out, "Figures", list_legend(totals))


def _format_figure(figure: FootprintFigure | None) -> Text:
    return Text("\n".join(format_figure_cell(figure)).rstrip())


def _merge_notes(texts: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield each text once, with the numbers of its options."""
    for text in dict.fromkeys(text for option_texts in texts for text in option_texts):
        numbers = [number for number, option_texts in enumerate(texts, 1) if text in option_texts]
        is_sequence = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
        numbers_text = f"{numbers[0]} to {numbers[-1]}" if is_sequence else ", ".join(map(str, numbers))
        yield "all" if len(numbers) == len(texts) > 1 else numbers_text, text


def _group_refusals(refusals: Sequence[RefusedOption]) -> Iterator[tuple[str, str]]:
    """Yield the refused options with the same reasons together."""
    grouped: dict[tuple[str, bool], list[RefusedOption]] = {}
    for one in refusals:
        grouped.setdefault(("; ".join(one.reasons), bool(one.silicon)), []).append(one)
    for (reasons, _), group in grouped.items():
        silicon = ", ".join(dict.fromkeys(one.silicon for one in group if one.silicon))
        kinds = ", ".join(dict.fromkeys(one.kind for one in group))
        yield silicon or kinds, f"{reasons} ({kinds})" if silicon else reasons


def _print_section(out: Console, title: str, rows: Iterator[tuple[str, str]]) -> None:
    table = Table.grid("", "", padding=(0, 2))
    table.columns[0].max_width = 24
    for row in rows:
        table.add_row(*map(Text, row))
    if table.row_count:
        out.print(f"\n[bold]{title}[/]")
        out.print(table)
