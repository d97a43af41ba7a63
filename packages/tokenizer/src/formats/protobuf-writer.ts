// The protobuf wire format, written: a growing buffer of fields. Reference: protobuf.dev/programming-guides/encoding.

export interface ProtobufWriter {
  integer(field: number, value: number): void
  boolean(field: number, value: boolean): void
  float(field: number, value: number): void
  string(field: number, value: string): void
  bytes(field: number, value: Uint8Array): void
  message(field: number, write: (inner: ProtobufWriter) => void): void
  finish(): Uint8Array
}

const encoder = new TextEncoder()

export const createProtobufWriter = (): ProtobufWriter => {
  let buffer = new Uint8Array(256)
  let used = 0
  const reserve = (more: number): void => {
    if (used + more <= buffer.length) return
    const grown = new Uint8Array(Math.max(buffer.length * 2, used + more))
    grown.set(buffer)
    buffer = grown
  }
  const varint = (value: bigint): void => {
    reserve(10)
    for (; value > 0x7fn; value >>= 7n) buffer[used++] = Number(value & 0x7fn) | 0x80
    buffer[used++] = Number(value)
  }
  const tag = (field: number, type: number): void => varint(BigInt(field * 8 + type))
  const bytes = (field: number, value: Uint8Array): void => {
    tag(field, 2)
    varint(BigInt(value.length))
    reserve(value.length)
    buffer.set(value, used)
    used += value.length
  }
  const integer = (field: number, value: number): void => {
    tag(field, 0)
    varint(BigInt.asUintN(64, BigInt(value))) // negative numbers take all 64 bits
  }
  return {
    integer,
    bytes,
    boolean: (field, value) => integer(field, value ? 1 : 0),
    string: (field, value) => bytes(field, encoder.encode(value)),
    float: (field, value) => {
      tag(field, 5)
      reserve(4)
      new DataView(buffer.buffer).setFloat32(used, value, true)
      used += 4
    },
    message: (field, write) => {
      const inner = createProtobufWriter()
      write(inner)
      bytes(field, inner.finish())
    },
    finish: () => buffer.slice(0, used),
  }
}
