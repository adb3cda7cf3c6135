from headrace import FlowSpec, step


class Choices(FlowSpec):
    @step
    def start(self):
        self.kinds = ["left", "right", "left"]
        self.next(self.pick, foreach="kinds")

    @step
    def pick(self):
        self.kind = self.input
        self.count = 0
        self.next({"left": self.left, "right": self.right}, condition="kind")

    @step
    def left(self):
        self.value = "L" + str(self.index)
        self.next(self.collect)

    @step
    def right(self):
        self.value = "R" + str(self.index)
        self.next(self.loop)

    @step
    def loop(self):
        self.count += 1
        self.again = "yes" if self.count < 3 else "no"
        self.next({"yes": self.loop, "no": self.collect}, condition="again")

    @step
    def collect(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.values = [(i.value, i.count) for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        print("values", self.values)


if __name__ == "__main__":
    Choices()
