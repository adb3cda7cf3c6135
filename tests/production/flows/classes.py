import shop_types

from headrace import FlowSpec, step


class Basket:
    def __init__(self, items):
        self.items = items

    def __eq__(self, other):
        return type(other) is Basket and other.items == self.items


class Classes(FlowSpec):
    constant = 5

    @step
    def start(self):
        self.basket = Basket(["apple", shop_types.doubled("pear")])
        self.big = bytes(range(256)) * 2048
        self.many = {f"key {number}": float(number) for number in range(500)}
        self.next(self.middle)

    @step
    def middle(self):
        self.basket.items.append(self.constant)
        self.next(self.end)

    @step
    def end(self):
        assert self.basket == Basket(["apple", "pearpear", 5])
        print("basket", self.basket.items, len(self.big), len(self.many))
