"""Steps of a long command: progress and duration on the console, and the results for a table."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@dataclass
class Step:
    """One step, with its duration and its result."""

    title: str
    begin: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    result: str = ""
    _progress: Progress | None = None

    def show(self, text: str) -> None:
        """Show the progress of the step."""
        if self._progress is not None:
            for task in self._progress.task_ids:
                self._progress.update(task, detail=text)


class Steps:
    """Finished steps, shown on `console`: live on a terminal, one line for each step elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.finished: list[Step] = []

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run one step and leave its line on the console."""
        columns = (
            SpinnerColumn(),
            TextColumn(title),
            TextColumn("[dim]{task.fields[detail]}", markup=True),
            TimeElapsedColumn(),
        )
        progress = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        step = Step(title, _progress=progress)
        with progress:
            progress.add_task(title, detail="")
            try:
                yield step
            except BaseException:
                self.console.print(f"[red]✗[/red] {title}", highlight=False)
                raise
        step.seconds = time.monotonic() - step.begin
        self.finished.append(step)
        self.console.print(
            f"[green]✓[/green] {title:<34} {step.seconds:5.1f} s   [dim]{step.result}", highlight=False, soft_wrap=True
        )
