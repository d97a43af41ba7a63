// The primitives as operations: what infer promises of each, and the table of gradient rules. B… batch axes.
import type { Attrs, Backend, BinaryOp, Meta, ReduceOp, Slot, UnaryOp } from './backend.ts'
import type { DType } from './dtype.ts'
import { DTypeError, ShapeError } from './errors.ts'
import { exec, execOne, requireSameDType } from './exec.ts'
import { defineOp } from './op-definition.ts'
import { ambient } from './runtime.ts'
import { broadcastShapes, checkShape, formatShape, normalizeAxis, sameShape, sizeOf, type Shape } from './shape.ts'
import { Tensor } from './tensor.ts'

const one = (slot: Slot<Meta>): Meta => slot as Meta
const many = (slot: Slot<Meta>): readonly Meta[] => slot as readonly Meta[]
const numbers = (attrs: Attrs, name: string): readonly number[] => attrs[name] as readonly number[]
const shapeOf = (slot: Slot<Meta>): Shape => one(slot).shape

export const fillOp = defineOp({
  name: 'fill',
  inputs: [],
  infer: (_, attrs) => {
    checkShape('fill', numbers(attrs, 'shape'))
    return [{ shape: numbers(attrs, 'shape'), dtype: attrs['dtype'] as DType }]
  },
})

export const iotaOp = defineOp({
  name: 'iota',
  inputs: [],
  infer: (_, attrs) => {
    checkShape('iota', [attrs['length'] as number])
    return [{ shape: [attrs['length'] as number], dtype: attrs['dtype'] as DType }]
  },
})

export const unaryOp = defineOp({
  name: 'unary',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const { shape, dtype } = one(x)
    const op = attrs['op'] as UnaryOp
    if ((dtype === 'i32' || dtype === 'u8') && op !== 'neg' && op !== 'abs' && op !== 'floor') throw new DTypeError(`${op}: expected a float tensor, got ${dtype}; cast(x, 'f32') it first`)
    return [{ shape, dtype }]
  },
  saves: { inputs: ['x'], outputs: ['output'] },
  vjp: ({ saved: { x, output: y }, gradients: [g], attrs }) => [unaryGradient(attrs['op'] as UnaryOp, x, y, g!)],
})

const unaryGradient = (op: UnaryOp, x: Tensor, y: Tensor, g: Tensor): Tensor | undefined => {
  switch (op) {
    case 'neg':
      return neg(g)
    case 'exp':
      return mul(g, y)
    case 'log':
      return div(g, x)
    case 'sqrt':
      return div(mul(g, scalarLike(y, 0.5)), y)
    case 'rsqrt':
      return mul(mul(g, scalarLike(y, -0.5)), mul(y, mul(y, y)))
    case 'sin':
      return mul(g, cos(x))
    case 'cos':
      return neg(mul(g, sin(x)))
    case 'tanh':
      return mul(g, sub(scalarLike(y, 1), mul(y, y)))
    case 'erf':
      return mul(g, mul(scalarLike(x, 2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x)))))
    case 'abs':
      return mul(g, sub(cast(lessThan(scalarLike(x, 0), x), x.dtype), cast(lessThan(x, scalarLike(x, 0)), x.dtype)))
    case 'floor':
      return undefined
  }
}

export const binaryOp = defineOp({
  name: 'binary',
  inputs: ['a', 'b'],
  infer: ([a, b], attrs) => {
    const op = attrs['op'] as BinaryOp
    requireSameDType(op, [one(a), one(b)])
    const shape = broadcastShapes(op, shapeOf(a), shapeOf(b))
    return [{ shape, dtype: op === 'lt' || op === 'eq' ? 'u8' : one(a).dtype }]
  },
  saves: { inputs: ['a', 'b'] },
  vjp: ({ saved: { a, b }, gradients: [g], attrs, needs: [needA, needB] }) => {
    const rule = binaryGradient(attrs['op'] as BinaryOp, a, b, g!)
    return [needA && rule !== undefined ? sumTo(rule.a(), a.shape) : undefined, needB && rule !== undefined ? sumTo(rule.b(), b.shape) : undefined]
  },
})

// Addition and subtraction need no values for their gradients: they save shapes alone (inputMetas).
export const sumOp = defineOp({
  name: 'binary',
  inputs: ['a', 'b'],
  infer: binaryOp.infer,
  saves: {},
  vjp: ({ gradients: [g], attrs, needs: [needA, needB], inputMetas: [a, b] }) => [
    needA ? sumTo(g!, shapeOf(a)) : undefined,
    needB ? sumTo(attrs['op'] === 'sub' ? neg(g!) : g!, shapeOf(b)) : undefined,
  ],
})

const binaryGradient = (op: BinaryOp, a: Tensor, b: Tensor, g: Tensor): { a(): Tensor; b(): Tensor } | undefined => {
  switch (op) {
    case 'mul':
      return { a: () => mul(g, b), b: () => mul(g, a) }
    case 'div':
      return { a: () => div(g, b), b: () => neg(div(mul(g, a), mul(b, b))) }
    case 'max':
      return { a: () => mul(g, share(b, a)), b: () => mul(g, share(a, b)) }
    case 'min':
      return { a: () => mul(g, share(a, b)), b: () => mul(g, share(b, a)) }
    case 'pow':
      return {
        a: () => mul(g, mul(b, pow(a, sub(b, scalarLike(b, 1))))),
        // 0^b is constant in b for b > 0; the logarithm of 0 must not make it NaN.
        b: () => mul(g, where(lessThan(scalarLike(a, 0), a), mul(pow(a, b), log(maximum(a, scalarLike(a, 1e-38)))), zerosOf(a))),
      }
    case 'add':
    case 'sub':
    case 'lt':
    case 'eq':
      return undefined
  }
}

/** 1 where low < high, ½ where they tie, else 0: the gradient of a maximum is split at ties, as PyTorch does. */
const share = (low: Tensor, high: Tensor): Tensor =>
  add(cast(lessThan(low, high), high.dtype), mul(scalarLike(high, 0.5), cast(equal(low, high), high.dtype)))

export const whereOp = defineOp({
  name: 'where',
  inputs: ['condition', 'a', 'b'],
  infer: ([condition, a, b]) => {
    if (one(condition).dtype !== 'u8') throw new DTypeError(`where: expected a u8 condition, got ${one(condition).dtype}`)
    requireSameDType('where', [one(a), one(b)])
    return [{ shape: broadcastShapes('where', shapeOf(condition), broadcastShapes('where', shapeOf(a), shapeOf(b))), dtype: one(a).dtype }]
  },
  saves: { inputs: ['condition'] },
  vjp: ({ saved: { condition }, gradients: [g], needs, inputMetas: [, a, b] }) => {
    const zero = scalarLike(g!, 0)
    return [
      undefined,
      needs[1] ? sumTo(where(condition, g!, zero), shapeOf(a)) : undefined,
      needs[2] ? sumTo(where(condition, zero, g!), shapeOf(b)) : undefined,
    ]
  },
})

export const castOp = defineOp({
  name: 'cast',
  inputs: ['x'],
  infer: ([x], attrs) => [{ shape: shapeOf(x), dtype: attrs['to'] as DType }],
  saves: {},
  vjp: ({ gradients: [g], inputMetas: [x], attrs }) => {
    const { dtype } = one(x)
    const isDiscrete = dtype === 'i32' || dtype === 'u8' || attrs['to'] === 'i32' || attrs['to'] === 'u8'
    return [isDiscrete ? undefined : cast(g!, dtype)]
  },
})

export const reduceOp = defineOp({
  name: 'reduce',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const { shape, dtype } = one(x)
    const axes = new Set(numbers(attrs, 'axes'))
    const reduced = shape.map((size, axis) => (axes.has(axis) ? 1 : size))
    return [{ shape: attrs['keepDims'] ? reduced : reduced.filter((_, axis) => !axes.has(axis)), dtype }]
  },
  saves: { inputs: ['x'], outputs: ['output'] },
  vjp: ({ saved: { x, output }, gradients: [g], attrs }) => {
    const kept = x.shape.map((size, axis) => (numbers(attrs, 'axes').includes(axis) ? 1 : size))
    const wide = broadcastTo(reshape(g!, kept), x.shape)
    // The gradient of max and min goes to the extremes in equal parts, as PyTorch's amax does.
    const isExtreme = cast(equal(x, broadcastTo(reshape(output, kept), x.shape)), x.dtype)
    const count = reduce(isExtreme, 'sum', numbers(attrs, 'axes'), true)
    return [div(mul(wide, isExtreme), broadcastTo(count, x.shape))]
  },
})

// A sum saves nothing.
export const reduceSumOp = defineOp({
  name: 'reduce',
  inputs: ['x'],
  infer: reduceOp.infer,
  saves: {},
  vjp: ({ gradients: [g], attrs, inputMetas: [x] }) => {
    const kept = shapeOf(x).map((size, axis) => (numbers(attrs, 'axes').includes(axis) ? 1 : size))
    return [broadcastTo(reshape(g!, kept), shapeOf(x))]
  },
})

export const matMulOp = defineOp({
  name: 'matMul',
  inputs: ['a', 'b'],
  infer: ([a, b], attrs) => {
    const [x, y] = [one(a), one(b)]
    requireSameDType('matMul', [x, y])
    if (x.dtype === 'i32' || x.dtype === 'u8') throw new DTypeError(`matMul: expected float tensors, got ${x.dtype}`)
    if (x.shape.length < 2 || y.shape.length < 2) throw new ShapeError(`matMul: expected tensors of rank ≥ 2, got ${formatShape(x.shape)} and ${formatShape(y.shape)}`)
    const [rows, inner] = lastTwo(x.shape, attrs['transposeA'] === true)
    const [inner2, columns] = lastTwo(y.shape, attrs['transposeB'] === true)
    if (inner !== inner2) {
      const flags = `${attrs['transposeA'] === true ? ', transposeA' : ''}${attrs['transposeB'] === true ? ', transposeB' : ''}`
      throw new ShapeError(`matMul: inner sizes ${inner} and ${inner2} differ (${formatShape(x.shape)} × ${formatShape(y.shape)}${flags})`)
    }
    const batch = broadcastShapes('matMul', x.shape.slice(0, -2), y.shape.slice(0, -2))
    return [{ shape: [...batch, rows, columns], dtype: x.dtype }]
  },
  saves: { inputs: ['a', 'b'] },
  vjp: ({ saved: { a, b }, gradients: [g], attrs, needs: [needA, needB] }) => {
    const ta = attrs['transposeA'] === true
    const tb = attrs['transposeB'] === true
    const gradientA = () => (ta ? matMul(b, g!, { transposeA: tb, transposeB: true }) : matMul(g!, b, { transposeB: !tb }))
    const gradientB = () => (tb ? matMul(g!, a, { transposeA: true, transposeB: ta }) : matMul(a, g!, { transposeA: !ta }))
    return [needA ? sumTo(gradientA(), a.shape) : undefined, needB ? sumTo(gradientB(), b.shape) : undefined]
  },
})

const lastTwo = (shape: Shape, transposed: boolean): readonly [number, number] => {
  const [rows, columns] = [shape[shape.length - 2]!, shape[shape.length - 1]!]
  return transposed ? [columns, rows] : [rows, columns]
}

export const permuteOp = defineOp({
  name: 'permute',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const axes = numbers(attrs, 'axes')
    const { shape, dtype } = one(x)
    if (axes.length !== shape.length || new Set(axes).size !== axes.length) throw new ShapeError(`permute: axes [${axes.join(', ')}] are no permutation of the axes of ${formatShape(shape)}`)
    return [{ shape: axes.map((axis) => shape[axis]!), dtype }]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs }) => {
    const axes = numbers(attrs, 'axes')
    return [permute(g!, axes.map((_, axis) => axes.indexOf(axis)))]
  },
})

export const broadcastToOp = defineOp({
  name: 'broadcastTo',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const shape = numbers(attrs, 'shape')
    checkShape('broadcastTo', shape)
    if (!sameShape(broadcastShapes('broadcastTo', shapeOf(x), shape), shape)) throw new ShapeError(`broadcastTo: ${formatShape(shapeOf(x))} does not broadcast to ${formatShape(shape)}`)
    return [{ shape, dtype: one(x).dtype }]
  },
  saves: {},
  vjp: ({ gradients: [g], inputMetas: [x] }) => [sumTo(g!, shapeOf(x))],
})

export const sliceOp = defineOp({
  name: 'slice',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const { shape, dtype } = one(x)
    const [starts, sizes] = [numbers(attrs, 'starts'), numbers(attrs, 'sizes')]
    const fits = starts.length === shape.length && sizes.length === shape.length && shape.every((size, i) => starts[i]! >= 0 && sizes[i]! >= 0 && starts[i]! + sizes[i]! <= size)
    checkShape('slice', [...starts, ...sizes])
    if (!fits) throw new ShapeError(`slice: starts [${starts.join(', ')}] with sizes [${sizes.join(', ')}] do not lie in ${formatShape(shape)}`)
    return [{ shape: sizes, dtype }]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs, inputMetas: [x] }) => {
    const [starts, sizes] = [numbers(attrs, 'starts'), numbers(attrs, 'sizes')]
    return [pad(g!, starts, shapeOf(x).map((size, i) => size - starts[i]! - sizes[i]!))]
  },
})

export const padOp = defineOp({
  name: 'pad',
  inputs: ['x'],
  infer: ([x], attrs) => {
    const { shape, dtype } = one(x)
    const [before, after] = [numbers(attrs, 'before'), numbers(attrs, 'after')]
    if (before.length !== shape.length || after.length !== shape.length) throw new ShapeError(`pad: expected ${shape.length} widths before and after for ${formatShape(shape)}`)
    const padded = shape.map((size, i) => size + before[i]! + after[i]!)
    checkShape('pad', [...before, ...after])
    return [{ shape: padded, dtype }]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs, inputMetas: [x] }) => [slice(g!, numbers(attrs, 'before'), shapeOf(x))],
})

export const concatOp = defineOp({
  name: 'concat',
  inputs: ['xs[]'],
  infer: ([xs], attrs) => {
    const parts = many(xs)
    const [first] = parts
    if (first === undefined) throw new ShapeError('concat: expected at least one tensor')
    requireSameDType('concat', parts)
    const axis = attrs['axis'] as number
    for (const { shape } of parts) {
      if (shape.length !== first.shape.length || shape.some((size, i) => i !== axis && size !== first.shape[i])) {
        throw new ShapeError(`concat: shapes ${formatShape(first.shape)} and ${formatShape(shape)} differ outside of axis ${axis}`)
      }
    }
    return [{ shape: first.shape.map((size, i) => (i === axis ? parts.reduce((sum, part) => sum + part.shape[i]!, 0) : size)), dtype: first.dtype }]
  },
  saves: {},
  vjp: ({ gradients: [g], attrs, inputMetas: [xs], needs: [needs] }) => {
    const axis = attrs['axis'] as number
    let start = 0
    return [
      many(xs).map(({ shape }, k) => {
        const from = start
        start += shape[axis]!
        return (needs as readonly boolean[])[k] ? slice(g!, shape.map((_, i) => (i === axis ? from : 0)), shape) : (undefined as unknown as Tensor)
      }),
    ]
  },
})

export const gatherOp = defineOp({
  name: 'gather',
  inputs: ['x', 'indices'],
  infer: ([x, indices], attrs) => {
    if (one(indices).dtype !== 'i32') throw new DTypeError(`gather: expected i32 indices, got ${one(indices).dtype}`)
    const axis = attrs['axis'] as number
    return [{ shape: [...shapeOf(x).slice(0, axis), ...shapeOf(indices), ...shapeOf(x).slice(axis + 1)], dtype: one(x).dtype }]
  },
  saves: { inputs: ['indices'] },
  vjp: ({ saved: { indices }, gradients: [g], attrs, inputMetas: [x] }) => {
    const axis = attrs['axis'] as number
    const shape = shapeOf(x)
    const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)]
    const flat = reshape(g!, [sizeOf(outer), indices.size, sizeOf(inner)])
    const rows = axis === 0 ? reshape(flat, [indices.size, sizeOf(inner)]) : reshape(permute(flat, [1, 0, 2]), [indices.size, sizeOf(outer) * sizeOf(inner)])
    const summed = scatterAdd(reshape(indices, [indices.size]), rows, shape[axis]!)
    return [axis === 0 ? reshape(summed, shape) : reshape(permute(reshape(summed, [shape[axis]!, sizeOf(outer), sizeOf(inner)]), [1, 0, 2]), shape), undefined]
  },
})

export const scatterAddOp = defineOp({
  name: 'scatterAdd',
  inputs: ['indices', 'updates'],
  infer: ([indices, updates], attrs) => {
    checkShape('scatterAdd', [attrs['size'] as number])
    if (one(indices).dtype !== 'i32') throw new DTypeError(`scatterAdd: expected i32 indices, got ${one(indices).dtype}`)
    if (shapeOf(indices).length !== 1 || shapeOf(indices)[0] !== shapeOf(updates)[0]) throw new ShapeError(`scatterAdd: expected one index a row, got ${formatShape(shapeOf(indices))} for ${formatShape(shapeOf(updates))}`)
    return [{ shape: [attrs['size'] as number, ...shapeOf(updates).slice(1)], dtype: one(updates).dtype }]
  },
  saves: { inputs: ['indices'] },
  vjp: ({ saved: { indices }, gradients: [g] }) => [undefined, gather(g!, indices, 0)],
})

/** Every primitive, for tests that go through all of them. */
export const primitiveOps = [fillOp, iotaOp, unaryOp, binaryOp, whereOp, castOp, reduceOp, matMulOp, permuteOp, broadcastToOp, sliceOp, padOp, concatOp, gatherOp, scatterAddOp]

const unary = (op: UnaryOp) => (x: Tensor): Tensor => execOne(unaryOp, [x], { op })
const binary = (op: BinaryOp) => (a: Tensor, b: Tensor): Tensor => execOne(op === 'add' || op === 'sub' ? sumOp : binaryOp, [a, b], { op })

export const neg = unary('neg')
export const exp = unary('exp')
export const log = unary('log')
export const sqrt = unary('sqrt')
/** 1 / √x. */
export const rsqrt = unary('rsqrt')
export const sin = unary('sin')
export const cos = unary('cos')
export const tanh = unary('tanh')
/** 2/√π ∫₀ˣ exp(−t²) dt. */
export const erf = unary('erf')
export const abs = unary('abs')
export const floor = unary('floor')

export const add = binary('add')
export const sub = binary('sub')
export const mul = binary('mul')
export const div = binary('div')
/** Elementwise; NaN wins. */
export const maximum = binary('max')
/** Elementwise; NaN wins. */
export const minimum = binary('min')
export const pow = binary('pow')
/** a < b as u8. */
export const lessThan = binary('lt')
/** a = b as u8. */
export const equal = binary('eq')

/** condition (u8) ≠ 0 ? a : b, broadcasting all three. */
export const where = (condition: Tensor, a: Tensor, b: Tensor): Tensor => execOne(whereOp, [condition, a, b])

/** Another dtype; the same tensor's values where it is that already. */
export const cast = (x: Tensor, to: DType): Tensor => (x.dtype === to ? reshape(x, x.shape) : execOne(castOp, [x], { to }))

const reduce = (x: Tensor, op: ReduceOp, axes: readonly number[], keepDims: boolean): Tensor =>
  execOne(op === 'sum' ? reduceSumOp : reduceOp, [x], { op, axes, keepDims })

const reduction = (op: ReduceOp) => (x: Tensor, options: { readonly axes?: readonly number[]; readonly keepDims?: boolean } = {}): Tensor => {
  const axes = options.axes?.map((axis) => normalizeAxis(op, axis, x.shape.length)) ?? x.shape.map((_, axis) => axis)
  return reduce(x, op, axes, options.keepDims ?? false)
}

/** Sum over axes (default: all). An empty sum is 0. */
export const sum = reduction('sum')
/** Maximum over axes (default: all). */
export const max = reduction('max')
/** Minimum over axes (default: all). */
export const min = reduction('min')

/** [..., M, K] × [..., K, N] → [..., M, N]; leading axes broadcast. */
export const matMul = (a: Tensor, b: Tensor, options: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {}): Tensor =>
  execOne(matMulOp, [a, b], { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false })

/** Axis i of the result is axis axes[i] of x. */
export const permute = (x: Tensor, axes: readonly number[]): Tensor =>
  execOne(permuteOp, [x], { axes: axes.map((axis) => normalizeAxis('permute', axis, x.shape.length)) })

export const broadcastTo = (x: Tensor, shape: Shape): Tensor => (sameShape(x.shape, shape) ? reshape(x, shape) : execOne(broadcastToOp, [x], { shape }))

/** sizes[i] elements of axis i from starts[i] on. */
export const slice = (x: Tensor, starts: readonly number[], sizes: readonly number[]): Tensor => execOne(sliceOp, [x], { starts, sizes })

/** `value` before and after each axis. */
export const pad = (x: Tensor, before: readonly number[], after: readonly number[], value = 0): Tensor => execOne(padOp, [x], { before, after, value })

export const concat = (xs: readonly Tensor[], axis: number): Tensor =>
  execOne(concatOp, [xs], { axis: normalizeAxis('concat', axis, xs[0]?.shape.length ?? 0) })

/** Rows of `axis` at i32 indices of any shape; an index out of range yields 0. */
export const gather = (x: Tensor, indices: Tensor, axis = 0): Tensor =>
  execOne(gatherOp, [x, indices], { axis: normalizeAxis('gather', axis, x.shape.length) })

/** Zeros [size, …D] plus updates[n] at indices[n]; an index out of range is ignored. */
export const scatterAdd = (indices: Tensor, updates: Tensor, size: number): Tensor => execOne(scatterAddOp, [indices, updates], { size })

/** A tensor filled with one value. */
export const full = (backend: Backend, shape: Shape, value: number, options: { readonly dtype?: DType } = {}): Tensor =>
  execOne(fillOp, [], { value, shape, dtype: options.dtype ?? 'f32' }, backend)

/** 0, 1 … length − 1. */
export const iota = (backend: Backend, length: number, options: { readonly dtype?: DType } = {}): Tensor =>
  execOne(iotaOp, [], { length, dtype: options.dtype ?? 'i32' }, backend)

/** A constant [] of the other's dtype, to combine with it. */
export const scalarLike = (x: Tensor, value: number): Tensor => exec(fillOp, [], { value, shape: [], dtype: x.dtype }, x.backend)[0]!

const zerosOf = (x: Tensor): Tensor => full(x.backend, x.shape, 0, { dtype: x.dtype })

/** The same elements in another shape, at no cost: both look at one storage. One size may be −1. */
export const reshape = (x: Tensor, shape: Shape): Tensor => {
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1)
  const target = shape.includes(-1) ? shape.map((size) => (size === -1 ? x.size / known : size)) : shape
  if (sizeOf(target) !== x.size || !target.every(Number.isInteger)) throw new ShapeError(`reshape: ${formatShape(x.shape)} does not fit into ${formatShape(shape)}`)
  const view = x.alias('reshape', target)
  ambient.scope?.add(view)
  const from = x.shape
  ambient.recorder?.noteReshape(x, view, from)
  return view
}

/** Sums broadcast axes away again: the gradient of broadcasting. */
export const sumTo = (x: Tensor, shape: Shape): Tensor => {
  if (sameShape(x.shape, shape)) return reshape(x, shape)
  const extra = x.shape.length - shape.length
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis < extra || (shape[axis - extra] === 1 && x.shape[axis] !== 1))
  const reduced = reduce(x, 'sum', axes, true)
  const view = reshape(reduced, shape)
  reduced.dispose()
  return view
}
