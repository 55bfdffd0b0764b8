#!/usr/bin/env python3
"""Hook of wedgewatch: restarts the guest that hangs, and lets its suite go on without the test that hung.

Arguments: the exclude file of the suite in the guest, and the unit there that runs it, such as
/var/lib/xfstests/exclude xfstests@generic.service
"""
import json
import re
import subprocess
import sys

exclude, suite = sys.argv[1:]
incident = json.load(sys.stdin)
vm, unit, test = incident["vm"], incident["unit"], (incident["test"] or {}).get("text")
# Both become arguments of systemctl and ssh; a guest prints the name of its test.
if not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9:_.@\\-]*", name) for name in (vm, unit)):
    sys.exit(f"not restarted: {vm!r} is no plain name")
if test and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/_.-]*", test):
    sys.exit(f"not restarted: {test!r} is no name of a test")


def run(*command, **more):
    subprocess.run(command, check=True, **more)


# A guest that hangs obeys no power-down: its unit would wait for minutes.
subprocess.run(["systemctl", "--user", "kill", "--signal=KILL", unit])
run("systemctl", "--user", "restart", unit)
run("wedgewatch", "wait", vm, "--until", "up", "--timeout", "5min", stdout=subprocess.DEVNULL)
if test:
    run("ssh", vm, f"cat >>{exclude}", input=f"{test}\n", text=True)
run("ssh", vm, "systemctl", "start", "--no-block", suite)
