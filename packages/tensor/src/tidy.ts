// Scopes of lifetime. Operations only enqueue, so it is decided synchronously what lives on.
import { WeftError } from '@weft/contracts'
import { ambient } from './runtime.ts'
import { Tensor } from './tensor.ts'

/**
 * Runs `fn` and frees every tensor made meanwhile, except those in what it returns (arrays, maps, sets and plain objects are searched).
 * @throws WeftError of kind `async` if `fn` returns a promise: everything is freed; hold tensors across an await by name instead.
 */
export const tidy = <T>(fn: () => T): T => {
  const outer = ambient.scope
  const scope = new Set<Tensor>()
  ambient.scope = scope
  let kept: T
  try {
    kept = fn()
  } catch (error) {
    ambient.scope = outer
    freeAll(scope)
    throw error
  }
  ambient.scope = outer
  if (isPromise(kept)) {
    freeAll(scope)
    kept.then(undefined, () => undefined)
    throw new WeftError('async', 'tidy: the function returned a promise; tidy frees when it returns, so it must be synchronous. Await outside: `using x = tidy(() => …); await read(x)`')
  }
  for (const tensor of tensorsIn(kept)) {
    if (scope.delete(tensor)) outer?.add(tensor)
  }
  freeAll(scope)
  return kept
}

/** Takes tensors out of the open tidy: the caller now owns them. */
export const keep = <T>(value: T): T => {
  if (ambient.scope !== undefined) for (const tensor of tensorsIn(value)) ambient.scope.delete(tensor)
  return value
}

/** Disposes every tensor found in a value (arrays, maps, sets and plain objects are searched). */
export const disposeAll = (value: unknown): void => {
  for (const tensor of tensorsIn(value)) tensor.dispose()
}

const freeAll = (scope: Set<Tensor>): void => {
  for (const tensor of scope) tensor.dispose()
}

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

const tensorsIn = (value: unknown): Set<Tensor> => {
  const found = new Set<Tensor>()
  const seen = new Set<object>()
  const visit = (x: unknown): void => {
    if (typeof x !== 'object' || x === null || seen.has(x)) return
    seen.add(x)
    if (x instanceof Tensor) found.add(x)
    else if (Array.isArray(x) || x instanceof Set) x.forEach(visit)
    else if (x instanceof Map) for (const entry of x.values()) visit(entry)
    else if (isPlain(x)) for (const entry of Object.values(x)) visit(entry)
  }
  visit(value)
  return found
}

const isPlain = (x: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}
