// Queues by BullMQ: adding, working, retrying, waiting, priorities, flows and events, and what is left of them when
// connections are cut. Prints a transcript; the same server must bring about the same one, whatever stands between.
'use strict'

const { Queue, QueueEvents, Worker, FlowProducer } = require('bullmq')
const { server, section, say, outcome, askTest, until, run } = require('./transcript')

function make(Kind, name, ...more) {
  const options = { connection: { ...server }, ...more.pop() }
  const made = new Kind(...(name ? [name] : []), ...more, options)
  made.on('error', () => {}) // its reconnecting is what is tested; unheard, each error goes to stderr
  return made
}

const counts = async (queue) => {
  const all = await queue.getJobCounts()
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0).sort())
}

async function simpleJobs() {
  section('jobs')
  const queue = make(Queue, 'plain', {})
  for (let i = 0; i < 40; ++i) say('add', (await queue.add('double', { n: i }, { jobId: `job-${i}` })).id)
  const bulk = Array.from({ length: 40 }, (_, i) => ({ name: 'double', data: { n: 100 + i }, opts: { jobId: `bulk-${i}` } }))
  say('addBulk', (await queue.addBulk(bulk)).map((job) => job.id))
  say('add with an id that is taken', (await queue.add('double', { n: 999 }, { jobId: 'job-0' })).id)
  say('counts', await counts(queue))
  const done = []
  const worker = make(Worker, 'plain', async (job) => job.data.n * 2, {})
  worker.on('completed', (job, result) => done.push([job.id, job.data.n, result]))
  await until(() => done.length === 80, '80 jobs')
  for (const job of done) say('completed', job)
  say('counts', await counts(queue))
  say('state', await queue.getJobState('job-3'))
  say('return value', (await queue.getJob('bulk-7')).returnvalue)
  say('removed', await (await queue.getJob('job-3')).remove())
  say('state of the removed', await queue.getJobState('job-3'))
  await worker.close()
  say('pause', await queue.pause())
  say('isPaused', await queue.isPaused())
  say('resume', await queue.resume())
}

async function hardJobs() {
  section('retries, delays, priorities')
  const queue = make(Queue, 'hard', {})
  const seen = []
  const work = async (job) => {
    seen.push([job.id, job.attemptsMade])
    if (job.name === 'flaky' && job.attemptsMade < 2) throw new Error(`not yet ${job.attemptsMade}`)
    if (job.name === 'broken') throw new Error('never')
    await job.updateProgress(50)
    await job.log('half way')
    return job.id
  }
  const events = make(QueueEvents, 'hard', {})
  await events.waitUntilReady()
  for (let i = 0; i < 10; ++i) await queue.add('later', {}, { jobId: `prio-${i}`, priority: 10 - i })
  say('flaky', (await queue.add('flaky', {}, { jobId: 'flaky', attempts: 5, priority: 20 })).id)
  const broken = await queue.add('broken', {}, { jobId: 'broken', attempts: 2, priority: 30 })
  const delayed = await queue.add('later', {}, { jobId: 'slow', delay: 300 })
  say('state of the delayed', await delayed.getState())
  make(Worker, 'hard', work, {})
  say('broken', await outcome(broken.waitUntilFinished(events, 10000)))
  say('delayed', await outcome(delayed.waitUntilFinished(events, 10000)))
  say('order', seen.filter(([id]) => id !== 'slow'))  // whose delay may end before the rest is done
  say('failed reason', (await queue.getJob('broken')).failedReason)
  say('progress', (await queue.getJob('prio-1')).progress)
  say('logs', await queue.getJobLogs('prio-1'))
  say('counts', await counts(queue))
  say('retry', await outcome((await queue.getJob('broken')).retry()))
  await until(async () => (await queue.getJobState('broken')) === 'failed', 'broken fails again')
  say('counts', await counts(queue))
}

async function flows() {
  section('flows')
  const flow = make(FlowProducer, null, {})
  const queue = make(Queue, 'flow', {})
  const children = Array.from({ length: 10 }, (_, i) => ({ name: 'part', queueName: 'flow', data: { i }, opts: { jobId: `part-${i}` } }))
  const tree = await flow.add({ name: 'whole', queueName: 'flow', opts: { jobId: 'whole' }, children })
  say('flow', tree.children.map((child) => child.job.id))
  say('state of the parent', await tree.job.getState())
  const work = async (job) =>
    job.name === 'part' ? job.data.i : Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0)
  make(Worker, 'flow', work, { concurrency: 4 })
  await until(async () => (await queue.getJobState('whole')) === 'completed', 'the whole')
  say('sum of the parts', (await queue.getJob('whole')).returnvalue)
  say('counts', await counts(queue))
}

async function reconnects() {
  section('reconnects')
  const queue = make(Queue, 'cut', {})
  const done = []
  const worker = make(Worker, 'cut', async (job) => job.data.n + 1, {})
  worker.on('completed', (job, result) => done.push([job.id, result]))
  await worker.waitUntilReady()
  let number = 0
  const round = async (title) => {
    for (let i = 0; i < 15; ++i, ++number) say(`add ${title}`, (await queue.add('n', { n: number }, { jobId: `cut-${number}` })).id)
    await until(() => done.length === number, `jobs ${title}`, 20000)
    for (const job of done.slice(-15)) say(`completed ${title}`, job)
  }
  await round('before')
  await askTest('blocked 1+')
  await askTest('drop normal')
  await round('after all connections were cut')
  await askTest('restart')
  await round('after kill -9')
  say('counts', await counts(queue))
}

// As many workers as a pool would have connections, each waiting on a blocked one of its own.
async function pool() {
  section('pool')
  const queue = make(Queue, 'pool', {})
  const done = []
  const workers = Array.from({ length: 8 }, () => make(Worker, 'pool', async (job) => job.id, { concurrency: 2 }))
  for (const worker of workers) worker.on('completed', (job) => done.push(job.id))
  await Promise.all(workers.map((worker) => worker.waitUntilReady()))
  await queue.addBulk(Array.from({ length: 60 }, (_, i) => ({ name: 'n', data: {}, opts: { jobId: `pool-${i}` } })))
  await until(() => done.length === 60, '60 jobs by 8 workers')
  say('each job once', new Set(done).size)
  say('counts', await counts(queue))
  say('obliterate', await queue.obliterate({ force: true }))
}

run(async () => {
  await simpleJobs()
  await hardJobs()
  await flows()
  await pool()
  await reconnects()
  // Nothing is closed: after a kill -9 ioredis may be between two attempts to connect, and then its disconnect() never ends.
})
