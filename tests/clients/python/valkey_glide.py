"""The scenario by valkey-glide (asyncio): one multiplexed connection for each client, driven by its native core.

Prints a transcript; the same server must bring about the same one, whatever stands between.
"""

import asyncio
import time

import glide
from transcript import HOST, PASSWORD, PORT, PROTOCOL, ask_test, commands, say, section

RESP2 = PROTOCOL == 2
LOST = (glide.ConnectionError, glide.TimeoutError, glide.ClosingError)


def configuration(**more):
    given = {"addresses": [glide.NodeAddress(HOST, PORT)], "request_timeout": 5000, **more}
    if PASSWORD:
        given["credentials"] = glide.ServerCredentials(PASSWORD)
    if PROTOCOL:
        given["protocol"] = glide.ProtocolVersion.RESP2 if RESP2 else glide.ProtocolVersion.RESP3
    return glide.GlideClientConfiguration(**given)


async def connect(**more):
    return await glide.GlideClient.create(configuration(**more))


async def outcome(call):
    """The result, a server's error in its words, or that the connection was lost (whose words are the system's)."""
    try:
        return await call
    except LOST:
        return "lost"
    except glide.RequestError as error:
        return error


async def survives(call, limit=10):
    """As outcome(), asked again while the library reconnects in the background."""
    deadline = time.monotonic() + limit
    while True:
        result = await outcome(call())
        if result != "lost" or time.monotonic() > deadline:
            return result
        await asyncio.sleep(0.01)


async def ask(request):
    await asyncio.to_thread(ask_test, request)


async def plain_commands(client):
    section("commands")
    for line, words in commands():
        say(line, await outcome(client.custom_command(words)))


async def pipelines(client):
    section("pipelines")
    batch = glide.Batch(is_atomic=False)
    for i in range(60):
        batch.rpush("pipe:list", [str(i)])
    batch.incr("pipe:list")
    batch.llen("pipe:list")
    for i, result in enumerate(await client.exec(batch, raise_on_error=False)):
        say(f"pipelined {i}", result)
    wide = glide.Batch(is_atomic=False)
    for i in range(1000):
        wide.set(f"wide:{i % 10}", "y" * 500)
        wide.get(f"wide:{i % 10}")
    results = await client.exec(wide, raise_on_error=True)
    say("2000 pipelined", [len(results), results[0], results[-1]])
    results = await asyncio.gather(*(client.incr("pipe:n") for _ in range(200)))
    say("200 at once", sorted(results) == list(range(1, 201)))


async def transactions(client, other):
    section("transactions")

    def atomic():
        return glide.Batch(is_atomic=True)

    say("MULTI EXEC", await outcome(client.exec(atomic().set("tx:a", "1").incr("tx:a").get("tx:a"), True)))
    say("MULTI with an error inside", await outcome(client.exec(atomic().incr("tx:a").lpush("tx:a", ["1"]), False)))
    say("MULTI that is refused", await outcome(client.exec(atomic().custom_command(["GET"]).incr("tx:a"), False)))
    say("WATCH", await client.watch(["tx:w"]))
    say("SET by another", await other.set("tx:w", "another's"))
    say("EXEC after a conflict", await outcome(client.exec(atomic().set("tx:w", "mine"), True)))
    say("WATCH", await client.watch(["tx:w"]))
    say("EXEC without a conflict", await outcome(client.exec(atomic().set("tx:w", "mine"), True)))
    say("WATCH", await client.watch(["tx:w"]))
    say("SET by another", await other.set("tx:w", "changed"))
    say("UNWATCH", await client.unwatch())
    say("EXEC after UNWATCH", await outcome(client.exec(atomic().get("tx:w"), True)))


async def scripts(client):
    section("scripts")
    say("EVAL", await client.custom_command(["EVAL", "return {KEYS[1], ARGV[1], 42, false, {1, {2}}}", "1", "k", "a"]))
    say("EVAL that fails", await outcome(client.custom_command(["EVAL", "return redis.error_reply('MY own')", "0"])))
    script = glide.Script("return {KEYS[1], redis.call('INCRBY', KEYS[1], ARGV[1])}")
    for i in range(10):
        say("invoke_script", await client.invoke_script(script, keys=["sc:n"], args=[str(i)]))
    say("SCRIPT FLUSH", await client.script_flush())
    say("invoke_script after SCRIPT FLUSH", await client.invoke_script(script, keys=["sc:n"], args=["1"]))
    say("EVALSHA unknown", await outcome(client.custom_command(["EVALSHA", "0" * 40, "0"])))
    library = "#!lua name=mine\nserver.register_function('twice', function(keys, args) return args[1] * 2 end)"
    say("FUNCTION LOAD", await client.function_load(library, replace=True))
    say("FCALL", await client.fcall("twice", [], ["21"]))


async def subscriptions(client):
    """Messages are numbered; what the server says it delivered must arrive, in order, once."""
    section("pub/sub")
    modes = glide.GlideClientConfiguration.PubSubChannelModes
    wanted = glide.GlideClientConfiguration.PubSubSubscriptions(
        {modes.Exact: {"news", "other"}, modes.Pattern: {"n*"}}, None, None
    )
    try:
        subscriber = await connect(pubsub_subscriptions=wanted)
    except glide.ConfigurationError as error:
        say("subscribe", error)
        return
    for i in range(50):
        say(f"PUBLISH news {i}", await client.publish(str(i), "news"))
    got = []
    for _ in range(100):
        message = await asyncio.wait_for(subscriber.get_pubsub_message(), 10)
        got.append((message.channel, message.message, message.pattern))
    say("received", got)
    say("PING by the subscriber", await subscriber.ping())

    await ask("drop pubsub")
    delivered, received = [], []

    async def publish():
        number = 0
        while len(delivered) < 100:
            # Before the cut is healed nobody is subscribed, or only one of the two subscriptions is there.
            if await client.publish(str(number), "other"):
                delivered.append(str(number).encode())
            else:
                await asyncio.sleep(0.002)
            number += 1

    publisher = asyncio.ensure_future(publish())
    while len(received) < 100:
        received.append((await asyncio.wait_for(subscriber.get_pubsub_message(), 10)).message)
    await publisher
    say("delivered after the cut", len(delivered))
    say("received is what was delivered", received == delivered)
    say("nothing more is there", subscriber.try_get_pubsub_message())
    await subscriber.close()


async def streams(client, other):
    section("streams")
    for i in range(1, 21):
        options = glide.StreamAddOptions(id=f"{i}-1")
        say(f"XADD {i}", await client.xadd("st:s", [("n", str(i)), ("text", "x" * i)], options))
    say("XADD too old", await outcome(client.xadd("st:s", [("n", "0")], glide.StreamAddOptions(id="5-1"))))
    say("XLEN", await client.xlen("st:s"))
    say("XRANGE", await client.xrange("st:s", glide.IdBound("3-0"), glide.IdBound("6-0")))
    say("XREAD", await client.xread({"st:s": "17-1"}))
    say("XGROUP CREATE", await client.xgroup_create("st:s", "workers", "0"))
    say("XGROUP CREATE again", await outcome(client.xgroup_create("st:s", "workers", "0")))
    four = glide.StreamReadGroupOptions(count=4)
    for consumer in ("ann", "bob", "ann", "bob"):
        say(f"XREADGROUP {consumer}", await client.xreadgroup({"st:s": ">"}, "workers", consumer, four))
    say("XACK", await client.xack("st:s", "workers", ["1-1", "2-1", "5-1", "99-1"]))
    say("XPENDING", await client.xpending("st:s", "workers"))
    say("XCLAIM", await client.xclaim("st:s", "workers", "cleo", 0, ["3-1", "4-1"]))
    say("XAUTOCLAIM", await client.xautoclaim("st:s", "workers", "dan", 0, "0-0", 2))
    say("XREADGROUP history", await client.xreadgroup({"st:s": "0"}, "workers", "cleo"))
    say("XREADGROUP rest", await client.xreadgroup({"st:s": ">"}, "workers", "ann"))
    say("XDEL", await client.xdel("st:s", ["20-1"]))
    say("XTRIM", await client.xtrim("st:s", glide.TrimByMaxLen(True, 10)))
    waiting = asyncio.ensure_future(other.xread({"st:s": "$"}, glide.StreamReadOptions(block_ms=5000)))
    await ask("blocked 1")
    say("XADD while somebody waits", await client.xadd("st:s", [("n", "50")], glide.StreamAddOptions(id="50-1")))
    say("XREAD BLOCK", await waiting)


async def blocking(client, other):
    section("blocking")
    say("BLPOP times out", await other.blpop(["bl:none"], 0.05))
    say("BZPOPMIN times out", await other.bzpopmin(["bl:none"], 0.05))
    await client.rpush("bl:a", ["1", "2", "3"])
    say("BLPOP at once", await client.blpop(["bl:none", "bl:a"], 1))
    say("BRPOP at once", await client.brpop(["bl:a"], 1))
    for i in range(10):
        waiting = asyncio.ensure_future(other.blpop(["bl:job"], 10))
        await ask("blocked 1")
        say("RPUSH", await client.rpush("bl:job", [str(i)]))
        say("BLPOP", await waiting)
    say("LLEN bl:job", await client.llen("bl:job"))


async def pool(client):
    section("pool")
    small = await connect(inflight_requests_limit=2)
    waiting = [asyncio.ensure_future(small.blpop(["pl:a"], 10)) for _ in range(2)]
    await ask("blocked 1")  # the second stands behind the first, on the one connection
    say("third of two requests", type(await outcome(small.ping())).__name__)
    say("RPUSH", await client.rpush("pl:a", ["1", "1"]))
    say("BLPOP", [await w for w in waiting])
    say("PING", await small.ping())
    await small.close()
    many = [await connect() for _ in range(10)]
    say("10 clients", [await c.incr("pl:n") for c in many])
    for c in many:
        await c.close()


async def reconnects(client):
    section("reconnects")
    two = await connect(database_id=2, client_name="two")
    say("SET in db 2", await two.set("re:two", "db 2"))
    for i in range(5):
        say("INCR", await survives(lambda: client.incr("re:n")))
        await ask("drop normal")
        say("GET after an idle connection was cut", await survives(lambda: client.get("re:n")))
    await ask("restart")
    say("GET after kill -9", await survives(lambda: client.get("re:n")))
    say("GET in db 2 after kill -9", await survives(lambda: two.get("re:two")))
    say("CLIENT GETNAME after kill -9", await survives(lambda: two.client_getname()))
    for i in range(20):
        say("INCR", await survives(lambda: client.incr("re:n")))
    await two.close()


async def main():
    glide.Logger.init(glide.LogLevel.OFF)  # it would write into the transcript
    client = await connect()
    other = await connect()
    info = await client.custom_command(["CLIENT", "INFO"])
    say("RESP", info.decode().split("resp=")[1][0])
    await plain_commands(client)
    await pipelines(client)
    await transactions(client, other)
    await scripts(client)
    await subscriptions(client)
    await streams(client, other)
    await blocking(client, other)
    await pool(client)
    await reconnects(client)
    await client.close()
    await other.close()
    section("end")


asyncio.run(main())
