"""What the chats accept as a nick, as rooms and as a message."""

import re
import unicodedata

MAX_ROOMS = 20  # of one session
MAX_TEXT = 2000  # characters of one message

_NICK = re.compile(r"\w(?:[\w .'-]{0,22}[\w.])?")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROOM = re.compile(r"[\w-]{1,32}")  # no dot: it would make a deeper channel


class Refused(Exception):
    """The user asked for what the chat does not allow; the page gets `code` and the text as a `refused` event."""

    def __init__(self, code, description):
        super().__init__(description)
        self.code = code


def clean_nick(value):
    """A usable nick, or Refused."""
    nick = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not _NICK.fullmatch(nick):
        raise Refused("bad_nick", "A nick has 1 to 24 letters, digits, spaces or . _ ' - and begins with a letter or digit.")
    return nick


def clean_rooms(expression):
    """The room names of a channel expression `{"chat": name or [names]}`, or Refused."""
    names = expression.get("chat") if isinstance(expression, dict) and len(expression) == 1 else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not names or len(names) > MAX_ROOMS:
        raise Refused("bad_room", 'Name the rooms like this: {"chat": "lobby"} or {"chat": ["lobby", "garden"]}.')
    if not all(isinstance(name, str) and _ROOM.fullmatch(name) for name in names):
        raise Refused("bad_room", "A room's name has 1 to 32 letters, digits, - or _.")
    return list(dict.fromkeys(names))


def clean_text(value):
    """The text of a message, or Refused."""
    text = value.strip() if isinstance(value, str) else ""
    halves = any("\ud800" <= character <= "\udfff" for character in text)  # of surrogate pairs: not sendable as UTF-8
    if not text or halves or len(text) > MAX_TEXT:
        raise Refused("bad_message", f"A message has 1 to {MAX_TEXT} characters.")
    return text


def clean_id(value):
    """The id that a page gave a message, or None; or Refused."""
    if value is not None and not (isinstance(value, str) and _ID.fullmatch(value)):
        raise Refused("bad_message", "The id of a message has 1 to 64 letters, digits, - or _.")
    return value


def same_nick(nick):
    """Equal for nicks that look alike, which count as one."""
    return unicodedata.normalize("NFKC", nick).casefold()
