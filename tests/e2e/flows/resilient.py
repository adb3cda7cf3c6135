import os
import time

from headrace import FlowSpec, catch, current, resources, retry, step, timeout


class Resilient(FlowSpec):
    @resources(cpu=1, memory=512)
    @step
    def start(self):
        self.next(self.flaky, self.slow, self.dying)

    @retry(times=3)
    @step
    def flaky(self):
        if current.retry_count < 2:
            self.left_behind = "of a failed attempt"
            raise ValueError(f"attempt {current.retry_count}")
        assert not hasattr(self, "left_behind")
        self.attempt = current.retry_count
        self.next(self.join)

    @catch(var="problem", print_exception=False)
    @timeout(seconds=0.2)
    @step
    def slow(self):
        self.before = True
        time.sleep(60)
        self.next(self.join)

    @catch(var="problem")
    @retry(times=1)
    @step
    def dying(self):
        os._exit(7)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.attempt = inputs.flaky.attempt
        self.kinds = [inputs.slow.problem.kind, inputs.dying.problem.kind]
        self.before = inputs.slow.before
        self.next(self.end)

    @step
    def end(self):
        print("resilient", self.attempt, self.kinds, self.before)


if __name__ == "__main__":
    Resilient()
