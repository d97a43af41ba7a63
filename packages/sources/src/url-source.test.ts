import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { urlSource } from './url-source.ts'

const data = Uint8Array.from({ length: 1000 }, (_, i) => i & 255)
let server: Server | undefined
afterEach(() => new Promise((resolve) => void (server === undefined ? resolve(undefined) : server.close(resolve), server?.closeAllConnections())))

const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`
}

const ranges = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array = data, etag = '"1"'): void => {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const [start, end] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || start >= bytes.length) response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
  else response.writeHead(206, { 'content-range': `bytes ${start}-${Math.min(end, bytes.length - 1)}/${bytes.length}`, etag }).end(bytes.subarray(start, end + 1))
}

test('reads ranges, with the headers that were given', async () => {
  const seen: (string | undefined)[] = []
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization)
    ranges(request, response)
  })
  const source = await urlSource(url, { headers: { authorization: 'Bearer x' } })
  expect([source.name, source.sizeBytes]).toEqual([url, 1000])
  expect(await source.read(10, 20)).toEqual(data.subarray(10, 30))
  expect(await source.read(1000, 0)).toEqual(new Uint8Array(0))
  const into = new Uint8Array(2000)
  expect((await source.read(0, 1000, into)).buffer).toBe(into.buffer)
  expect(into.subarray(0, 1000)).toEqual(data)
  await expect(source.read(999, 2)).rejects.toMatchObject({ kind: 'format' })
  expect(seen).toEqual(['Bearer x', 'Bearer x', 'Bearer x'])
})

test('an empty file has no first byte', async () => {
  const source = await urlSource(await serve((request, response) => ranges(request, response, new Uint8Array(0))))
  expect(source.sizeBytes).toBe(0)
})

test('a server that ignores ranges is named as such', async () => {
  const url = await serve((_, response) => response.end(data))
  await expect(urlSource(url)).rejects.toMatchObject({ kind: 'unsupported', message: expect.stringContaining('does not answer ranges') })
})

test('what the server refuses, and what breaks', async () => {
  const statuses = [404, 503]
  const url = await serve((_, response) => response.writeHead(statuses.shift() ?? 500).end())
  await expect(urlSource(url)).rejects.toMatchObject({ kind: 'config', message: `${url}: the server answered 404 Not Found` })
  await expect(urlSource(url)).rejects.toMatchObject({ kind: 'network' })
  await expect(urlSource('http://127.0.0.1:1/x')).rejects.toMatchObject({ kind: 'network', message: expect.stringContaining('cannot be reached') })
})

test('other bytes than asked for, fewer, or a changed file', async () => {
  let requests = 0
  const url = await serve((request, response) => {
    requests++
    if (requests === 2) ranges(request, response, data, '"2"')
    else if (requests === 3) response.writeHead(206, { 'content-range': 'bytes 0-1/1000' }).end(data.subarray(0, 2))
    else if (requests === 4) response.writeHead(206, {}).end(data.subarray(0, 5))
    else if (requests === 5) response.writeHead(206, {}).end(data)
    else if (requests === 6) response.writeHead(206, { 'content-length': '10' }).write(data.subarray(0, 5), () => response.destroy())
    else ranges(request, response)
  })
  const source = await urlSource(url)
  await expect(source.read(0, 10)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('another version') })
  await expect(source.read(0, 10)).rejects.toThrow(/expected bytes 0-9\/1000 .* got status 206, bytes 0-1\/1000/)
  await expect(source.read(0, 10)).rejects.toThrow(/expected 10 bytes from the server, got 5/)
  await expect(source.read(0, 10)).rejects.toThrow(/expected 10 bytes from the server, got more/)
  await expect(source.read(0, 10)).rejects.toMatchObject({ kind: 'network', message: expect.stringContaining('connection broke after 5 of 10') })
  expect(await source.read(0, 10)).toEqual(data.subarray(0, 10))
})

test('an abort rejects with its reason, also under way', async () => {
  await expect(urlSource('http://127.0.0.1:1/x', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  const controller = new AbortController()
  const url = await serve(() => controller.abort('now'))
  await expect(urlSource(url, { signal: controller.signal })).rejects.toBe('now')
})

test('another fetch can be given', async () => {
  const source = await urlSource('https://example.invalid/x', {
    fetch: async () => new Response(data.slice(0, 1), { status: 206, headers: { 'content-range': 'bytes 0-0/1' } }),
  })
  expect(await source.read(0, 1)).toEqual(data.subarray(0, 1))
})
