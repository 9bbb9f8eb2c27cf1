"""Advice for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sustainable_mlops.advice import RefusedOption, ServingAdvice, ServingOption
from sustainable_mlops.footprint import FootprintFigure, format_number


def print_advice(advice: ServingAdvice, out: Console) -> None:
    """Print it: what serves best first, with its reasons, and what is refused, with those."""
    if advice.options:
        out.print(f"[bold]Advice for {advice.need.region}: {advice.options[0].title}[/]\n")
        _print_options(out, advice.options)
    else:
        out.print("[bold red]Nothing serves this need.[/]")
    if advice.refusals:
        _print_section(out, "Refused", _group_refusals(advice.refusals))
    if (wait := advice.advice_for_longer_wait) is not None:
        out.print(f"\n[bold]If callers accept --latency {wait.need.latency}: {wait.options[0].title}[/]\n")
        _print_options(out, wait.options)


def _print_options(out: Console, options: Sequence[ServingOption]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("best first", "kgCO2e a month", "USD a month"):
        table.add_column(title, overflow="fold")
    for number, option in enumerate(options, 1):
        on = "" if option.kind == "serverless" else f" on {option.silicon}"
        what = Text(f"{option.kind}{on}\n", "bold green" if number == 1 else "bold")
        what.append(f"{option.size}, {option.min_instances} to {option.max_instances}", "not bold")
        figures = (_format_figure(option.estimate.get(metric)) for metric in ("total", "cost"))
        table.add_row(str(number), what, *figures)
    out.print(table)
    _print_section(out, "Why", _merge_notes([option.reasons for option in options]))
    _print_section(out, "Check first", _merge_notes([option.checks for option in options]))


def _format_figure(figure: FootprintFigure | None) -> Text:
    if figure is None:
        return Text("unknown")
    return Text(
        f"{format_number(figure.central)}\n{format_number(figure.low)} to {format_number(figure.high)} ({figure.grade})"
    )


def _merge_notes(texts: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each text once, with the numbers of the options that have it."""
    for text in dict.fromkeys(text for of_one in texts for text in of_one):
        numbers = [number for number, of_one in enumerate(texts, 1) if text in of_one]
        row = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
        some = f"{numbers[0]} to {numbers[-1]}" if row else ", ".join(map(str, numbers))
        yield "all" if len(numbers) == len(texts) > 1 else some, text


def _group_refusals(refused: Sequence[RefusedOption]) -> Iterator[tuple[str, str]]:
    """What is refused for the same reasons, once."""
    grouped: dict[tuple[str, bool], list[RefusedOption]] = {}
    for one in refused:
        grouped.setdefault(("; ".join(one.reasons), bool(one.silicon)), []).append(one)
    for (reasons, _), ones in grouped.items():
        silicon = ", ".join(dict.fromkeys(one.silicon for one in ones if one.silicon))
        kinds = ", ".join(dict.fromkeys(one.kind for one in ones))
        yield silicon or kinds, f"{reasons} ({kinds})" if silicon else reasons


def _print_section(out: Console, title: str, rows: Iterator[tuple[str, str]]) -> None:
    table = Table.grid("", "", padding=(0, 2))
    table.columns[0].max_width = 24
    for row in rows:
        table.add_row(*map(Text, row))
    if table.row_count:
        out.print(f"\n[bold]{title}[/]")
        out.print(table)
