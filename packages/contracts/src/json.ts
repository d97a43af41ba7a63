/**
 * A JSON value. Integers beyond 2^53 travel as decimal strings, non-finite numbers as null.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
