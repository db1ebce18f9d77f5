"""What only the demo of run.py has: a switch for the local platform."""


class Switch:
    """Stops the platform and starts it again."""

    def __init__(self, platform):
        self._platform = platform
        self.is_on = True

    def turn(self, on):
        if on:
            self._platform.start()
        else:
            self._platform.stop()
        self.is_on = on
