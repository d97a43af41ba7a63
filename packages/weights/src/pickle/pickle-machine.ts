// Reads a Python pickle without running anything of it: values, and calls of named functions as plain records. What a record means is
// the caller's affair. Format: CPython's Lib/pickletools.py, protocols 2 to 5.
import { FormatError, UnsupportedError } from '@weft/contracts'

/** A function or class by name, and what it was called with; `state` is what BUILD gave it. */
interface PickledCall {
  readonly callee: PickledGlobal
  readonly args: readonly Pickled[]
  state?: Pickled
}

export class PickledGlobal {
  readonly module: string
  readonly name: string
  constructor(module: string, name: string) {
    this.module = module
    this.name = name
  }
  toString(): string {
    return `${this.module}.${this.name}`
  }
}

export class PickledDict {
  readonly entries: [Pickled, Pickled][] = []
}

export type Pickled = null | boolean | number | bigint | string | Uint8Array | Pickled[] | PickledDict | PickledGlobal | PickledObject | PickledTuple

/** A list that cannot change: kept apart, since arguments are tuples. */
export class PickledTuple {
  readonly items: readonly Pickled[]
  constructor(items: readonly Pickled[]) {
    this.items = items
  }
}

export class PickledObject implements PickledCall {
  readonly callee: PickledGlobal
  readonly args: readonly Pickled[]
  state?: Pickled
  constructor(callee: PickledGlobal, args: readonly Pickled[]) {
    this.callee = callee
    this.args = args
  }
}

const mark = Symbol('mark')
const maxStack = 1 << 24

export interface PickleOptions {
  readonly source: string
  /** Where the pickle begins in the file, for errors. */
  readonly byteOffset?: number
  /** @returns what stands for an object that is kept outside of the pickle. */
  persistent(id: Pickled): Pickled
  /** Whether a name may be called. @throws for others, saying so. */
  allow(callee: PickledGlobal): void
}

/** @returns the value, and how many bytes it took. @throws FormatError for a broken pickle, with the place; UnsupportedError for opcodes that checkpoints do not use. */
export const readPickle = (bytes: Uint8Array, options: PickleOptions): { value: Pickled; sizeBytes: number } => new Machine(bytes, options).run()

class Machine {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #options: PickleOptions
  readonly #memo = new Map<number, Pickled>()
  #stack: (Pickled | typeof mark)[] = []
  #at = 0

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#options = options
  }

  run(): { value: Pickled; sizeBytes: number } {
    for (;;) {
      const opcode = this.#bytes[this.#at]
      if (opcode === undefined) throw this.#fail('it ends before its STOP: the file is cut off')
      this.#at++
      if (opcode === 0x2e) return { value: this.#pop(), sizeBytes: this.#at }
      this.#step(opcode)
      if (this.#stack.length > maxStack) throw this.#fail(`its stack is deeper than ${maxStack}`)
    }
  }

  #fail(problem: string): FormatError {
    return new FormatError(`this pickle is broken: ${problem}`, { source: this.#options.source, byteOffset: (this.#options.byteOffset ?? 0) + this.#at })
  }

  #take(count: number): number {
    const at = this.#at
    if (count < 0 || at + count > this.#bytes.length) throw this.#fail(`${count} more bytes were to follow`)
    this.#at += count
    return at
  }

  #u8 = (): number => this.#bytes[this.#take(1)]!
  #u32 = (): number => this.#view.getUint32(this.#take(4), true)
  #u64 = (): number => Number(this.#view.getBigUint64(this.#take(8), true))
  #text = (count: number): string => {
    const at = this.#take(count)
    return new TextDecoder().decode(this.#bytes.subarray(at, at + count))
  }
  #blob = (count: number): Uint8Array => {
    const at = this.#take(count)
    return this.#bytes.slice(at, at + count)
  }
  #line = (): string => {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end < 0) throw this.#fail('a line has no end')
    const text = this.#text(end - this.#at)
    this.#at++
    return text
  }

  #push(value: Pickled): void {
    this.#stack.push(value)
  }

  #pop(): Pickled {
    const value = this.#stack.pop()
    if (value === undefined || value === mark) throw this.#fail('it takes more values than there are')
    return value
  }

  #top(): Pickled {
    const value = this.#stack.at(-1)
    if (value === undefined || value === mark) throw this.#fail('it looks at a value that is not there')
    return value
  }

  #sinceMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark)
    if (at < 0) throw this.#fail('a mark is missing')
    const values = this.#stack.splice(at)
    return values.slice(1) as Pickled[]
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top())
  }

  #recall(index: number): void {
    if (!this.#memo.has(index)) throw this.#fail(`it recalls number ${index}, which was never remembered`)
    this.#push(this.#memo.get(index)!)
  }

  #tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.#pop()).reverse()
    this.#push(new PickledTuple(items))
  }

  #call(): void {
    const args = this.#pop()
    const callee = this.#pop()
    if (!(callee instanceof PickledGlobal) || !(args instanceof PickledTuple)) throw this.#fail('it calls what is no function')
    this.#options.allow(callee)
    this.#push(new PickledObject(callee, args.items))
  }

  #build(): void {
    const state = this.#pop()
    const target = this.#top()
    if (target instanceof PickledObject) target.state = state
  }

  #global(module: string, name: string): void {
    const global = new PickledGlobal(module, name)
    this.#options.allow(global)
    this.#push(global)
  }

  #integer(count: number): void {
    if (count > 64) throw this.#fail(`an integer of ${count} bytes`)
    const at = this.#take(count)
    let value = 0n
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!)
    if (count > 0) value = BigInt.asIntN(8 * count, value)
    this.#push(value >= -maxSafe && value <= maxSafe ? Number(value) : value)
  }

  #setItems(items: readonly Pickled[]): void {
    const target = this.#top()
    const dict = target instanceof PickledDict ? target : target instanceof PickledObject ? (dictOf(target) as PickledDict) : undefined
    if (dict === undefined || items.length % 2 !== 0) throw this.#fail('it puts entries into what is no dictionary')
    for (let i = 0; i < items.length; i += 2) dict.entries.push([items[i]!, items[i + 1]!])
  }

  #append(items: readonly Pickled[]): void {
    const target = this.#top()
    if (!Array.isArray(target)) throw this.#fail('it appends to what is no list')
    for (const item of items) target.push(item)
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        if (this.#u8() > 5) throw new UnsupportedError(`${this.#options.source}: the pickle has a protocol above 5`)
        return
      case 0x95: return void this.#u64() // FRAME
      case 0x28: return void this.#stack.push(mark)
      case 0x4e: return this.#push(null)
      case 0x88: return this.#push(true)
      case 0x89: return this.#push(false)
      case 0x4a: return this.#push(this.#u32() | 0) // BININT
      case 0x4b: return this.#push(this.#u8())
      case 0x4d: return this.#push(this.#u8() | (this.#u8() << 8))
      case 0x8a: return this.#integer(this.#u8()) // LONG1
      case 0x8b: return this.#integer(this.#u32()) // LONG4
      case 0x47: return this.#push(this.#view.getFloat64(this.#take(8), false))
      case 0x58: return this.#push(this.#text(this.#u32())) // BINUNICODE
      case 0x8c: return this.#push(this.#text(this.#u8()))
      case 0x8d: return this.#push(this.#text(this.#u64()))
      case 0x54: return this.#push(this.#text(this.#u32())) // BINSTRING
      case 0x55: return this.#push(this.#text(this.#u8()))
      case 0x42: return this.#push(this.#blob(this.#u32())) // BINBYTES
      case 0x43: return this.#push(this.#blob(this.#u8()))
      case 0x8e: return this.#push(this.#blob(this.#u64()))
      case 0x29: return this.#push(new PickledTuple([]))
      case 0x85: return this.#tuple(1)
      case 0x86: return this.#tuple(2)
      case 0x87: return this.#tuple(3)
      case 0x74: return this.#push(new PickledTuple(this.#sinceMark()))
      case 0x5d: return this.#push([])
      case 0x6c: return this.#push(this.#sinceMark())
      case 0x61: { // APPEND
        const item = this.#pop()
        return this.#append([item])
      }
      case 0x65: return this.#append(this.#sinceMark())
      case 0x7d: return this.#push(new PickledDict())
      case 0x73: { // SETITEM
        const value = this.#pop()
        const key = this.#pop()
        return this.#setItems([key, value])
      }
      case 0x75: return this.#setItems(this.#sinceMark())
      case 0x8f: return this.#push([]) // EMPTY_SET: the order of its items is the file's
      case 0x90: return this.#append(this.#sinceMark()) // ADDITEMS
      case 0x63: { // GLOBAL
        const module = this.#line()
        return this.#global(module, this.#line())
      }
      case 0x93: { // STACK_GLOBAL
        const [name, module] = [this.#pop(), this.#pop()]
        if (typeof name !== 'string' || typeof module !== 'string') throw this.#fail('a name is no text')
        return this.#global(module, name)
      }
      case 0x52: return this.#call() // REDUCE
      case 0x81: return this.#call() // NEWOBJ
      case 0x62: return this.#build()
      case 0x51: return this.#push(this.#options.persistent(this.#pop())) // BINPERSID
      case 0x71: return this.#remember(this.#u8()) // BINPUT
      case 0x72: return this.#remember(this.#u32())
      case 0x94: return this.#remember(this.#memo.size) // MEMOIZE
      case 0x68: return this.#recall(this.#u8()) // BINGET
      case 0x6a: return this.#recall(this.#u32())
      case 0x30: return void this.#stack.pop()
      case 0x31: return void this.#sinceMark()
      case 0x32: return this.#push(this.#top())
      default:
        throw new UnsupportedError(`${this.#options.source}: the pickle has opcode 0x${opcode.toString(16)} at byte ${(this.#options.byteOffset ?? 0) + this.#at - 1}, which checkpoints do not use`)
    }
  }
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

/** The dictionary inside of an OrderedDict or its like, made when it is first filled. */
export const dictOf = (object: PickledObject): PickledDict | undefined => {
  const { module, name } = object.callee
  if (module !== 'collections' || (name !== 'OrderedDict' && name !== 'defaultdict')) return undefined
  const dict = dicts.get(object) ?? new PickledDict()
  dicts.set(object, dict)
  return dict
}

const dicts = new WeakMap<PickledObject, PickledDict>()
