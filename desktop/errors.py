"""What can go wrong before the window stands. Each error says whose fault it is and what to do."""

from typing import Literal

Fault = Literal["caller", "machine", "bug"]


class DesktopError(Exception):
    """The window could not be opened."""

    code = "desktop"
    fault: Fault = "bug"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class NodeNotReady(DesktopError):
    """The node did not start, or did not answer in time."""

    code = "node_not_ready"
    fault: Fault = "machine"
    hint = "run `tomoshibi doctor`, or `tomoshibi serve` in a terminal to see more"


class PortTaken(DesktopError):
    """Another program already listens on the port that was asked for."""

    code = "port_taken"
    fault: Fault = "caller"
    hint = "give another --port"


class WindowUnavailable(DesktopError):
    """This machine cannot show a window: a package or a display is missing."""

    code = "window_unavailable"
    fault: Fault = "machine"
    hint = "pip install 'tomoshibi[desktop]', or run `tomoshibi serve` and open its address in a browser"
