"""The smallest flow: two steps, one artifact."""

from __future__ import annotations

from headrace import FlowSpec, step


class HelloFlow(FlowSpec):
    """Say hello in one step and repeat it in the next."""

    @step
    def start(self) -> None:
        """Where every flow begins."""
        self.greeting = "Hello, world!"
        self.next(self.end)

    @step
    def end(self) -> None:
        """Where every flow ends; what an earlier step kept is here."""
        print(self.greeting)


if __name__ == "__main__":
    HelloFlow()
