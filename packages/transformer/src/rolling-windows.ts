// How a long text is scored: every token predicted once, in windows of the context length (lm-evaluation-harness,
// `get_rolling_token_windows` with a context of 1).

export interface Window {
  /** At most `contextLength` tokens. */
  readonly input: Uint32Array
  /** What the last positions of `input` must predict. */
  readonly targets: Uint32Array
}

/**
 * The first window predicts from `prefixId` alone; the next ones continue where it ended; the last one reaches back for a full
 * context. Ten tokens 0 … 9 with contextLength 4: (P 0 1 2 → 0 1 2 3), (3 4 5 6 → 4 5 6 7), (5 6 7 8 → 8 9).
 */
export const rollingWindows = (tokenIds: Uint32Array, options: { readonly prefixId: number; readonly contextLength: number }): Window[] => {
  const { prefixId, contextLength } = options
  const first = Math.min(contextLength, tokenIds.length)
  if (first === 0) return []
  const start = new Uint32Array(first)
  start[0] = prefixId
  start.set(tokenIds.subarray(0, first - 1), 1)
  const windows = [{ input: start, targets: tokenIds.slice(0, first) }]
  for (let predicted = first; predicted < tokenIds.length; ) {
    const end = Math.min(predicted + contextLength, tokenIds.length)
    windows.push({ input: tokenIds.slice(end - contextLength - 1, end - 1), targets: tokenIds.slice(predicted, end) })
    predicted = end
  }
  return windows
}
