// Run times without Symbol.dispose would read `[Symbol.dispose]` as a member named "undefined".

export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)
