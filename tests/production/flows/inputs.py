from headrace import FlowSpec, JSONType, Parameter, current, step


def computed(context):
    return len(context.parameter_name)


class Inputs(FlowSpec):
    text = Parameter("text", default="plain")
    nasty = Parameter("nasty", default="a \"quoted\" \\ text: {{item}} $HOME `ls` 'x' grüße\nsecond line")
    nothing = Parameter("nothing", type=str, default=None)
    number = Parameter("number", default=3)
    ratio = Parameter("ratio", default=0.25)
    flag = Parameter("flag", default=True)
    table = Parameter("table", type=JSONType, default={"a": [1, None, "x"]})
    listed = Parameter("listed", default="a,b,c", separator=",")
    computed = Parameter("computed", type=int, default=computed)
    needed = Parameter("needed-one", type=str, required=True)

    @step
    def start(self):
        self.seen = [
            *(self.text, self.nasty, self.nothing, self.number, self.ratio, self.flag),
            *(self.table, list(self.listed), self.computed, self.needed),
        ]
        self.next(self.end)

    @step
    def end(self):
        print("seen", self.seen, current.retry_count)
