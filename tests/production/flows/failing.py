from headrace import FlowSpec, retry, step


class Failing(FlowSpec):
    @step
    def start(self):
        self.kept = "before"
        self.next(self.work, self.other)

    @retry(times=2)
    @step
    def work(self):
        print("trying")
        raise RuntimeError("no such luck")
        self.next(self.join)

    @step
    def other(self):
        self.next(self.join)

    @step
    def join(self, inputs):
        self.next(self.end)

    @step
    def end(self):
        pass
