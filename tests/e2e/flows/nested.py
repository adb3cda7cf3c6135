from headrace import FlowSpec, Parameter, step


class Point:
    """A class of the flow file: its objects make the round trip through the store."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return type(other) is Point and (self.x, self.y) == (other.x, other.y)


class Nested(FlowSpec):
    width = Parameter("width", default=3)

    @step
    def start(self):
        self.rows = [Point(x, 0) for x in range(self.width)]
        self.next(self.row, foreach="rows")

    @step
    def row(self):
        assert isinstance(self.input, Point)
        assert self.foreach_stack() == [(self.index, self.width, self.input)]
        self.columns = {"a": 1, "b": 2}
        self.x = self.input.x
        self.next(self.cell, foreach="columns")

    @step
    def cell(self):
        outer, inner = self.foreach_stack()
        assert outer[0] == self.x
        assert inner == (self.index, 2, self.input)
        self.at = (self.x, self.input)
        self.columns = "rebinding the foreach's artifact does not change the input"
        self.next(self.after)

    @step
    def after(self):
        assert self.input in ("a", "b")
        assert self.at == (self.x, self.input)
        self.next(self.row_done)

    @step
    def row_done(self, inputs):
        assert self.input == Point(self.index, 0)
        self.cells = [i.at for i in inputs]
        self.merge_artifacts(inputs, include=["rows"])
        assert [i.index for i in inputs] == [0, 1]
        self.next(self.done)

    @step
    def done(self, inputs):
        assert self.input is None
        assert self.index is None
        self.table = [i.cells for i in inputs]
        self.merge_artifacts(inputs, include=["rows"])
        self.next(self.end)

    @step
    def end(self):
        assert self.rows == [Point(x, 0) for x in range(self.width)]
        print("table", self.table)


if __name__ == "__main__":
    Nested()
