// Processes and worker threads that end while their backends work, or that have too little memory: no crash, no hang, no leak.
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { runChild } from './children/run-child.ts'

const timeout = 60_000
const isLinux = process.platform === 'linux'

// Sanitizers need terabytes of address space for themselves.
const canLimitMemory = isLinux && process.env['LD_PRELOAD'] === undefined

describe.runIf(canLimitMemory)('little memory', () => {
  it('running out of it inside native code reaches the read and the upload as errors', async () => {
    const { output, code } = await runChild('out-of-memory.ts', { limitKilobytes: 4_000_000 })
    expect(output).toMatch(/^held \d+, refused: fill: out of memory: 268\.4 MB more are not to be had$/m)
    expect(output).toMatch(/^upload: WeftError: upload: out of memory/m)
    expect(output).toMatch(/^afterwards 5,5, buffers 1$/m)
    expect(code).toBe(0)
  }, timeout)

  it('threads that the system does not give are an error', async () => {
    const { output, code } = await runChild('too-many-threads.ts', { limitKilobytes: 3_500_000 })
    expect(output).toMatch(/cannot start with 256 threads/)
    expect(output).toMatch(/^afterwards 5,5$/m)
    expect(code).toBe(0)
  }, timeout)
})

describe('the end of a process in the middle of work', () => {
  it.each([
    ['exit', 7],
    ['exit with a read open', 7],
    ['disposing', 7],
    ['nothing left to do', 0],
    ['throw', 1],
  ])('%s', async (how, expected) => {
    const { code, signal, output } = await runChild('leaves-early.ts', { args: [how] })
    expect([code, signal], output).toEqual([expected, null])
  }, timeout)

  it('Ctrl-C is heard while the threads work', async () => {
    let isSent = false
    const { code, output } = await runChild('leaves-early.ts', {
      args: ['interrupt'],
      onOutput: (text, send) => {
        if (!text.includes('enqueued') || isSent) return
        isSent = true
        send('SIGINT')
      },
    })
    expect(output).toBe('enqueued\ninterrupted\n') // not "read": the work was not waited for
    expect(code).toBe(130)
  }, timeout)
})

describe('worker threads', () => {
  const file = new URL('children/busy-worker.ts', import.meta.url)

  /** Starts one, waits for the messages, ends it. @returns what it said. */
  const runWorker = async (how: string, messages: number): Promise<unknown[]> => {
    const worker = new Worker(file, { workerData: how, execArgv: ['--conditions=@weft/source', '--disable-warning=ExperimentalWarning'] })
    const said: unknown[] = []
    const ended = new Promise<number>((resolve) => worker.once('exit', resolve))
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message) => {
        said.push(message)
        if (said.length === messages) resolve()
      })
      worker.on('error', reject)
    })
    if (how === 'ends by itself') expect(await ended).toBe(0)
    else {
      await worker.terminate()
      await ended
    }
    return said
  }

  it('create, use, terminate without dispose, many times', async () => {
    await runWorker('waits in read', 2)
    const threads = isLinux ? readdirSync('/proc/self/task').length : 0
    for (let i = 0; i < 12; i++) expect(await runWorker(i % 3 === 2 ? 'waits in readSync' : 'waits in read', 2)).toEqual([5, 'busy'])
    if (isLinux) expect(readdirSync('/proc/self/task').length).toBeLessThanOrEqual(threads + 1)
  }, timeout)

  it('end by themselves', async () => {
    for (let i = 0; i < 3; i++) expect(await runWorker('ends by itself', 1)).toEqual([5])
  }, timeout)

  it('several at once', async () => {
    expect(await Promise.all([1, 2, 3].map(() => runWorker('waits in read', 2)))).toEqual([[5, 'busy'], [5, 'busy'], [5, 'busy']])
  }, timeout)
})
