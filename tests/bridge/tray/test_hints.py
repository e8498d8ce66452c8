"""Advice in the window: no command where a button is meant, in the whole catalogue and in both languages."""

from __future__ import annotations

import re

import pytest

from bridge.tray.hints import advice
from bridge.tray.words import say, words
from core.messages import catalogue
from core.messages.template import LANGUAGES

COMMANDS = re.compile(
    r"same command|denselben Befehl|hotsplice (resume(?! --accept-folder)|answer|show)\b|--search|--jobs"
)
ELSEWHERE = {"answer-unclear", "job-not-queued"}
"""Refusals of what is typed at a command line."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_advice_about_a_film_sends_from_the_window_to_a_command_for_which_there_is_a_button(
    language,
):
    for code, entry in catalogue.entries(language).items():
        for one in entry.actions:
            assert code in ELSEWHERE or not COMMANDS.search(advice(one.do)), (code, advice(one.do))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_stands_for_a_command_is_needed_and_names_what_is_there(language):
    texts = [one.do for entry in catalogue.entries(language).values() for one in entry.actions]
    labels = {
        say(name, language).replace("&", "").removesuffix(" …")
        for name in words()
        if name.startswith(("do-", "setting-", "start-"))
    }
    for name in words():
        if name.startswith("said-"):
            assert any(say(name, language) in text for text in texts), f"{name} is said by nobody"
            press = say(name.replace("said-", "press-"), language)
            assert set(re.findall("[“„]([^”“]+)[”“]", press)) <= labels, press
