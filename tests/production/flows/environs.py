import os

from headrace import FlowSpec, environment, resources, step

AT_IMPORT = os.environ.get("SHADE")


class Environs(FlowSpec):
    @environment(vars={"SHADE": "dark blue"})
    @resources(cpu=1, memory=256)
    @step
    def start(self):
        self.shades = [AT_IMPORT, os.environ["SHADE"]]
        self.next(self.end)

    @step
    def end(self):
        print("shades", self.shades, AT_IMPORT)
