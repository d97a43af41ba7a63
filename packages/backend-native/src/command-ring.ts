// Writes commands for native code into shared memory. A command is a run of numbers: [length, code, …]; native/core/queue.h reads it.
// JavaScript owns the head, native code the tail. Publishing a command is an atomic store; native code is entered only where it
// sleeps and there is work, where the ring is full, and to read.
import type { Addon, NativeHandle } from './addon.ts'

const headWord = 0
const tailWord = 16
const sleepingWord = 32

const wrapMark = -1
export const freeHandle = -2
export const bindStaged = -3
export const bindInline = -4
export const readHandle = -5
const runStaged = -6

/** Longer commands take a way of their own. */
const maxCommandWords = 8192

/** A sleeping conductor is woken once so much work has gathered; what is left is seen to at the end of the turn. */
const wakeAfter = 12

export class CommandRing {
  readonly #addon: Addon
  readonly #backend: NativeHandle
  readonly #ring: Float64Array
  readonly #control: Int32Array
  /** Where the next word goes: in the ring, or in `#long` for a command that is too long for it. */
  #words: Float64Array
  #start = 0
  #position = 0
  #tail = 0
  #unseen = 0
  #flushQueued = false

  constructor(addon: Addon, backend: NativeHandle, ring: ArrayBuffer, control: ArrayBuffer) {
    this.#addon = addon
    this.#backend = backend
    this.#ring = new Float64Array(ring)
    this.#control = new Int32Array(control)
    this.#words = this.#ring
  }

  /** Opens a command of at most `words` numbers after its code. */
  begin(code: number, words: number): void {
    const needed = words + 2
    if (needed > maxCommandWords) {
      this.#words = new Float64Array(needed)
      this.#start = 0
    } else {
      this.#reserve(needed)
      this.#words = this.#ring
      this.#start = this.#head
    }
    this.#words[this.#start + 1] = code
    this.#position = this.#start + 2
  }

  put(word: number): void {
    this.#words[this.#position++] = word
  }

  /** Bytes in the words that follow. */
  putBytes(bytes: Uint8Array): void {
    new Uint8Array(this.#words.buffer, this.#words.byteOffset + this.#position * 8, bytes.length).set(bytes)
    this.#position += Math.ceil(bytes.length / 8)
  }

  /** Closes the command and lets native code see it. */
  publish(): void {
    Atomics.store(this.#control, headWord, this.#close())
    this.#unseen++
    if (this.#unseen >= wakeAfter) this.#wakeIfAsleep()
    else if (!this.#flushQueued) {
      this.#flushQueued = true
      queueMicrotask(this.#flush)
    }
  }

  /** Closes a read command; native code sees it once `enter` tells it where the values go. @returns what `enter` returns. */
  publishRead<T>(enter: (head: number) => T): T {
    this.#unseen = 0
    return enter(this.#close())
  }

  #head = 0

  readonly #flush = (): void => {
    this.#flushQueued = false
    if (this.#unseen > 0) this.#wakeIfAsleep()
  }

  #wakeIfAsleep(): void {
    this.#unseen = 0
    if (Atomics.load(this.#control, sleepingWord) !== 0) this.#addon.wake(this.#backend)
  }

  /** @returns the head behind the open command, which is then in the ring. */
  #close(): number {
    const length = this.#position - this.#start
    this.#words[this.#start] = length
    if (this.#words === this.#ring) this.#head = (this.#start + length) % this.#ring.length
    else {
      const id = this.#addon.stageCommand(this.#backend, this.#words.subarray(0, length))
      this.#reserve(3)
      this.#ring.set([3, runStaged, id], this.#head)
      this.#head = (this.#head + 3) % this.#ring.length
    }
    return this.#head
  }

  /** Makes sure that so many words in a row are free at the head; skips the rest of the ring where it is too short. */
  #reserve(words: number): void {
    for (;;) {
      const { length } = this.#ring
      const free = this.#head < this.#tail ? this.#tail - this.#head - 1 : length - this.#head - (this.#tail === 0 ? 1 : 0)
      if (free >= words) return
      const seen = this.#tail
      this.#tail = Atomics.load(this.#control, tailWord)
      if (this.#tail !== seen) continue
      if (this.#head >= this.#tail && this.#tail !== 0) {
        this.#ring[this.#head] = wrapMark
        this.#head = 0
        Atomics.store(this.#control, headWord, 0)
        continue
      }
      this.#addon.waitForProgress(this.#backend, this.#tail)
    }
  }
}
