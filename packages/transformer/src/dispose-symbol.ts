// Run times without Symbol.dispose would read `[Symbol.dispose]` as a member named "undefined"; TypeScript's and esbuild's `using`
// look for the registered symbol there.

export const disposeSymbol: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)
