"""The scenario by redis-py or by its fork valkey-py, whose faces are one: redis_like.py redis|valkey.

Prints a transcript; the same server must bring about the same one, whatever stands between.
"""

import importlib
import sys
import threading
import time

from transcript import HOST, PASSWORD, PORT, PROTOCOL, ask_test, commands, say, section

lib = importlib.import_module(sys.argv[1])
Client = lib.Redis if sys.argv[1] == "redis" else lib.Valkey
ServerError = (lib.ResponseError, lib.WatchError, lib.AuthenticationError)
LostError = (lib.ConnectionError, lib.TimeoutError)


def options(**more):
    given = {"host": HOST, "port": PORT, **more}
    if PASSWORD:
        given["password"] = PASSWORD
    if PROTOCOL:
        given["protocol"] = PROTOCOL
    return given


def outcome(call, *arguments, **named):
    """The result, a server's error in its words, or that the connection was lost (whose words are the system's)."""
    try:
        return call(*arguments, **named)
    except ServerError as error:
        return error
    except LostError as error:
        return f"lost: {type(error).__name__}"


def plain_commands(client):
    section("commands")
    for line, words in commands():
        say(line, outcome(client.execute_command, *words))


def pipelines(client):
    section("pipelines")
    pipe = client.pipeline(transaction=False)
    for i in range(60):
        pipe.rpush("pipe:list", i)
    pipe.incr("pipe:list")
    pipe.llen("pipe:list")
    for i, result in enumerate(pipe.execute(raise_on_error=False)):
        say(f"pipelined {i}", result)
    say("LRANGE pipe:list", client.lrange("pipe:list", 0, -1))
    wide = client.pipeline(transaction=False)
    for i in range(2000):
        wide.set(f"wide:{i % 10}", "y" * 500).get(f"wide:{i % 10}")
    results = wide.execute()
    say("4000 pipelined", [len(results), results[0], results[-1]])


def transactions(client):
    section("transactions")
    with client.pipeline() as pipe:
        say("MULTI EXEC", outcome(pipe.set("tx:a", 1).incr("tx:a").lrange("tx:none", 0, -1).get("tx:a").execute))
        say("MULTI with an error inside", outcome(pipe.incr("tx:a").lpush("tx:a", 1).execute, raise_on_error=False))
        say("MULTI that is refused", outcome(pipe.execute_command("GET").incr("tx:a").execute))
    with client.pipeline() as pipe:
        pipe.watch("tx:w")
        say("GET under WATCH", pipe.get("tx:w"))
        pipe.multi()
        pipe.set("tx:w", "mine")
        say("SET by another", client.set("tx:w", "another's"))
        say("EXEC after a conflict", outcome(pipe.execute))
        pipe.watch("tx:w")
        seen = pipe.get("tx:w")
        pipe.multi()
        pipe.set("tx:w", seen + b", then mine")
        say("EXEC without a conflict", outcome(pipe.execute))
        pipe.watch("tx:w")
        client.set("tx:w", "changed")
        pipe.unwatch()
        pipe.multi()
        pipe.get("tx:w")
        say("EXEC after UNWATCH", outcome(pipe.execute))
    tries = []

    def add_one(pipe):
        current = int(pipe.get("tx:n") or 0)
        if not tries:
            client.incr("tx:n")
        tries.append(current)
        pipe.multi()
        pipe.set("tx:n", current + 1)

    say("optimistic loop", client.transaction(add_one, "tx:n"))
    say("values that it saw", tries)
    say("GET tx:n", client.get("tx:n"))


def scripts(client):
    section("scripts")
    say("EVAL", client.eval("return {KEYS[1], ARGV[1], 42, false, {1, {2}}}", 1, "sc:k", "arg"))
    say("EVAL that fails", outcome(client.eval, "return redis.error_reply('MY own error')", 0))
    say("EVAL that calls wrongly", outcome(client.eval, "return redis.call('INCR', KEYS[1], 1)", 1, "sc:k"))
    digest = client.script_load("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    say("SCRIPT LOAD", digest)
    say("SCRIPT EXISTS", client.script_exists(digest, "0" * 40))
    for i in range(10):
        say("EVALSHA", client.evalsha(digest, 1, "sc:n", i))
    say("EVALSHA unknown", outcome(client.evalsha, "0" * 40, 0))
    script = client.register_script("return {KEYS[1], redis.call('GET', KEYS[1])}")
    say("SCRIPT FLUSH", client.script_flush())
    say("registered script", script(keys=["sc:n"]))
    library = "#!lua name=mine\nserver.register_function('twice', function(keys, args) return args[1] * 2 end)"
    say("FUNCTION LOAD", client.function_load(library, replace=True))
    say("FCALL", client.fcall("twice", 0, 21))


def receive(pubsub, got, wanted, lost, limit=10):
    """Messages into `got` until `wanted` holds; a lost connection is counted, the library subscribes anew."""
    deadline = time.monotonic() + limit
    while not wanted(got) and time.monotonic() < deadline:
        try:
            message = pubsub.get_message(timeout=0.05)
        except LostError:
            lost.append(1)
            continue
        if message:
            got.append((message["type"], message["channel"], message["data"]))


def subscriptions(client):
    """Messages are numbered; what the server says it delivered must arrive, in order, once."""
    section("pub/sub")
    pubsub = client.pubsub()
    got, lost = [], []
    pubsub.subscribe("news", "other")
    pubsub.psubscribe("n*")
    receive(pubsub, got, lambda g: len(g) == 3, lost)
    say("SUBSCRIBE and PSUBSCRIBE", got)
    got.clear()
    for i in range(50):
        say(f"PUBLISH news {i}", client.publish("news", i))
    receive(pubsub, got, lambda g: len(g) == 100, lost)
    say("received", got)
    got.clear()
    pubsub.ping("still there")
    receive(pubsub, got, lambda g: len(g) == 1, lost)
    say("PING", got)
    pubsub.unsubscribe("other")
    pubsub.punsubscribe()
    got.clear()
    receive(pubsub, got, lambda g: len(g) == 2, lost)
    say("UNSUBSCRIBE", got)

    got.clear()
    ask_test("drop pubsub")
    delivered = []
    stop = threading.Event()

    def publish():
        number = 0
        while len(delivered) < 100 and not stop.is_set():
            if client.publish("news", number):
                delivered.append(str(number).encode())
            else:
                time.sleep(0.002)  # nobody is subscribed: a gap that its subscriber hears of
            number += 1

    publisher = threading.Thread(target=publish)
    publisher.start()
    receive(pubsub, got, lambda g: len([m for m in g if m[0] == "message"]) == 100, lost)
    stop.set()
    publisher.join()
    received = [data for kind, _, data in got if kind == "message"]
    say("delivered after the cut", len(delivered))
    say("received is what was delivered", received == delivered)
    say("the subscriber heard of the cut", bool(lost) or any(kind == "subscribe" for kind, _, _ in got))
    pubsub.close()

    shards = client.pubsub()
    got.clear()
    shards.ssubscribe("shard")
    receive(shards, got, lambda g: len(g) == 1, lost)
    say("SPUBLISH", client.execute_command("SPUBLISH", "shard", "sharded"))
    deadline = time.monotonic() + 5
    while len(got) < 2 and time.monotonic() < deadline:
        message = shards.get_sharded_message(timeout=0.05) if hasattr(shards, "get_sharded_message") else None
        message = message or shards.get_message(timeout=0.05)
        if message:
            got.append((message["type"], message["channel"], message["data"]))
    say("sharded", got)
    shards.close()


def streams(client):
    section("streams")
    for i in range(1, 21):
        say(f"XADD {i}", client.xadd("st:s", {"n": i, "text": "x" * i}, id=f"{i}-1"))
    say("XADD too old", outcome(client.xadd, "st:s", {"n": 0}, id="5-1"))
    say("XLEN", client.xlen("st:s"))
    say("XRANGE", client.xrange("st:s", "3-0", "6-0"))
    say("XREVRANGE", client.xrevrange("st:s", count=2))
    say("XREAD", client.xread({"st:s": "17-1"}, count=10))
    say("XGROUP CREATE", client.xgroup_create("st:s", "workers", id="0"))
    say("XGROUP CREATE again", outcome(client.xgroup_create, "st:s", "workers", id="0"))
    for consumer in ("ann", "bob", "ann", "bob"):
        say(f"XREADGROUP {consumer}", client.xreadgroup("workers", consumer, {"st:s": ">"}, count=4))
    say("XACK", client.xack("st:s", "workers", "1-1", "2-1", "5-1", "99-1"))
    say("XPENDING", client.xpending("st:s", "workers"))
    say("XCLAIM", client.xclaim("st:s", "workers", "cleo", 0, ["3-1", "4-1"]))
    say("XAUTOCLAIM", client.xautoclaim("st:s", "workers", "dan", 0, "0-0", count=2))
    say("XREADGROUP history", client.xreadgroup("workers", "cleo", {"st:s": "0"}))
    say("XREADGROUP rest", client.xreadgroup("workers", "ann", {"st:s": ">"}, count=100))
    say("XREADGROUP empty", client.xreadgroup("workers", "ann", {"st:s": ">"}, block=20))
    say("XINFO GROUPS", [(g["name"], g["consumers"], g["pending"]) for g in client.xinfo_groups("st:s")])
    say("XDEL", client.xdel("st:s", "20-1"))
    say("XTRIM", client.xtrim("st:s", maxlen=10, approximate=False))
    say("XSETID", client.execute_command("XSETID", "st:s", "40-1"))
    waiting = Background(lambda: client.xread({"st:s": "$"}, block=5000))
    ask_test("blocked 1")
    say("XADD while somebody waits", client.xadd("st:s", {"n": 50}, id="50-1"))
    say("XREAD BLOCK", waiting.result())


class Background:
    """A call on a thread of its own."""

    def __init__(self, call):
        self.outcome = None
        self.thread = threading.Thread(target=self.run, args=(call,))
        self.thread.start()

    def run(self, call):
        self.outcome = outcome(call)

    def result(self):
        self.thread.join(15)
        return self.outcome if not self.thread.is_alive() else "never came"


def blocking(client):
    section("blocking")
    say("BLPOP times out", client.blpop("bl:none", timeout=0.05))
    say("BZPOPMIN times out", client.bzpopmin("bl:none", timeout=0.05))
    client.rpush("bl:a", 1, 2, 3)
    say("BLPOP at once", client.blpop(["bl:none", "bl:a"], timeout=1))
    say("BRPOP at once", client.brpop("bl:a", timeout=1))
    say("BLMOVE at once", client.blmove("bl:a", "bl:b", 1, "LEFT", "RIGHT"))
    say("BLMPOP", client.blmpop(1, 1, "bl:b", direction="LEFT"))
    for i in range(10):
        waiting = Background(lambda: client.blpop("bl:job", timeout=10))
        ask_test("blocked 1")
        say("RPUSH", client.rpush("bl:job", i))
        say("BLPOP", waiting.result())
    waiting = Background(lambda: client.bzpopmax("bl:z", timeout=10))
    ask_test("blocked 1")
    say("ZADD", client.zadd("bl:z", {"m": 1.5}))
    say("BZPOPMAX", waiting.result())
    say("WAIT", client.wait(0, 10))
    say("LLEN bl:job", client.llen("bl:job"))


def pool(_):
    section("pool")
    small = lib.ConnectionPool(**options(max_connections=2))
    # The fork still asks for a command's name.
    take = small.get_connection if lib.__name__ == "redis" else lambda: small.get_connection("_")
    held = [take(), take()]
    say("third of two connections", outcome(take))
    for connection in held:
        small.release(connection)
    say("PING by the small pool", Client(connection_pool=small).ping())
    small.disconnect()
    patient = lib.BlockingConnectionPool(**options(max_connections=2, timeout=0.05))
    client = Client(connection_pool=patient)
    waiting = [Background(lambda: client.blpop("pl:a", timeout=10)) for _ in range(2)]
    ask_test("blocked 2")
    say("command with all connections in use", outcome(client.ping))
    other = Client(**options())
    say("RPUSH", other.rpush("pl:a", 1, 1))
    say("BLPOP", [w.result() for w in waiting])
    say("PING by the patient pool", client.ping())
    patient.disconnect()
    many = [Client(**options(single_connection_client=True)) for _ in range(20)]
    say("20 clients", [c.incr("pl:n") for c in many])
    for c in many:
        c.close()


def reconnects(client):
    section("reconnects")
    for i in range(5):
        say("INCR", outcome(client.incr, "re:n"))
        ask_test("drop normal")
        say("GET after an idle connection was cut", outcome(client.get, "re:n"))
    waiting = Background(lambda: client.blpop("re:job", timeout=10))
    ask_test("blocked 1")
    ask_test("drop normal")
    if lib.__name__ == "redis":
        ask_test("blocked 1")  # it asks again by itself
    say("RPUSH", outcome(client.rpush, "re:job", "job"))
    say("BLPOP that was cut", waiting.result())
    say("LLEN re:job", client.llen("re:job"))
    with client.pipeline() as pipe:
        pipe.watch("re:w")
        pipe.multi()
        pipe.set("re:w", "must not be there")
        ask_test("drop normal")
        say("EXEC after the watching connection was cut", outcome(pipe.execute))
    say("GET re:w", client.get("re:w"))
    two = Client(**options(db=2, client_name="two"))
    say("SET in db 2", two.set("re:two", "db 2"))
    say("CLIENT GETNAME", two.client_getname())
    ask_test("restart")
    say("GET after kill -9", outcome(client.get, "re:n"))
    say("INCR after kill -9", outcome(client.incr, "re:n"))
    say("GET in db 2 after kill -9", outcome(two.get, "re:two"))
    say("CLIENT GETNAME after kill -9", outcome(two.client_getname))
    for i in range(20):
        say("INCR", outcome(client.incr, "re:n"))


def main():
    client = Client(**options())
    info = client.client_info()
    say("RESP", info["resp"])
    for part in (plain_commands, pipelines, transactions, scripts, subscriptions, streams, blocking, pool, reconnects):
        part(client)
    client.close()
    section("end")


main()
