"""What commands print with."""

import rich.console


class Console(rich.console.Console):
    """A terminal, a file or a pipe."""

    def on_broken_pipe(self) -> None:
        """Lets whoever runs the command end it, where Rich would end the program with threads amid their work.

        Raises:
            BrokenPipeError: who read the output has gone.
        """
        raise BrokenPipeError("nobody reads the output any more")
