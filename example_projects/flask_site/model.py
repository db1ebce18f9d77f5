"""A model that costs nothing."""


class FakeModel:
    def complete(self, messages, temperature):
        return f"You said, at a temperature of {temperature}: {messages[-1]['content']}"
