import os

from headrace import FlowSpec, catch, current, retry, step


class Absorbing(FlowSpec):
    @step
    def start(self):
        self.numbers = [0, 1, 2, 3]
        self.next(self.divide, foreach="numbers")

    @catch(var="problem")
    @retry(times=1)
    @step
    def divide(self):
        if self.input == 3:
            os._exit(9)
        if self.input == 2 and current.retry_count == 0:
            raise KeyError("once")
        self.result = 12 / self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        self.results = [getattr(each, "result", None) for each in inputs]
        self.problems = [each.problem and each.problem.kind for each in inputs]
        self.next(self.end)

    @step
    def end(self):
        print("results", self.results, self.problems)
