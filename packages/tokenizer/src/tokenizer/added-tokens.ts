// Added tokens: texts that become one id wherever they stand, before any pre-tokenization. Found leftmost, the longest first, in one
// pass over the text with a trie. The four flags mean what they mean in huggingface/tokenizers (tokenizer/added_vocabulary.rs).
import { engineIsNewer, newerThanReference } from '../text/unicode-differences.ts'

export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Special tokens are left out by `skipSpecialTokens` and governed by `allowSpecial`. */
  readonly special: boolean
  /** Takes the white space before it along. */
  readonly lstrip: boolean
  /** Takes the white space behind it along. */
  readonly rstrip: boolean
  /** Only where no word character touches it. */
  readonly singleWord: boolean
  /** Looked for in the normalized text, itself normalized; else in the text as it came. */
  readonly normalized: boolean
}

interface AddedTokenMatch {
  readonly start: number
  readonly end: number
  readonly token: AddedToken
}

/** All places of the given tokens in a text, in order, without overlap. */
export type AddedTokenMatcher = (text: string) => readonly AddedTokenMatch[]

interface TrieNode {
  readonly children: Map<number, TrieNode>
  token?: AddedToken
}

const none: readonly AddedTokenMatch[] = []

/** @param contentOf the text to look for; default the token's content. */
export const createAddedTokenMatcher = (
  tokens: readonly AddedToken[],
  contentOf: (token: AddedToken) => string = (token) => token.content,
): AddedTokenMatcher => {
  const root: TrieNode = { children: new Map() }
  const isFirst = new Uint8Array(65_536)
  for (const token of tokens) {
    const content = contentOf(token)
    if (content === '') continue
    isFirst[content.charCodeAt(0)] = 1
    insert(root, content, token)
  }
  if (root.children.size === 0) return () => none
  return (text) => {
    let matches: AddedTokenMatch[] | undefined
    let from = 0
    for (let at = 0; at < text.length; at++) {
      if (isFirst[text.charCodeAt(at)] === 0) continue
      const found = longestAt(root, text, at)
      if (found === undefined) continue
      const match = fit(text, at, found.end, found.token, from)
      if (match !== undefined) (matches ??= []).push(match)
      if (match !== undefined) from = match.end
      at = found.end - 1 // not behind the white space that came along: the reference finds tokens within it once more
    }
    return matches ?? none
  }
}

const insert = (root: TrieNode, content: string, token: AddedToken): void => {
  let node = root
  for (let i = 0; i < content.length; i++) {
    const unit = content.charCodeAt(i)
    const child: TrieNode = node.children.get(unit) ?? { children: new Map() }
    node.children.set(unit, child)
    node = child
  }
  node.token ??= token
}

const longestAt = (root: TrieNode, text: string, at: number): { end: number; token: AddedToken } | undefined => {
  let best: { end: number; token: AddedToken } | undefined
  let node: TrieNode | undefined = root
  for (let end = at; end < text.length; ) {
    node = node.children.get(text.charCodeAt(end++))
    if (node === undefined) break
    if (node.token !== undefined) best = { end, token: node.token }
  }
  return best
}

const wordClass = `[[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]${engineIsNewer ? `--[${newerThanReference}]` : ''}]`
const wordBefore = /* @__PURE__ */ new RegExp(`${wordClass}$`, 'v')
const wordAfter = /* @__PURE__ */ new RegExp(`^${wordClass}`, 'v')
const isSpace = (text: string, at: number): boolean => /^\p{White_Space}/u.test(text.charAt(at))

/** The match with its flags applied; undefined where a single word is asked for and none stands there. */
const fit = (text: string, start: number, end: number, token: AddedToken, from: number): AddedTokenMatch | undefined => {
  if (token.singleWord) {
    // Two units hold any character
    const touches = wordBefore.test(text.slice(Math.max(0, start - 2), start)) || wordAfter.test(text.slice(end, end + 2))
    if (touches) return undefined
  }
  if (token.lstrip) {
    while (start > 0 && isSpace(text, start - 1)) start--
    start = Math.max(start, from)
  }
  if (token.rstrip) while (end < text.length && isSpace(text, end)) end++
  return start < end ? { start, end, token } : undefined
}
