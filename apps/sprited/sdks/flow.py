"""Drives sprited with the published Python SDK: flow.py <base URL> <token>

One line per step; the first that does not hold ends the program with 1.
"""

import sys
import time
import traceback

from sprites import SpritesClient
from sprites.types import NetworkPolicy, PolicyRule

base_url, token = sys.argv[1:]
client = SpritesClient(token, base_url=base_url)
name = f"py-{time.time_ns()}"
steps = []


def step(work):
    steps.append(work)
    return work


def fails(work):
    try:
        work()
    except Exception as error:  # Each SDK version has classes of its own.
        return error
    raise AssertionError("it did not fail")


def output(*arguments, **options):
    return sprite.run(*arguments, capture_output=True, **options).stdout


@step
def create():
    global sprite
    sprite = client.create_sprite(name)
    assert sprite.name == name


@step
def get():
    assert client.get_sprite(name).name == name


@step
def list_all():
    assert [one.name for one in client.list_all_sprites(prefix=name)] == [name]


@step
def a_second_one_of_the_name_is_refused():
    fails(lambda: client.create_sprite(name))


@step
def execute():
    assert output("echo", "hello") == b"hello\n"


@step
def execute_with_an_exit_code():
    assert sprite.run("sh", "-c", "exit 7").returncode == 7


@step
def both_streams():
    done = sprite.run("sh", "-c", "echo out; echo err >&2", capture_output=True)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


@step
def environment():
    assert output("sh", "-c", "echo $A; env | grep -c ^PATH=", env={"A": "x y"}) == b"x y\n1\n"


@step
def directory():
    assert output("pwd", cwd="/tmp") == b"/tmp\n"
    assert b"/home" in output("pwd")


@step
def three_megabytes():
    assert len(output("head", "-c", "3000000", "/dev/zero")) == 3_000_000


@step
def a_missing_program():
    assert sprite.run("no-such-program").returncode == 127


@step
def terminal_size():
    command = sprite.command("stty", "size", tty=True, tty_rows=30, tty_cols=100)
    assert b"30 100" in command.output()


@step
def a_terminal_that_ends_badly():
    command = sprite.command("sh", "-c", "exit 3", tty=True)
    error = fails(command.output)
    assert "3" in str(error), error


@step
def write():
    global files
    files = sprite.filesystem("/home/sprite")
    (files / "a.txt").write_text("one")


@step
def read():
    assert (files / "a.txt").read_text() == "one"


@step
def stat():
    assert (files / "a.txt").stat().size == 3


@step
def make_a_directory():
    (files / "deep" / "er").mkdir(parents=True)


@step
def list_an_empty_and_a_full_directory():
    assert (files / "deep" / "er").listdir() == []
    assert "a.txt" in files.path(".").listdir()


@step
def copy():
    (files / "a.txt").copy_to(files / "deep" / "b.txt")
    assert output("cat", "deep/b.txt") == b"one"


@step
def rename():
    (files / "deep" / "b.txt").rename(files / "deep" / "c.txt")
    assert sorted((files / "deep").listdir()) == ["c.txt", "er"]


@step
def change_the_mode():
    (files / "a.txt").chmod(0o750)
    assert output("stat", "-c", "%a", "a.txt") == b"750\n"


@step
def remove():
    (files / "deep").rmtree()
    assert "deep" not in files.path(".").listdir()


@step
def a_file_that_is_not_there():
    fails((files / "none.txt").read_text)
    assert not (files / "none.txt").exists()


@step
def set_and_read_a_policy():
    rules = [PolicyRule(domain="example.com", action="allow"), PolicyRule(domain="*", action="deny")]
    sprite.update_network_policy(NetworkPolicy(rules=rules))
    now = sprite.get_network_policy().rules
    assert [(rule.domain, rule.action) for rule in now] == [("example.com", "allow"), ("*", "deny")]


@step
def take_the_policy_back():
    sprite.update_network_policy(NetworkPolicy(rules=[]))
    assert sprite.get_network_policy().rules == []


@step
def make_a_checkpoint():
    events = [event.type for event in sprite.create_checkpoint("before")]
    assert events[-1] == "complete", events


@step
def list_and_get_it():
    global first
    first = sprite.list_checkpoints()[0]
    assert first.comment == "before"
    assert sprite.get_checkpoint(first.id).id == first.id


@step
def restore_it():
    (files / "a.txt").write_text("two")
    events = [event.type for event in sprite.restore_checkpoint(first.id)]
    assert events[-1] == "complete", events


@step
def the_content_is_back():
    assert (files / "a.txt").read_text() == "one"


@step
def sessions_are_listed():
    assert sprite.list_sessions() == []


@step
def destroy():
    sprite.destroy()
    fails(lambda: client.get_sprite(name))


for number, work in enumerate(steps, 1):
    what = work.__name__.replace("_", " ")
    try:
        work()
    except Exception:
        traceback.print_exc()
        sys.exit(f"not ok: {what}")
    print(f"ok {number} {what}", flush=True)
