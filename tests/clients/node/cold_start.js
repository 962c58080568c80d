// Ten clients of ioredis that connect, and say their first command, while the server is away for a second.
'use strict'

const Redis = require('ioredis')
const { server, say, outcome, askTest, run } = require('./transcript')

run(async () => {
  await askTest('down 1000')
  const errors = []
  const clients = Array.from({ length: 10 }, () => {
    const client = new Redis(server)
    client.on('error', (error) => errors.push(error))
    return client
  })
  const results = await Promise.all(clients.map((client) => outcome(client.incr('n'))))
  say('errors', results.filter((result) => result instanceof Error))
  say('executed', results.filter(Number.isInteger).sort((a, b) => a - b))
  const infos = await Promise.all(clients.map((client) => client.client('INFO')))
  say('protocols', infos.map((info) => /resp=(\d)/.exec(info)[1]))
})
