"""Small records for these tests."""

from teachwhy.corpora.records import Record, tool_call

SEND = {
    "type": "function",
    "function": {
        "name": "send",
        "description": "Send a message.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}, "text": {"type": "string"}}},
    },
}


def chat(number: int) -> Record:
    """A conversation of two turns; the second one calls a tool. No two are equally long."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": f"What is case {number}?" + " Please check." * (number % 5)},
        {"role": "assistant", "content": f"It is a report about {number}."},
        {"role": "user", "content": "Tell Sam."},
        {
            "role": "assistant",
            "content": "I tell him, because he asked.",
            "tool_calls": [tool_call("send", {"to": "sam", "text": f"case {number}" * (1 + number % 3)})],
        },
    ]
    return Record(id=f"chat-{number}", messages=messages, tools=[SEND])


def document(number: int) -> Record:
    return Record(id=f"doc-{number}", text=f"Report {number}. The team reads the numbers. " * (1 + number % 4))
