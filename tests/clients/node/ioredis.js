// The scenario by ioredis. Prints a transcript; the same server must bring about the same one, whatever stands between.
'use strict'

const Redis = require('ioredis')
const { server, section, say, outcome, askTest, until, commands, run } = require('./transcript')

function connect(more = {}) {
  const client = new Redis({ ...server, ...more })
  client.on('error', () => {}) // its reconnecting is what is tested; unheard, each error goes to stderr
  return client
}

async function plainCommands(client) {
  section('commands')
  for (const [line, [name, ...words]] of commands()) say(line, await outcome(client.call(name, ...words)))
}

async function pipelines(client) {
  section('pipelines')
  const pipe = client.pipeline()
  for (let i = 0; i < 60; ++i) pipe.rpush('pipe:list', i)
  pipe.incr('pipe:list').llen('pipe:list')
  for (const [i, result] of (await pipe.exec()).entries()) say(`pipelined ${i}`, result)
  say('LRANGE pipe:list', await client.lrange('pipe:list', 0, -1))
  const wide = client.pipeline()
  for (let i = 0; i < 2000; ++i) wide.set(`wide:${i % 10}`, 'y'.repeat(500)).get(`wide:${i % 10}`)
  const results = await wide.exec()
  say('4000 pipelined', [results.length, results[0], results[results.length - 1]])
  const automatic = connect({ enableAutoPipelining: true })
  const numbers = await Promise.all(Array.from({ length: 200 }, () => automatic.incr('pipe:n')))
  say('200 pipelined automatically', numbers.every((n, i) => n === i + 1))
  automatic.disconnect()
}

async function transactions(client) {
  section('transactions')
  say('MULTI EXEC', await outcome(client.multi().set('tx:a', 1).incr('tx:a').lrange('tx:none', 0, -1).get('tx:a').exec()))
  say('MULTI with an error inside', await outcome(client.multi().incr('tx:a').lpush('tx:a', 1).exec()))
  say('MULTI that is refused', await outcome(client.multi().call('GET').incr('tx:a').exec()))
  await client.multi({ pipeline: false })
  say('queued', await client.set('tx:b', 1))
  say('queued', await client.get('tx:b'))
  say('EXEC', await client.exec())
  const other = connect()
  say('WATCH', await client.watch('tx:w'))
  say('SET by another', await other.set('tx:w', "another's"))
  say('EXEC after a conflict', await client.multi().set('tx:w', 'mine').exec())
  say('WATCH', await client.watch('tx:w'))
  say('EXEC without a conflict', await client.multi().set('tx:w', 'mine').exec())
  say('WATCH', await client.watch('tx:w'))
  say('SET by another', await other.set('tx:w', 'changed'))
  say('UNWATCH', await client.unwatch())
  say('EXEC after UNWATCH', await client.multi().get('tx:w').exec())
  other.disconnect()
}

async function scripts(client) {
  section('scripts')
  say('EVAL', await client.eval('return {KEYS[1], ARGV[1], 42, false, {1, {2}}}', 1, 'sc:k', 'arg'))
  say('EVAL that fails', await outcome(client.eval("return redis.error_reply('MY own error')", 0)))
  say('EVAL that calls wrongly', await outcome(client.eval("return redis.call('INCR', KEYS[1], 1)", 1, 'sc:k')))
  const digest = await client.script('LOAD', "return redis.call('INCRBY', KEYS[1], ARGV[1])")
  say('SCRIPT LOAD', digest)
  say('SCRIPT EXISTS', await client.script('EXISTS', digest, '0'.repeat(40)))
  for (let i = 0; i < 10; ++i) say('EVALSHA', await client.evalsha(digest, 1, 'sc:n', i))
  say('EVALSHA unknown', await outcome(client.evalsha('0'.repeat(40), 0)))
  client.defineCommand('mine', { numberOfKeys: 1, lua: "return {KEYS[1], redis.call('GET', KEYS[1]), ARGV[1]}" })
  say('defined command', await client.mine('sc:n', 'a'))
  say('SCRIPT FLUSH', await client.script('FLUSH'))
  say('defined command after SCRIPT FLUSH', await client.mine('sc:n', 'b'))
  say('defined command, pipelined', await client.pipeline().mine('sc:n', 'c').get('sc:n').exec())
  const library = '#!lua name=mine\nserver.register_function("twice", function(keys, args) return args[1] * 2 end)'
  say('FUNCTION LOAD', await client.call('FUNCTION', 'LOAD', 'REPLACE', library))
  say('FCALL', await client.fcall('twice', 0, 21))
}

// Messages are numbered; what the server says it delivered must arrive, in order, once.
async function subscriptions(client) {
  section('pub/sub')
  const subscriber = connect()
  const got = []
  subscriber.on('message', (channel, message) => got.push(['message', channel, message]))
  subscriber.on('pmessage', (pattern, channel, message) => got.push(['pmessage', channel, message]))
  subscriber.on('smessage', (channel, message) => got.push(['smessage', channel, message]))
  say('SUBSCRIBE', await subscriber.subscribe('news', 'other'))
  say('PSUBSCRIBE', await subscriber.psubscribe('n*'))
  say('GET while subscribed', await outcome(subscriber.get('pipe:n')))
  for (let i = 0; i < 50; ++i) say(`PUBLISH news ${i}`, await client.publish('news', i))
  await until(() => got.length === 100, '100 messages')
  say('received', got)
  say('PING by the subscriber', await outcome(subscriber.ping()))
  say('UNSUBSCRIBE', await subscriber.unsubscribe('other'))
  say('PUNSUBSCRIBE', await subscriber.punsubscribe('n*'))
  got.length = 0
  let closed = 0
  subscriber.on('close', () => ++closed)
  await askTest('drop pubsub')
  const delivered = []
  for (let number = 0; delivered.length < 100; ++number) {
    // Nobody is subscribed before the cut is healed: a gap that its subscriber hears of.
    if (await client.publish('news', number)) delivered.push(String(number))
    else await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await until(() => got.length >= 100, '100 messages after the cut')
  say('delivered after the cut', delivered.length)
  say('received is what was delivered', got.map((m) => m[2]).join() === delivered.join())
  say('the subscriber heard of the cut', closed)
  subscriber.disconnect()
  const shards = connect()
  shards.on('smessage', (channel, message) => got.push(['smessage', channel, message]))
  got.length = 0
  say('SSUBSCRIBE', await shards.ssubscribe('shard'))
  say('SPUBLISH', await client.spublish('shard', 'sharded'))
  await until(() => got.length === 1, 'a sharded message')
  say('sharded', got)
  shards.disconnect()
}

async function streams(client) {
  section('streams')
  for (let i = 1; i <= 20; ++i) {
    say(`XADD ${i}`, await client.xadd('st:s', `${i}-1`, 'n', i, 'text', 'x'.repeat(i)))
  }
  say('XADD too old', await outcome(client.xadd('st:s', '5-1', 'n', 0)))
  say('XLEN', await client.xlen('st:s'))
  say('XRANGE', await client.xrange('st:s', '3-0', '6-0'))
  say('XREVRANGE', await client.xrevrange('st:s', '+', '-', 'COUNT', 2))
  say('XREAD', await client.xread('COUNT', 10, 'STREAMS', 'st:s', '17-1'))
  say('XGROUP CREATE', await client.xgroup('CREATE', 'st:s', 'workers', '0'))
  say('XGROUP CREATE again', await outcome(client.xgroup('CREATE', 'st:s', 'workers', '0')))
  for (const consumer of ['ann', 'bob', 'ann', 'bob']) {
    say(`XREADGROUP ${consumer}`, await client.xreadgroup('GROUP', 'workers', consumer, 'COUNT', 4, 'STREAMS', 'st:s', '>'))
  }
  say('XACK', await client.xack('st:s', 'workers', '1-1', '2-1', '5-1', '99-1'))
  say('XPENDING', await client.xpending('st:s', 'workers'))
  say('XCLAIM', await client.xclaim('st:s', 'workers', 'cleo', 0, '3-1', '4-1'))
  say('XAUTOCLAIM', await client.xautoclaim('st:s', 'workers', 'dan', 0, '0-0', 'COUNT', 2))
  say('XREADGROUP history', await client.xreadgroup('GROUP', 'workers', 'cleo', 'STREAMS', 'st:s', '0'))
  say('XREADGROUP rest', await client.xreadgroup('GROUP', 'workers', 'ann', 'STREAMS', 'st:s', '>'))
  say('XREADGROUP empty', await client.xreadgroup('GROUP', 'workers', 'ann', 'BLOCK', 20, 'STREAMS', 'st:s', '>'))
  say('XDEL', await client.xdel('st:s', '20-1'))
  say('XTRIM', await client.xtrim('st:s', 'MAXLEN', 10))
  const other = connect()
  const waiting = other.xread('BLOCK', 5000, 'STREAMS', 'st:s', '$')
  await askTest('blocked 1')
  say('XADD while somebody waits', await client.xadd('st:s', '50-1', 'n', 50))
  say('XREAD BLOCK', await waiting)
  other.disconnect()
}

async function blocking(client) {
  section('blocking')
  const worker = connect()
  say('BLPOP times out', await worker.blpop('bl:none', 0.05))
  say('BZPOPMIN times out', await worker.bzpopmin('bl:none', 0.05))
  await client.rpush('bl:a', 1, 2, 3)
  say('BLPOP at once', await worker.blpop('bl:none', 'bl:a', 1))
  say('BRPOP at once', await worker.brpop('bl:a', 1))
  say('BLMOVE at once', await worker.blmove('bl:a', 'bl:b', 'LEFT', 'RIGHT', 1))
  for (let i = 0; i < 10; ++i) {
    const waiting = worker.blpop('bl:job', 10)
    await askTest('blocked 1')
    say('RPUSH', await client.rpush('bl:job', i))
    say('BLPOP', await waiting)
  }
  say('LLEN bl:job', await client.llen('bl:job'))
  worker.disconnect()
}

// ioredis has no pool: as many clients as a pool would have, all waiting, and one that gives up.
async function pool(client) {
  section('pool')
  const workers = Array.from({ length: 20 }, () => connect())
  const waiting = workers.map((worker) => worker.blpop('pl:a', 10))
  await askTest('blocked 20')
  const impatient = connect({ commandTimeout: 50 })
  say('command that waits too long', await outcome(impatient.blpop('pl:none', 10)))
  impatient.disconnect()
  say('RPUSH', await client.rpush('pl:a', ...Array(20).fill('1')))
  say('BLPOP', await Promise.all(waiting))
  for (const worker of workers) worker.disconnect()
}

async function reconnects(client) {
  section('reconnects')
  const two = connect({ db: 2, connectionName: 'two' })
  say('SET in db 2', await two.set('re:two', 'db 2'))
  for (let i = 0; i < 5; ++i) {
    say('INCR', await outcome(client.incr('re:n')))
    await askTest('drop normal')
    say('GET after an idle connection was cut', await outcome(client.get('re:n')))
  }
  const worker = connect()
  const waiting = worker.blpop('re:job', 10)
  await askTest('blocked 1')
  await askTest('drop normal')
  await askTest('blocked 1') // it asks again by itself
  say('RPUSH', await outcome(client.rpush('re:job', 'job')))
  say('BLPOP that was cut', await outcome(waiting))
  say('LLEN re:job', await client.llen('re:job'))
  worker.disconnect()
  await askTest('restart')
  say('GET after kill -9', await outcome(client.get('re:n')))
  say('INCR after kill -9', await outcome(client.incr('re:n')))
  say('GET in db 2 after kill -9', await outcome(two.get('re:two')))
  say('CLIENT GETNAME after kill -9', await outcome(two.client('GETNAME')))
  for (let i = 0; i < 20; ++i) say('INCR', await outcome(client.incr('re:n')))
  two.disconnect()
}

run(async () => {
  const client = connect()
  say('RESP', /resp=(\d)/.exec(await client.client('INFO'))[1])
  for (const part of [plainCommands, pipelines, transactions, scripts, subscriptions, streams, blocking, pool, reconnects]) {
    await part(client)
  }
  say('QUIT', await client.quit())
})
