// A whole backend: plain arrays of numbers, one kernel of its own. Slow, complete, and it passes the conformance kit.
import type { Backend, BinaryOp, DType, HostArray, Kernel, KernelCall, Meta, Operand, ReduceOp, Shape, UnaryOp } from '@weft/tensor'

/** The handle is yours to choose. Here: numbers, whatever the dtype. On a GPU it would be a buffer and perhaps a layout. */
interface Toy {
  values: number[]
}
type Call = KernelCall<Toy>

const bytesPerNumber = 8
const maxBufferBytes = 2 ** 28

const size = (shape: Shape): number => shape.reduce((product, length) => product * length, 1)
const strides = (shape: Shape): number[] => shape.map((_, axis) => size(shape.slice(axis + 1)))

/** Strides of `from` walked in the shape `to`: 0 along axes that are broadcast. */
const broadcast = (from: Shape, to: Shape): number[] => {
  const own = strides(from)
  const missing = to.length - from.length
  return to.map((_, axis) => (axis < missing || from[axis - missing] === 1 ? 0 : own[axis - missing]!))
}

/** Where each element of a box lies, in row-major order of the box. A transpose is another order of steps, a slice another start. */
const offsets = (shape: Shape, steps: readonly number[], start = 0): number[] => {
  let places = [start]
  shape.forEach((length, axis) => {
    const longer: number[] = []
    for (const place of places) for (let i = 0; i < length; i++) longer.push(place + i * steps[axis]!)
    places = longer
  })
  return places
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
const erf = (x: number): number => {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return Math.sign(x) * (1 - series * Math.exp(-x * x))
}

const unaryFunctions: Record<UnaryOp, (x: number) => number> = {
  neg: (x) => -x, exp: Math.exp, log: Math.log, sqrt: Math.sqrt, rsqrt: (x) => 1 / Math.sqrt(x), sin: Math.sin, cos: Math.cos, tanh: Math.tanh, erf, abs: Math.abs, floor: Math.floor,
}

const binaryFunctions: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b, max: Math.max, min: Math.min, pow: Math.pow, lt: (a, b) => (a < b ? 1 : 0), eq: (a, b) => (a === b ? 1 : 0),
}

const reduceFunctions: Record<ReduceOp, (total: number, x: number) => number> = { sum: (a, b) => a + b, max: Math.max, min: Math.min }

/** What a sum or an extreme over nothing is: 0, or the end of the dtype's range. */
const emptyValue = (op: ReduceOp, dtype: DType): number => {
  if (op === 'sum') return 0
  if (dtype === 'u8') return op === 'max' ? 0 : 255
  const end = dtype === 'i32' ? 2 ** 24 - 1 : Infinity
  return op === 'max' ? -end : end
}

export const createToyBackend = (): Backend<Toy> => {
  let [buffers, bytes, peakBytes, isDisposed] = [0, 0, 0, false]

  const checkLive = (): void => {
    if (isDisposed) throw new Error('toy: the backend was disposed')
  }

  /** Stores an array that nobody else holds, rounded to what the dtype can hold, and counts it. */
  const store = (values: number[], { dtype }: Pick<Meta, 'dtype'>): Toy => {
    buffers++
    bytes += values.length * bytesPerNumber
    peakBytes = Math.max(peakBytes, bytes)
    return { values: values.map(dtype === 'f32' ? Math.fround : Math.trunc) }
  }

  /** A kernel with one output. Whatever may fail comes before `store`, so a call that throws has changed nothing. */
  const kernel = (compute: (call: Call, inputs: readonly Operand<Toy>[], output: Meta) => number[]): Kernel<Toy> => (call) => {
    checkLive()
    const [output] = call.outputs as [Meta]
    if (size(output.shape) * bytesPerNumber > maxBufferBytes) throw new Error(`toy: [${output.shape.join(', ')}] needs more than ${maxBufferBytes} bytes`)
    return [store(compute(call, call.inputs as readonly Operand<Toy>[], output), output)]
  }

  /** Elements of the first input in another order: permute, broadcastTo and slice. */
  const picked = (steps: (call: Call, shape: Shape) => readonly number[], start: (call: Call, shape: Shape) => number = () => 0): Kernel<Toy> =>
    kernel((call, [x], output) => offsets(output.shape, steps(call, x!.shape), start(call, x!.shape)).map((place) => x!.data.values[place]!))

  const kernels: Backend<Toy>['kernels'] = {
    fill: kernel(({ attrs }, _, { shape }) => new Array<number>(size(shape)).fill(attrs['value'] as number)),
    iota: kernel((_, __, { shape }) => Array.from({ length: shape[0]! }, (_, i) => i)),
    unary: kernel(({ attrs }, [x]) => x!.data.values.map(unaryFunctions[attrs['op'] as UnaryOp])),
    cast: kernel((_, [x]) => x!.data.values), // store makes the copy and rounds

    binary: kernel(({ attrs }, [a, b], { shape }) => {
      const places = offsets(shape, broadcast(b!.shape, shape))
      const apply = binaryFunctions[attrs['op'] as BinaryOp]
      return offsets(shape, broadcast(a!.shape, shape)).map((place, i) => apply(a!.data.values[place]!, b!.data.values[places[i]!]!))
    }),

    where: kernel((_, inputs, { shape }) => {
      const [condition, a, b] = inputs.map((x) => offsets(shape, broadcast(x.shape, shape)).map((place) => x.data.values[place]!))
      return condition!.map((isTrue, i) => (isTrue !== 0 ? a![i]! : b![i]!))
    }),

    reduce: kernel(({ attrs }, [x]) => {
      const axes = attrs['axes'] as readonly number[]
      const op = attrs['op'] as ReduceOp
      const kept = x!.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
      const totals = new Array<number>(size(kept)).fill(emptyValue(op, x!.dtype))
      const places = offsets(x!.shape, strides(kept).map((step, axis) => (axes.includes(axis) ? 0 : step)))
      x!.data.values.forEach((value, i) => (totals[places[i]!] = reduceFunctions[op](totals[places[i]!]!, value)))
      return totals
    }),

    matMul: kernel(({ attrs }, [a, b], { shape }) => {
      const [rows, columns] = shape.slice(-2) as [number, number]
      const inner = a!.shape.at(attrs['transposeA'] ? -2 : -1)!
      const [rowStep, innerStepA] = attrs['transposeA'] ? [1, rows] : [inner, 1]
      const [innerStepB, columnStep] = attrs['transposeB'] ? [1, inner] : [columns, 1]
      const batch = shape.slice(0, -2)
      const matrices = [a!, b!].map((x) => offsets(batch, broadcast(x.shape.slice(0, -2), batch)))
      const out: number[] = []
      matrices[0]!.forEach((matrixA, i) => {
        const [startA, startB] = [matrixA * rows * inner, matrices[1]![i]! * inner * columns]
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            let total = 0
            for (let k = 0; k < inner; k++) total += a!.data.values[startA + row * rowStep + k * innerStepA]! * b!.data.values[startB + k * innerStepB + column * columnStep]!
            out.push(total)
          }
        }
      })
      return out
    }),

    permute: picked(({ attrs }, shape) => (attrs['axes'] as readonly number[]).map((axis) => strides(shape)[axis]!)),
    broadcastTo: picked(({ outputs }, shape) => broadcast(shape, outputs[0]!.shape)),
    slice: picked((_, shape) => strides(shape), ({ attrs }, shape) => dot(attrs['starts'] as readonly number[], strides(shape))),

    pad: kernel(({ attrs }, [x], { shape }) => {
      const out = new Array<number>(size(shape)).fill(attrs['value'] as number)
      offsets(x!.shape, strides(shape), dot(attrs['before'] as readonly number[], strides(shape))).forEach((place, i) => (out[place] = x!.data.values[i]!))
      return out
    }),

    concat: kernel(({ inputs, attrs }, _, { shape }) => {
      const out: number[] = []
      let start = 0
      for (const part of inputs[0] as readonly Operand<Toy>[]) {
        offsets(part.shape, strides(shape), start).forEach((place, i) => (out[place] = part.data.values[i]!))
        start += part.shape[attrs['axis'] as number]! * strides(shape)[attrs['axis'] as number]!
      }
      return out
    }),

    gather: kernel(({ attrs }, [x, indices]) => {
      const axis = attrs['axis'] as number
      const [length, inner] = [x!.shape[axis]!, size(x!.shape.slice(axis + 1))]
      const out: number[] = []
      for (let outer = 0; outer < size(x!.shape.slice(0, axis)); outer++) {
        for (const index of indices!.data.values) {
          for (let i = 0; i < inner; i++) out.push(index >= 0 && index < length ? x!.data.values[(outer * length + index) * inner + i]! : 0)
        }
      }
      return out
    }),

    scatterAdd: kernel((_, [indices, updates], { shape }) => {
      const inner = size(shape.slice(1))
      const out = new Array<number>(size(shape)).fill(0)
      indices!.data.values.forEach((index, n) => {
        if (index >= 0 && index < shape[0]!) for (let i = 0; i < inner; i++) out[index * inner + i]! += updates!.data.values[n * inner + i]!
      })
      return out
    }),

    // An override: the named operation softmax in one pass over each row, where it would be five primitives.
    softmax: kernel((_, [x], { shape }) => {
      const width = shape.at(-1)!
      return Array.from({ length: size(shape.slice(0, -1)) }, (_, row) => {
        const values = x!.data.values.slice(row * width, (row + 1) * width)
        const highest = values.reduce((a, b) => Math.max(a, b), -Infinity)
        const powers = values.map((value) => Math.exp(value - highest))
        const total = powers.reduce((a, b) => a + b, 0)
        return powers.map((power) => power / total)
      }).flat()
    }),

    // An override that uses donation: where nobody else holds the accumulator, it grows in place and its handle is the output.
    addInto: (call) => {
      const [accumulator, x] = call.inputs as [Operand<Toy>, Operand<Toy>]
      if (call.donated[0] !== true) return kernels.binary({ ...call, attrs: { op: 'add' } })
      checkLive()
      x.data.values.forEach((value, i) => (accumulator.data.values[i] = Math.fround(accumulator.data.values[i]! + value)))
      return [accumulator.data]
    },
  }

  const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array }
  return {
    name: 'toy',
    traits: { dtypes: new Set<DType>(['f32', 'i32', 'u8']), deterministic: true, maxBufferBytes },
    kernels,
    supports: (op, [x], attrs) => op !== 'softmax' || attrs['axis'] === (x as Meta).shape.length - 1,
    upload(bits, _shape, dtype) {
      checkLive()
      return store(Array.from(bits as HostArray), { dtype })
    },
    async read({ data, dtype }) {
      checkLive()
      return arrays[dtype as keyof typeof arrays].from(data.values) // copied before anything that is called after us
    },
    free(data) {
      buffers--
      bytes -= data.values.length * bytesPerNumber
      data.values = []
    },
    memory: () => ({ buffers, bytes, peakBytes }),
    async dispose() {
      isDisposed = true
    },
  }
}
