"""What `safejury demo` prepares while its first part is shown."""

from typing import Any

from safejury.agents.ballot import TEXT_ONLY, case_messages, in_words, perceive
from safejury.cli.run import recorded_case


def test_a_case_read_ahead_begins_as_what_jurors_are_sent(workplace: Any, scripted: Any):
    """A server's cache has the case only if it is the same to the letter."""
    server = scripted()
    said = {"question": "Why?", "response": "Because.", "scenario": "violence.physical_harm"}
    options = [f"--{name}={words}" for name, words in said.items()]
    config = workplace.config(server.base_url)
    assert workplace.safejury("deliberate", *options, "--config", config).code == 0
    case = recorded_case(**said)
    read = case_messages(case, None, perceive(case, TEXT_ONLY), "", quotes=True)
    system, user = server.requests[0]["messages"]
    assert system["content"] == in_words(read[:1])
    assert user["content"].startswith(in_words(read[1:]))
