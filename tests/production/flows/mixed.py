from headrace import FlowSpec, step


class Mixed(FlowSpec):
    @step
    def start(self):
        self.base = 10
        self.next(self.fan, self.plain)

    @step
    def fan(self):
        self.items = ["x", "y", "z"]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        self.mine = self.input
        self.next(self.left_1, self.right_1)

    @step
    def left_1(self):
        self.value = f"l{self.mine}"
        self.next(self.both)

    @step
    def right_1(self):
        self.value = f"r{self.mine}"
        self.next(self.both)

    @step
    def both(self, inputs):
        self.pair = inputs.left_1.value + inputs.right_1.value
        self.place = (self.index, self.input)
        self.next(self.inner)

    @step
    def inner(self):
        self.letters = list(self.pair)
        self.next(self.letter, foreach="letters")

    @step
    def letter(self):
        self.where = [frame[:2] for frame in self.foreach_stack()]
        self.found = self.input.upper()
        self.next(self.word)

    @step
    def word(self, inputs):
        self.word_ = "".join(each.found for each in inputs)
        self.where = [each.where for each in inputs]
        self.next(self.gathered)

    @step
    def gathered(self, inputs):
        self.words = [each.word_ for each in inputs]
        self.wheres = [each.where for each in inputs]
        self.next(self.last)

    @step
    def plain(self):
        self.words = []
        self.next(self.last)

    @step
    def last(self, inputs):
        self.words = inputs.gathered.words + inputs.plain.words
        self.merge_artifacts(inputs, include=["base"])
        self.next(self.end)

    @step
    def end(self):
        print("words", self.words, self.base)
