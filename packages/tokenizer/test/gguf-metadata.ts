// The metadata of a GGUF file, for tests: the keys, values and arrays of the header, without checks.
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import type { Json } from '@weft/contracts'

const headBytes = 8_000_000

export const readGgufMetadata = (path: string): ReadonlyMap<string, Json> => {
  const bytes = Buffer.alloc(Math.min(headBytes, statSync(path).size))
  const file = openSync(path, 'r')
  readSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
  let at = 16
  const take = <T>(size: number, value: T): T => {
    at += size
    return value
  }
  const long = (): number => take(8, Number(bytes.readBigUInt64LE(at)))
  const string = (): string => {
    const length = long()
    return take(length, bytes.toString('utf8', at, at + length))
  }
  const readers: (() => Json)[] = [
    () => take(1, bytes.readUInt8(at)),
    () => take(1, bytes.readInt8(at)),
    () => take(2, bytes.readUInt16LE(at)),
    () => take(2, bytes.readInt16LE(at)),
    () => take(4, bytes.readUInt32LE(at)),
    () => take(4, bytes.readInt32LE(at)),
    () => take(4, bytes.readFloatLE(at)),
    () => take(1, bytes.readUInt8(at) !== 0),
    string,
    () => {
      const type = take(4, bytes.readUInt32LE(at))
      return Array.from({ length: long() }, () => readers[type]!())
    },
    long,
    long,
    () => take(8, bytes.readDoubleLE(at)),
  ]
  const count = long()
  return new Map(Array.from({ length: count }, (): [string, Json] => [string(), readers[take(4, bytes.readUInt32LE(at))]!()]))
}
