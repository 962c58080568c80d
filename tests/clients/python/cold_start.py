"""Ten clients of redis-py that connect, and say their first command, while the server is away for a second."""

import threading

import redis
from transcript import HOST, PORT, ask_test, say, section

ask_test("down 1000")
clients = [redis.Redis(HOST, PORT) for _ in range(10)]
results = []


def first_command(client):
    try:
        results.append(client.incr("n"))
    except redis.RedisError as error:
        results.append(error)


threads = [threading.Thread(target=first_command, args=(client,)) for client in clients]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
say("errors", [result for result in results if isinstance(result, Exception)])
say("executed", sorted(result for result in results if isinstance(result, int)))
say("protocols", [client.client_info()["resp"] for client in clients])
section("end")
