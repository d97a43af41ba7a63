// Commands that the backend itself would never write, by hand in the ring: each ends as the error of a read, and the queue goes on.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadAddon, type Addon } from '../src/addon.ts'
import { bindInline, bindStaged, CommandRing, freeHandle, readHandle } from '../src/command-ring.ts'

const f32 = 0
const timeout = 20_000

let addon: Addon
let made: ReturnType<Addon['create']>
let ring: CommandRing
let nextRequest = 1

beforeEach(() => {
  addon = loadAddon()
  made = addon.create(2, -1, () => undefined)
  ring = new CommandRing(addon, made.backend, made.ring, made.control)
})

afterEach(() => addon.stop(made.backend))

const command = (code: number, words: readonly number[]): void => {
  ring.begin(code, words.length)
  for (const word of words) ring.put(word)
  ring.publish()
}

const uploadFloats = (handle: number, values: readonly number[]): void => {
  ring.begin(bindInline, 2 + values.length)
  ring.put(handle)
  ring.put(values.length * 4)
  ring.putBytes(new Uint8Array(Float32Array.from(values).buffer))
  ring.publish()
}

const readFloats = (handle: number, count: number): readonly number[] | string => {
  const target = new Uint8Array(count * 4)
  const request = nextRequest++
  ring.begin(readHandle, 2)
  ring.put(handle)
  ring.put(request)
  const error = ring.publishRead((head) => addon.readSync(made.backend, request, target, head))
  return error ?? Array.from(new Float32Array(target.buffer))
}

const expectAlive = (): void => {
  uploadFloats(900, [1, 2, 3])
  expect(readFloats(900, 3)).toEqual([1, 2, 3])
}

const kernel = (name: string): number => made.kernels.indexOf(name)
const vector = (handle: number, size: number): number[] => [handle, f32, 1, size]

describe('handles', () => {
  it.each([NaN, -1, 0.5, Infinity, -Infinity, 2 ** 40, 2 ** 26 - 1])('handle %s', (handle) => {
    command(kernel('fill'), [0, 1, ...vector(handle, 4), 7])
    command(freeHandle, [handle])
    expect(readFloats(handle, 4)).toMatch(/handle that cannot be|freed buffer/)
    expectAlive()
  }, timeout)

  it('a handle that was never made, and one that was freed, as inputs', () => {
    uploadFloats(1, [1, 2])
    command(freeHandle, [1])
    command(freeHandle, [1])
    for (const handle of [1, 77]) {
      command(kernel('addInto'), [2, 1, ...vector(handle, 2), 1, ...vector(handle, 2), 1, ...vector(5, 2)])
      expect(readFloats(5, 2)).toMatch(/addInto: a command of the queue uses a freed buffer/)
      command(freeHandle, [5])
    }
    expectAlive()
  })
})

describe('shapes', () => {
  it('a tensor that is larger than its buffer', () => {
    uploadFloats(0, [1, 2])
    command(kernel('addInto'), [2, 1, ...vector(0, 1000), 1, ...vector(0, 1000), 1, ...vector(1, 1000)])
    expect(readFloats(1, 1)).toMatch(/larger than its buffer/)
    expectAlive()
  })

  it('an output that is larger than the buffer that it takes over', () => {
    uploadFloats(0, [1, 2])
    uploadFloats(1, Array.from({ length: 100 }, () => 1))
    command(kernel('addInto'), [2, 1, ...vector(1, 100), 1, ...vector(1, 100), 1, ...vector(0, 100)])
    expect(readFloats(0, 2)).toMatch(/larger than the buffer that it takes over/)
    expectAlive()
  })

  it('a read of more than there is', () => {
    uploadFloats(0, [1, 2])
    expect(readFloats(0, 3)).toMatch(/smaller than what was asked for/)
  })

  it.each([
    ['a rank of 9', [0, 1, 3, f32, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7]],
    ['a negative size', [0, 1, 3, f32, 1, -4, 7]],
    ['a size that is no number', [0, 1, 3, f32, 1, NaN, 7]],
    ['an element type that is not there', [0, 1, 3, 17, 1, 4, 7]],
    ['sizes whose product overflows', [0, 1, 3, f32, 4, 2 ** 31, 2 ** 31, 2 ** 31, 2 ** 31, 7]],
    ['more bytes than any machine has', [0, 1, 3, f32, 1, 2 ** 47, 7]],
    ['too many slots', [1e6, 1, 3, f32, 1, 4, 7]],
    ['a list that is longer than the command', [1, 1000, 3, f32, 1, 4, 7]],
    ['nothing at all', []],
    ['an attribute that is missing', [0, 1, 3, f32, 1, 4]],
    ['an input of fewer tensors than the kernel needs', [1, 0, 1, 3, f32, 1, 4, 7]],
  ])('%s', (_, words) => {
    command(kernel('fill'), words)
    const got = readFloats(3, 1)
    if (words.length > 0 && words[0] === 1 && words[1] === 0) expect(got).toEqual([7]) // fill has no inputs to miss
    else expect(got).toMatch(/^(fill|a command of the queue)/)
    expectAlive()
  })

  it('a kernel without its inputs and outputs', () => {
    made.kernels.forEach((name, code) => {
      if (name === '' || name.startsWith('measure')) return
      command(code, [0, 0])
      command(code, [3, 0, 0, 0, 0])
      command(code, [1, 1, ...vector(900, 3), 0])
      command(code, [0, 1, ...vector(50, 0)])
      command(freeHandle, [50])
    })
    expectAlive()
  })
})

describe('commands', () => {
  it.each([1e6, -99, NaN, Infinity, -Infinity, 0.5])('a code that does not exist: %s', (code) => {
    command(code, [0, 1, ...vector(3, 4), 7])
    expectAlive()
  })

  it('inline bytes that are not all there', () => {
    for (const bytes of [1e9, -8, NaN, 2 ** 60]) {
      command(bindInline, [2, bytes, 0])
      expect(readFloats(2, 1)).toMatch(/a command of the queue/)
    }
    expectAlive()
  })

  it('bytes that were never staged', () => {
    for (const id of [5, -1, NaN, Infinity]) command(bindStaged, [1, id])
    expect(readFloats(1, 1)).toMatch(/freed buffer/)
    expectAlive()
  })

  it('a command that is cut off', () => {
    for (const code of [freeHandle, bindStaged, bindInline, readHandle]) command(code, [])
    expectAlive()
  })

  it('a read that names another request than its own', () => {
    uploadFloats(0, [1])
    ring.begin(readHandle, 2)
    ring.put(0)
    ring.put(12_345)
    expect(ring.publishRead((head) => addon.readSync(made.backend, 1, new Uint8Array(4), head))).toMatch(/a command of the queue/)
    expectAlive()
  }, timeout)
})

describe('the ring itself', () => {
  it.each([0, 1, -1, -7, NaN, 1e9, 0.5, Infinity])('a command of length %s ends the queue: reads fail, nothing hangs', (length) => {
    const words = new Float64Array(made.ring)
    words.set([length, kernel('fill'), 0, 1, 3, f32, 1, 4, 7, length])
    for (const request of [1, 2]) {
      const error = addon.readSync(made.backend, request, new Uint8Array(4), 10 * request)
      expect(error).toMatch(/commands .* broken/)
    }
  }, timeout)
})
