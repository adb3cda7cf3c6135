"""A sum of money over some years: parameters of every type, and two branches that meet again."""

from __future__ import annotations

from headrace import FlowSpec, Inputs, JSONType, Parameter, step


class SavingsFlow(FlowSpec):
    """Let interest be paid once a year in one branch and every month in the other, and compare."""

    owner = Parameter("owner", default="Ada", help="whose money it is")
    amount = Parameter("amount", default=1000.0, help="what is there at the beginning")
    years = Parameter("years", default=10, help="how long it stays")
    rate = Parameter("rate", default=0.03, help="interest a year, 0.03 for 3 %")
    deposits = Parameter("deposits", type=JSONType, default={"5": 500.0}, help="what is added at the beginning of which year")
    table = Parameter("table", default=False, help="print every year")

    @step
    def start(self) -> None:
        """Check what was asked for; parameters are read-only, so what is computed from them gets a name of its own."""
        if self.years < 1:
            raise ValueError(f"years must be at least 1, and is {self.years}")
        self.added = {int(year): float(sum_) for year, sum_ in self.deposits.items()}
        self.next(self.yearly, self.monthly)

    @step
    def yearly(self) -> None:
        """Interest is paid at the end of each year."""
        self.balances = grow(self.amount, self.years, self.added, 1.0 + self.rate)
        self.next(self.compare)

    @step
    def monthly(self) -> None:
        """A twelfth of the interest is paid at the end of each month."""
        self.balances = grow(self.amount, self.years, self.added, (1.0 + self.rate / 12) ** 12)
        self.next(self.compare)

    @step
    def compare(self, inputs: Inputs) -> None:
        """Both branches kept `balances`, so the join reads it from each by the name of its step."""
        self.by_year = inputs.yearly.balances
        self.by_month = inputs.monthly.balances
        self.gain = self.by_month[-1] - self.by_year[-1]
        self.merge_artifacts(inputs, exclude=["balances"])
        self.next(self.end)

    @step
    def end(self) -> None:
        """Print the answer."""
        if self.table:
            print("year     yearly    monthly")
            for year, (a, b) in enumerate(zip(self.by_year, self.by_month, strict=True), start=1):
                print(f"{year:<4} {a:>10.2f} {b:>10.2f}")
        print(f"After {self.years} years {self.owner} has {self.by_year[-1]:.2f}; paid monthly, {self.gain:.2f} more.")


def grow(amount: float, years: int, added: dict[int, float], factor: float) -> list[float]:
    """The balance at the end of each year, when it is multiplied by `factor` in each."""
    balances: list[float] = []
    for year in range(1, years + 1):
        amount = (amount + added.get(year, 0.0)) * factor
        balances.append(amount)
    return balances


if __name__ == "__main__":
    SavingsFlow()
