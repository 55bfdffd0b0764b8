#!/usr/bin/env python3
"""Hook of wedgewatch: posts the verdict to a chat. Argument: the URL of an incoming webhook (Slack, Mattermost and the like)."""
import json
import sys
import urllib.request


def plain(text):
    """A guest chooses the names of its tasks: nobody is to be mentioned by one."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "@\u2060").replace("`", "'")


incident = json.load(sys.stdin)
text = f"{plain(incident['vm'])} hangs: `{plain(incident['verdict']['title'])}`"
if incident["test"]:
    text += f"\nin {plain(incident['test']['text'])}"
if not incident["evidence"]["complete"]:
    text += "\nits evidence is incomplete"
known = incident.get("known")
if known:
    text += f"\nknown: {known['link'] or known['title']}"
if incident.get("known"):
    text += f"\nknown: {incident['known']['link']} ({plain(incident['known']['title'])})"
body = json.dumps({"text": f"{text}\nwedgewatch show {incident['id']}"}).encode()
request = urllib.request.Request(sys.argv[1], body, {"content-type": "application/json"})
with urllib.request.urlopen(request, timeout=20):
    pass
