// The kernels that work on visible memory (cpu and wasm), in place of those by tfjs alone.
import type { Primitive } from '@weft/tensor'
import type { Body } from '../kernel.ts'
import { binary, cast, fill, iota, unary, where } from './elementwise.ts'
import { gather, scatterAdd } from './lookup.ts'
import { matMul } from './mat-mul.ts'
import { broadcastTo, concat, pad, permute, slice } from './movement.ts'
import { reduce } from './reduce.ts'

const primitives: Readonly<Record<Primitive, Body>> = { fill, iota, unary, binary, where, cast, reduce, matMul, permute, broadcastTo, slice, pad, concat, gather, scatterAdd }

export const ownKernels: Readonly<Record<string, Body>> = { ...primitives }
