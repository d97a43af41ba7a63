// Which parts of a rendered chat the assistant says. Templates may mark them with `{% generation %}` blocks, an addition of
// transformers that @huggingface/jinja reads over: here the tags become statements that print marks, and the marks are taken out
// again. Without blocks, a turn is what it adds to the text of the messages before it.
import { UnsupportedError } from '@weft/contracts'

type Span = readonly [start: number, end: number]

export interface SpanSource {
  readonly place: string
  readonly messages: readonly object[]
  render(changes: { messages?: readonly Readonly<Record<string, unknown>>[]; addGenerationPrompt?: boolean }): string
  /** The same with `open` and `close` printed around each block; undefined where the template has no blocks. */
  readonly renderMarked: ((open: string, close: string) => string) | undefined
}

const openVariable = 'weft_generation_opens'
const closeVariable = 'weft_generation_closes'
const tag = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g

/**
 * The template with its `{% generation %}` tags made into statements that print two variables; undefined where it has none. A
 * statement stands at each end, so that white space is cut around it as around the tag.
 */
export const markGenerationBlocks = (source: string): { source: string; open: string; close: string } | undefined => {
  const marked = source.replace(
    tag,
    (_, left: string, isEnd: string | undefined, right: string) =>
      `{%${left} if true %}{{ ${isEnd === undefined ? openVariable : closeVariable} }}{% endif ${right}%}`,
  )
  return marked === source ? undefined : { source: marked, open: openVariable, close: closeVariable }
}

export const findSpans = (source: SpanSource): { text: string; assistantSpans: readonly Span[] } => {
  const text = source.render({})
  const assistantSpans = (source.renderMarked === undefined ? undefined : fromMarks(text, source.renderMarked)) ?? fromPrefixes(text, source)
  return { text, assistantSpans }
}

/** Undefined where the marks change the text, as when a template filters its blocks. */
const fromMarks = (text: string, renderMarked: NonNullable<SpanSource['renderMarked']>): readonly Span[] | undefined => {
  let salt = 0
  while (text.includes(`\u0002${salt}\u0002`) || text.includes(`\u0003${salt}\u0003`)) salt++
  const open = `\u0002${salt}\u0002`
  const close = `\u0003${salt}\u0003`
  const spans: Span[] = []
  let plain = ''
  for (const [i, part] of renderMarked(open, close).split(open).entries()) {
    const [inside = '', ...outside] = part.split(close)
    if ((i === 0) !== (outside.length === 0) || outside.length > 1) return undefined // blocks inside one another, or half of one
    if (i > 0) spans.push([plain.length, plain.length + inside.length])
    plain += inside + outside.join('')
  }
  return plain === text ? spans : undefined
}

const fromPrefixes = (text: string, { place, messages, render }: SpanSource): readonly Span[] => {
  const spans: Span[] = []
  messages.forEach((message, i) => {
    if ((message as { role?: unknown }).role !== 'assistant') return
    const until = (count: number) => messages.slice(0, count) as readonly Readonly<Record<string, unknown>>[]
    const before = render({ messages: until(i), addGenerationPrompt: true })
    const after = render({ messages: until(i + 1), addGenerationPrompt: false })
    if (!after.startsWith(before)) throw unstable(place, i, 'does not begin with the generation prompt')
    if (!text.startsWith(after)) throw unstable(place, i, 'is written differently once other messages follow')
    spans.push([before.length, after.length])
  })
  return spans
}

const unstable = (place: string, index: number, what: string): UnsupportedError =>
  new UnsupportedError(
    `${place}: message ${index} ${what}, so the part that the assistant says cannot be told; put {% generation %} … {% endgeneration %} around it in the template`,
  )
