from headrace import FlowSpec, Parameter, step


class Wide(FlowSpec):
    width = Parameter("width", default=12)

    @step
    def start(self):
        self.items = range(self.width)
        self.next(self.square, foreach="items")

    @step
    def square(self):
        self.squared = self.input**2
        print(self.input, "squared is", self.squared)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.squared for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total", self.total)
