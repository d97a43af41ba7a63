// All operations that native code may have a kernel for.
import type { NativeOperations } from '../operation.ts'
import { activations } from './activations.ts'
import { attention } from './attention.ts'
import { lookups } from './lookups.ts'
import { losses } from './losses.ts'
import { measurements } from './measurements.ts'
import { normalization } from './normalization.ts'
import { optimizers } from './optimizers.ts'
import { primitives } from './primitives.ts'
import { products } from './products.ts'
import { quantized } from './quantized.ts'
import { sampling } from './sampling.ts'

export const nativeOperations: NativeOperations = { ...activations, ...attention, ...lookups, ...losses, ...measurements, ...normalization, ...optimizers, ...primitives, ...products, ...quantized, ...sampling }
