// Reads the numbers and strings of a GGUF header in order, a window of the file at a time, and names the place where they end too soon.
import { FormatError } from '@weft/contracts'
import type { ByteSource } from '@weft/sources'

/** Headers with a large vocabulary take a few megabytes. */
const windowBytes = 1 << 20

export class GgufCursor {
  readonly #source: ByteSource
  readonly #isLittleEndian: boolean
  #window: DataView = new DataView(new ArrayBuffer(0))
  #windowStart = 0
  #offset: number

  constructor(source: ByteSource, offset: number, isLittleEndian: boolean) {
    this.#source = source
    this.#offset = offset
    this.#isLittleEndian = isLittleEndian
  }

  get offset(): number {
    return this.#offset
  }

  get bytesLeft(): number {
    return this.#source.sizeBytes - this.#offset
  }

  fail(message: string, path?: string): FormatError {
    return new FormatError(message, { source: this.#source.name, byteOffset: this.#offset, ...(path === undefined ? {} : { path }) })
  }

  /** Makes sure that so many bytes are in the window, and steps over them. @returns their place in the window. */
  async #take(bytes: number): Promise<number> {
    if (bytes > this.bytesLeft) throw this.fail(`expected ${bytes} more bytes of the header, the file ends ${this.bytesLeft} bytes from here: it is cut off or broken`)
    const end = this.#windowStart + this.#window.byteLength
    if (this.#offset < this.#windowStart || this.#offset + bytes > end) {
      const part = await this.#source.read(this.#offset, Math.min(this.bytesLeft, Math.max(bytes, windowBytes)))
      this.#window = new DataView(part.buffer, part.byteOffset, part.byteLength)
      this.#windowStart = this.#offset
    }
    const at = this.#offset - this.#windowStart
    this.#offset += bytes
    return at
  }

  async u8(): Promise<number> {
    const at = await this.#take(1)
    return this.#window.getUint8(at)
  }

  async u32(): Promise<number> {
    const at = await this.#take(4)
    return this.#window.getUint32(at, this.#isLittleEndian)
  }

  /** A length or count. @throws FormatError beyond 2^53. */
  async size(what: string): Promise<number> {
    const at = await this.#take(8)
    const value = this.#window.getBigUint64(at, this.#isLittleEndian)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.fail(`expected a ${what} below 2^53, got ${value}`)
    return Number(value)
  }

  /** UTF-8 with a length before it; what is no UTF-8 becomes U+FFFD, since vocabularies hold such tokens. */
  async string(maxBytes: number, what: string): Promise<string> {
    const length = await this.size(`length of ${what}`)
    if (length > maxBytes) throw this.fail(`expected ${what} of at most ${maxBytes} bytes, got ${length}`)
    const at = await this.#take(length)
    return decoder.decode(new Uint8Array(this.#window.buffer, this.#window.byteOffset + at, length))
  }

  /** `count` numbers of a fixed width in one piece. */
  async numbers<T>(count: number, width: number, read: (view: DataView, at: number, isLittleEndian: boolean) => T): Promise<T[]> {
    if (count * width > this.bytesLeft) throw this.fail(`expected an array of ${count} values, the file ends ${this.bytesLeft} bytes from here`)
    const at = await this.#take(count * width)
    return Array.from({ length: count }, (_, i) => read(this.#window, at + i * width, this.#isLittleEndian))
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
