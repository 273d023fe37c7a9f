import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { run, updateOf } from '../fixtures/run'
import type { Report } from '../src/data/report'
import { Endpoint } from '../src/live/endpoint'
import { Feed, mergeRows } from '../src/live/feed'
import { events } from '../src/live/sse'

function streamOf(...parts: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part))
      controller.close()
    },
  })
}

async function dataOf(...parts: string[]): Promise<string[]> {
  const found: string[] = []
  for await (const data of events(streamOf(...parts))) found.push(data)
  return found
}

test('events come whole, however they are cut', async () => {
  assert.deepEqual(await dataOf('data: one\n\ndata: two\n\n'), ['one', 'two'])
  assert.deepEqual(await dataOf('da', 'ta: on', 'e\r', '\n\r\n', ':comment\n\nevent: x\ndata:two\ndata: lines\n\n'), ['one', 'two\nlines'])
  assert.deepEqual(await dataOf('data: cut off'), [])
})

const at = (seconds: number, state = 'running'): Report => run({ seconds, state, final: false })

interface Fake {
  feed: Feed
  asked: string[]
  links: string[]
}

/** An engine that gives the answers to each path one after the other, and the last one again. */
function fake(answers: Record<string, (() => Response)[]>): Fake {
  const asked: string[] = []
  const links: string[] = []
  const via = async (path: RequestInfo | URL, init?: RequestInit) => {
    asked.push(`${path}${(init?.headers as Record<string, string>).authorization === undefined ? '' : ' with token'}`)
    const left = answers[`${path}`] ?? []
    const answer = left.length > 1 ? left.shift() : left[0]
    if (answer === undefined) throw new TypeError('Failed to fetch')
    return answer()
  }
  const endpoint = new Endpoint(via as typeof fetch)
  const feed: Feed = new Feed(endpoint, () => {
    if (links[links.length - 1] !== feed.link.kind) links.push(feed.link.kind)
  })
  return { feed, asked, links }
}

const report = (of: Report) => () => Response.json(of)
const updates = (...all: Report[]) => () => new Response(streamOf(...all.map((one) => `data: ${JSON.stringify(updateOf(one))}\n\n`)))

test('updates are added to the report until the run is over', async () => {
  const { feed, links } = fake({
    updates: [updates(at(4), at(5), at(6, 'stopping'), at(7, 'stopped'))],
    report: [report(at(4)), report({ ...at(7, 'stopped'), tasks: 4242 })],
  })
  await feed.run()
  assert.deepEqual(links, ['open', 'over'])
  assert.equal(feed.report?.timeline.start_seconds.length, 7)
  // The last one is the whole report.
  assert.equal(feed.report?.tasks, 4242)
})

test('a run that ends with its process leaves what was known', async () => {
  const gone = () => {
    throw new TypeError('Failed to fetch')
  }
  const { feed } = fake({ updates: [updates(at(5), at(6, 'stopped'))], report: [report(at(5)), gone] })
  await feed.run()
  assert.equal(feed.link.kind, 'over')
  assert.equal(feed.report?.run.state, 'stopped')
  assert.deepEqual(feed.report?.timeline.start_seconds, [0, 1, 2, 3, 4, 5])
})

test('a broken connection is made again, later each time, and misses nothing', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  try {
    const gone = () => {
      throw new TypeError('Failed to fetch')
    }
    const { feed, links } = fake({
      updates: [updates(at(3)), gone, gone, updates(at(30, 'stopped'))],
      report: [report(at(3)), report(at(30, 'stopped'))],
    })
    const running = feed.run()
    const waits: number[] = []
    while (feed.link.kind !== 'over') {
      await new Promise((resolve) => setImmediate(resolve))
      if (feed.link.kind !== 'lost') continue
      const wait = feed.link.retryAt - Date.now()
      if (wait <= 0) continue
      waits.push(wait)
      mock.timers.tick(wait)
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    await running
    assert.deepEqual(waits, [1000, 2000, 4000])
    assert.ok(links.includes('lost'))
    assert.equal(feed.report?.timeline.start_seconds.length, 30)
  } finally {
    mock.timers.reset()
  }
})

test('a refusal waits for a token and says why it is needed', async () => {
  const { feed, asked } = fake({
    updates: [() => Response.json({ error: 'a token, please' }, { status: 401 }), updates(at(2, 'stopped'))],
    report: [report(at(2, 'stopped'))],
  })
  const running = feed.run()
  while (feed.link.kind !== 'denied') await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(feed.link, { kind: 'denied', reason: 'a token, please' })
  assert.deepEqual(asked, ['updates'])
  feed.retry()
  await running
  assert.equal(feed.link.kind, 'over')
})

test('another run at the same address takes the place of the first', async () => {
  const second = { ...at(3, 'stopped'), run: { ...at(3, 'stopped').run, started: '2026-03-02T10:00:00Z' } }
  const { feed } = fake({ updates: [updates(at(9), second)], report: [report(at(9)), report(second)] })
  await feed.run()
  assert.equal(feed.report?.run.started, second.run.started)
  assert.equal(feed.report?.timeline.start_seconds.length, 3)
})

test('rows that an update leaves out stay, without a rate', () => {
  const known = at(5).requests
  const many = Array.from({ length: 200 }, (_, index) => ({ ...known[0]!, name: `/busy/${index}` }))
  const merged = mergeRows(known, many)
  assert.equal(merged.length, 200 + known.length)
  assert.ok(merged.slice(200).every((row) => row.recent === undefined))
  // An update with fewer rows has them all.
  assert.deepEqual(mergeRows(many, known), known)
})

test('orders carry the token, and refusals their reason', async () => {
  const calls: [string, RequestInit | undefined][] = []
  const endpoint = new Endpoint((async (path: string, init?: RequestInit) => {
    calls.push([path, init])
    return path === 'stop' ? new Response('?', { status: 500, statusText: 'Oh no' }) : Response.json({ error: 'not now' }, { status: 409 })
  }) as unknown as typeof fetch)
  endpoint.token = 'correct horse'
  await assert.rejects(endpoint.load({ users: 5 }), { status: 409, message: 'not now', denied: false })
  await assert.rejects(endpoint.order('stop'), { message: 'the engine answered 500 Oh no' })
  const [path, init] = calls[0] as (typeof calls)[number]
  assert.equal(path, 'load')
  assert.equal(init?.method, 'PATCH')
  assert.equal(init?.body, '{"users":5}')
  assert.equal((init?.headers as Record<string, string>).authorization, 'Bearer correct horse')
})
