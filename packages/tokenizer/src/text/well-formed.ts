// Lone surrogates become U+FFFD, as TextEncoder makes them. In every engine since 2023, though not yet in ES2023's type library.
export const wellFormed = (text: string): string => (text as string & { toWellFormed(): string }).toWellFormed()
