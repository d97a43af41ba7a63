// Decoding as a row of small machines: each takes tokens one by one and passes on what is sure by then, so that decoding a stream and
// decoding all at once are the same thing and what was shown is never taken back.

export type Emit = (token: string) => void

export interface DecodeStep {
  push(token: string, emit: Emit): void
  /** Emits what was held back, and is as new. */
  flush(emit: Emit): void
}

export interface DecodeStepKind {
  /** @param isLast whether no step follows, so that a token may be passed on in parts. */
  start(isLast: boolean): DecodeStep
  /** How it treats a text that an earlier step made one token of, and that comes in parts; absent: all parts are awaited. */
  startFused?(): DecodeStep
  /** Whether it makes one token of all. */
  readonly fuses?: boolean
}

/** A step that looks at each token on its own. */
export const perToken = (map: (token: string) => string): DecodeStepKind => ({
  start: () => ({ push: (token, emit) => emit(map(token)), flush: () => undefined }),
})

/** Awaits all parts of one token, then is the step for it. */
const awaiting = (kind: DecodeStepKind): DecodeStep => {
  let parts: string[] = []
  return {
    push: (part) => void parts.push(part),
    flush: (emit) => {
      const step = kind.start(true)
      step.push(parts.join(''), emit)
      step.flush(emit)
      parts = []
    },
  }
}

/** Turns tokens into text. */
export interface TokenDecoder {
  push(token: string): string
  flush(): string
}

export const startDecoder = (kinds: readonly DecodeStepKind[]): TokenDecoder => {
  let isFused = false
  const steps = kinds.map((kind, i) => {
    const step = isFused ? (kind.startFused?.() ?? awaiting(kind)) : kind.start(i === kinds.length - 1)
    isFused ||= kind.fuses === true
    return step
  })
  let text = ''
  const emits: Emit[] = []
  for (let i = steps.length; i >= 0; i--) {
    const step = steps[i]
    const next = emits[i + 1]
    emits[i] = step === undefined ? (part) => void (text += part) : (token) => step.push(token, next!)
  }
  const taken = (): string => {
    const result = text
    text = ''
    return result
  }
  return {
    push: (token) => {
      emits[0]!(token)
      return taken()
    },
    flush: () => {
      steps.forEach((step, i) => step.flush(emits[i + 1]!))
      return taken()
    },
  }
}
