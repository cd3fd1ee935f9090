import pytest

from hutch.lm.chat import Chat, transcript
from hutch.lm.language_model import Sampling


class Parrot:
    """Says what it is told to, a piece at a time, and remembers what it was asked."""

    name, context = "parrot", 100

    def __init__(self, *pieces, ends=None):
        self.pieces, self.ends, self.asked = pieces, ends, []

    def generate(self, prompts, sampling, on_text=None):
        self.asked.append((prompts[0], sampling))
        for piece in self.pieces:
            on_text(0, piece)
        if self.ends:
            raise self.ends
        return ["".join(self.pieces)]


class Trained(Parrot):
    """A model with a format of its own."""

    class tokenizer:
        chat_template = "template"

    def chat_prompt(self, messages):
        return "|".join(f"{message['role']}={message['content']}" for message in messages)


def test_a_transcript_ends_where_the_model_speaks():
    messages = [
        {"role": "system", "content": "A talk."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "Who?"},
    ]
    assert transcript(messages) == "A talk.\n\nUser: Hello\nModel: Hi.\nUser: Who?\nModel:"


def test_a_plain_model_continues_the_transcript_up_to_the_next_turn():
    model, told = Parrot(" ", " I am", " well. \n"), []
    chat = Chat(model, "A talk.")
    assert chat.reply("How are you?", Sampling(stop=("!",)), told.append) == "I am well."
    assert told == ["I am", " well. \n"]
    assert chat.reply("And now?", Sampling()) == "I am well."
    (first, rule), (second, _) = model.asked
    assert first == "A talk.\n\nUser: How are you?\nModel:"
    assert second == first + " I am well.\nUser: And now?\nModel:"
    assert rule.stop == ("!", "\nUser:")


def test_turns_have_their_own_random_numbers():
    model = Parrot("a")
    chat = Chat(model)
    for _ in range(2):
        chat.reply("?", Sampling(seed=5))
    assert len({rule.seed for _, rule in model.asked}) == 2


def test_a_model_with_a_template_is_asked_in_its_own_format():
    model = Trained("Yes.")
    chat = Chat(model, "Be short.")
    chat.reply("Is it?", Sampling())
    chat.reply("Sure?", Sampling())
    assert [prompt for prompt, _ in model.asked] == [
        "system=Be short.|user=Is it?",
        "system=Be short.|user=Is it?|assistant=Yes.|user=Sure?",
    ]
    assert model.asked[0][1].stop == ()


def test_an_interrupted_reply_stays_said():
    chat = Chat(Parrot("I was", " about", ends=KeyboardInterrupt()))
    assert chat.reply("Go on", Sampling()) == "I was about"
    assert chat.messages[-1] == {"role": "assistant", "content": "I was about"}


def test_other_trouble_is_not_swallowed():
    with pytest.raises(RuntimeError):
        Chat(Parrot("a", ends=RuntimeError())).reply("Go on", Sampling())
