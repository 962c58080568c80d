// What every Node.js client here shares: printing a transcript, and asking the test for something.
'use strict'

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')

const server = { host: process.env.CVP_HOST, port: Number(process.env.CVP_PORT) }
if (process.env.CVP_PASSWORD) server.password = process.env.CVP_PASSWORD
if (process.env.CVP_PROTOCOL) server.protocol = Number(process.env.CVP_PROTOCOL)

/// One line for any reply. Long strings are told by length and hash.
function show(value) {
  if (value === null || value === undefined) return 'nil'
  if (Buffer.isBuffer(value)) return show(value.toString('latin1'))
  if (typeof value === 'string') {
    if (value.length <= 120) return JSON.stringify(value)
    return `<${value.length} bytes ${crypto.createHash('md5').update(value).digest('hex').slice(0, 12)}>`
  }
  if (Array.isArray(value)) return '[' + value.map(show).join(', ') + ']'
  if (value instanceof Error) return `!${value.name} ${value.message}`
  if (typeof value === 'object') {
    return '{' + Object.entries(value).map(([k, v]) => `${show(k)}: ${show(v)}`).join(', ') + '}'
  }
  return String(value)
}

const section = (name) => console.log(`# ${name}`)

/// One operation and its result.
const say = (operation, result) => console.log(`${operation} -> ${show(result)}`)

/// The result, or the error as a value.
async function outcome(call) {
  try {
    return await call
  } catch (error) {
    return error
  }
}

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/// Has the test do something to the server, and waits until it is done.
async function askTest(request) {
  console.log(`@${request}`)
  const { value } = await answers.next()
  if (value !== 'done') throw new Error(`the test answered '${value}' to '${request}'`)
}

/// Waits until `condition` holds: for what a library shows without saying so.
async function until(condition, what, limit = 10000) {
  const deadline = Date.now() + limit
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const wordOf = (word) => (word === '""' ? '' : word.startsWith('@') ? 'x'.repeat(Number(word.slice(1))) : word)

/// [line, words] of each command of commands.txt.
function commands() {
  const text = fs.readFileSync(path.join(__dirname, '..', 'commands.txt'), 'utf8')
  return text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => [line, line.split(/\s+/).map(wordOf)])
}

/// Runs the scenario and ends the process, whatever the library keeps open.
function run(main) {
  main().then(
    () => process.stdout.write('# end\n', () => process.exit(0)),
    (error) => {
      console.log(error.stack)
      process.exit(1)
    }
  )
}

module.exports = { server, show, section, say, outcome, askTest, until, commands, run }
