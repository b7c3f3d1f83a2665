"""A model's server for tests: OpenAI's chat completions over HTTP on 127.0.0.1, answered by a function of the test.

    with Loopback(lambda asked: {"approve": True}) as server:
        model = server.model()              # a ChatOpenAI; `server.url` for any other client
    server.asked                            # every request that came, in order

The function gets an `Asked` and returns what the server does:

    a text                  the reply's content
    a dict or list          the same as JSON: in a tool call where the request offers a tool, else as content
    Answer(...)             content, tool calls, refusal, finish reason, usage, a delay: all of it by hand
    Fault(...)              an HTTP error with status, message and headers
    Raw(...)                any bytes in place of the response
    HANG, RESET             no answer until the server closes; a connection that is reset

Every answer can be streamed: the server does so where the request says `"stream": true`.
"""

from .server import HANG, RESET, Answer, Asked, Fault, Loopback, Raw, Said

__all__ = ["HANG", "RESET", "Answer", "Asked", "Fault", "Loopback", "Raw", "Said"]
