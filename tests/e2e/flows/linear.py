from headrace import FlowSpec, step


class Linear(FlowSpec):
    constant = ("kept", "by", "class")

    @step
    def start(self):
        self.number = 1
        self.dropped = "gone"
        self.mutable = {"a": [1]}
        self._private = "seen downstream"
        self.next(self.middle)

    @step
    def middle(self):
        assert self.number == 1
        assert self._private == "seen downstream"
        self.number += 1
        self.mutable["a"].append(2)
        del self.dropped
        print("middle", self.number)
        self.next(self.end)

    @step
    def end(self):
        assert not hasattr(self, "dropped")
        assert self.constant == ("kept", "by", "class")
        print("end", self.number, self.mutable)


if __name__ == "__main__":
    Linear()
