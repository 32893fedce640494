"""Runs a command in a terminal of its own, and types Ctrl+C once the command has said the word that is waited for."""
import os
import pty
import sys

word, command = sys.argv[1].encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
heard, typed = b"", False
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    os.write(1, chunk)
    heard += chunk
    if not typed and word in heard:
        typed = True
        os.write(terminal, b"\x03")
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
