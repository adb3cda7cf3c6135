from headrace import FlowSpec, step


class Branches(FlowSpec):
    @step
    def start(self):
        self.common = (1, 2.5, None)
        self.next(self.zebra, self.ant, self.mole)

    @step
    def zebra(self):
        self.who = "zebra"
        self.only_here = {"z"}
        self.next(self.join)

    @step
    def ant(self):
        self.who = "ant"
        self.next(self.inner_a, self.inner_b)

    @step
    def inner_a(self):
        self.value = 1
        self.next(self.inner_join)

    @step
    def inner_b(self):
        self.value = 2
        self.next(self.inner_join)

    @step
    def inner_join(self, inputs):
        self.total = sum(i.value for i in inputs)
        self.merge_artifacts(inputs, exclude=["value"])
        self.next(self.join)

    @step
    def mole(self):
        self.who = "mole"
        self.next(self.join)

    @step
    def join(self, inputs):
        self.order = [i.who for i in inputs]
        assert len(inputs) == 3
        assert inputs.zebra.who == "zebra"
        assert inputs.inner_join.total == 3
        assert not hasattr(self, "who")
        self.merge_artifacts(inputs, exclude=["who"])
        self.next(self.end)

    @step
    def end(self):
        assert self.common == (1, 2.5, None)
        assert self.only_here == {"z"}
        print("order", self.order, self.total)


if __name__ == "__main__":
    Branches()
