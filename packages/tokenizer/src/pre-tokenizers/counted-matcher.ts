// Matching with a limit to the steps, for patterns and texts on which the engine's own regular expressions might backtrack for ever: a
// plain backtracking matcher, made of one function per node, that counts what it does.
import { UnsupportedError } from '@weft/contracts'
import { codePointAt } from '../text/code-point-set.ts'
import type { Matcher } from './matcher.ts'
import type { PatternNode } from './pattern-tree.ts'

/** Whether the pattern goes on from `at`: what follows is given as a function, so that each way can be taken back. */
type Match = (at: number, then: (at: number) => boolean) => boolean

interface State {
  text: string
  steps: number
  readonly captures: (string | undefined)[]
}

const stepsPerUnit = 100 // a good pattern takes some ten
const freeSteps = 5_000_000

/** @param describe begins the message of the error. */
export const countedMatcher = (tree: PatternNode, describe: string): Matcher => {
  const state: State = { text: '', steps: 0, captures: [] }
  const match = compile(tree, state)
  return (text) => {
    state.text = text
    state.steps = freeSteps + stepsPerUnit * text.length
    const matches: number[] = []
    let last = -1
    const width = (at: number): number => (at < text.length && codePointAt(text, at) > 0xffff ? 2 : 1)
    try {
      for (let at = 0; at <= text.length; ) {
        let end = -1
        const found = match(at, (to) => {
          end = to
          return true
        })
        if (found && (end > at || end !== last)) matches.push(at, end)
        if (found) last = end
        at = found && end > at ? end : at + width(at)
      }
    } catch (error) {
      // The depth of the calls is a limit too
      if (error instanceof RangeError || error === tooLong) throw new UnsupportedError(`${describe} takes too many steps on this text; write it so that a repetition can match a text in one way only`)
      throw error
    }
    return matches
  }
}

const tooLong = Symbol('too many steps')

const compile = (node: PatternNode, state: State): Match => {
  if (node.kind === 'set') return (at, then) => one(node, state, at) && then(at + widthAt(state.text, at))
  if (node.kind === 'sequence') {
    return node.parts.map((part) => compile(part, state)).reduceRight<Match>((rest, part) => (at, then) => part(at, (next) => rest(next, then)), (at, then) => then(at))
  }
  if (node.kind === 'either') {
    const options = node.options.map((option) => compile(option, state))
    return (at, then) => options.some((option) => option(at, then))
  }
  if (node.kind === 'repeat') return node.body.kind === 'set' && !node.lazy ? run(node.body, node.min, node.max, state) : repeat(node, state)
  if (node.kind === 'look') return look(node, state)
  if (node.kind === 'end') return (at, then) => (node.atStart ? at === 0 : at === state.text.length) && then(at)
  if (node.kind === 'same') {
    return (at, then) => {
      const captured = state.captures[node.index] ?? ''
      return state.text.startsWith(captured, at) && then(at + captured.length)
    }
  }
  const body = compile(node.body, state)
  return (at, then) =>
    body(at, (end) => {
      const before = state.captures[node.index]
      state.captures[node.index] = state.text.slice(at, end)
      if (then(end)) return true
      state.captures[node.index] = before
      return false
    })
}

const count = (state: State): void => {
  if (--state.steps < 0) throw tooLong
}

const widthAt = (text: string, at: number): number => (codePointAt(text, at) > 0xffff ? 2 : 1)

const one = (node: Extract<PatternNode, { kind: 'set' }>, state: State, at: number): boolean => {
  count(state)
  return at < state.text.length && node.set.has(codePointAt(state.text, at))
}

/** A run of characters of one set, the longest first: a loop, not a call per character. */
const run = (node: Extract<PatternNode, { kind: 'set' }>, min: number, max: number, state: State): Match => (start, then) => {
  let at = start
  let times = 0
  while (times < max && one(node, state, at)) {
    at += widthAt(state.text, at)
    times++
  }
  for (; times >= min; times--) {
    count(state)
    if (then(at)) return true
    if (times > 0) at -= at > start + 1 && widthAt(state.text, at - 2) === 2 ? 2 : 1
  }
  return false
}

const repeat = ({ body, min, max, lazy }: Extract<PatternNode, { kind: 'repeat' }>, state: State): Match => {
  const inner = compile(body, state)
  return (start, then) => {
    const again = (times: number, at: number): boolean => {
      count(state)
      const more = (): boolean => times < max && inner(at, (next) => (next > at || times < min) && again(times + 1, next))
      if (times < min) return more()
      return lazy ? then(at) || more() : more() || then(at)
    }
    return again(0, start)
  }
}

const look = ({ body, behind, negative }: Extract<PatternNode, { kind: 'look' }>, state: State): Match => {
  const inner = compile(body, state)
  const reach = behind ? longest(body) : 0
  const isThere = (at: number): boolean => {
    if (!behind) return inner(at, () => true)
    for (let from = at; from >= Math.max(0, at - reach); from--) if (inner(from, (end) => end === at)) return true
    return false
  }
  return (at, then) => isThere(at) !== negative && then(at)
}

/** The most units that a node can match. */
const longest = (node: PatternNode): number => {
  if (node.kind === 'set') return 2
  if (node.kind === 'sequence') return node.parts.reduce((sum, part) => sum + longest(part), 0)
  if (node.kind === 'either') return Math.max(...node.options.map(longest))
  if (node.kind === 'repeat') return node.max === 0 ? 0 : longest(node.body) * node.max
  if (node.kind === 'capture') return longest(node.body)
  return node.kind === 'same' ? Infinity : 0
}
