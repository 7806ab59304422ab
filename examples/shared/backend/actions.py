"""The actions that the chats answer hooks with; the names are those of `clients.actions` in their configurations."""


def send(name, value):
    return {"action": "send_event", "args": {"name": name, "args": [value]}}


def store(**pairs):
    return {"action": "store", "args": pairs}


def enter(expression):
    return {"action": "enter", "args": expression}


def leave(expression):
    return {"action": "leave", "args": expression}


def refused(event, refusal, **more):
    return send("refused", {"event": event, "code": refusal.code, "description": str(refusal), **more})
