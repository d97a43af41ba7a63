// A peer: a process that answers one line with one JSON line, so that its runs take turns with ours.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Reply = Readonly<Record<string, unknown>>

export interface LinePeer {
  /** @throws Error with the peer's own message where it could not do it, or when it has ended. */
  ask(line: string): Promise<Reply>
  close(): void
}

export const startLinePeer = (name: string, command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): LinePeer => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } })
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let failure: Error | undefined
  child.on('error', (error) => void (failure = error))
  child.stdin.on('error', (error) => void (failure ??= error)) // a peer that died: the missing answer tells it
  return {
    ask: async (line) => {
      child.stdin.write(`${line}\n`)
      const { value, done } = await replies.next()
      if (done === true) throw new Error(`${name} ended without an answer to ${line.slice(0, 200)}${failure === undefined ? '' : `: ${failure.message}`}`)
      const reply = parseReply(name, value)
      if (reply['error'] !== undefined) throw new Error(`${name} could not do ${line.slice(0, 200)}: ${String(reply['error'])}`)
      return reply
    },
    close: () => void child.kill(),
  }
}

const parseReply = (name: string, line: string): Reply => {
  try {
    return JSON.parse(line) as Reply
  } catch {
    throw new Error(`${name} answered something that is not JSON: ${line.slice(0, 200)}`)
  }
}

/** A number of a reply. @throws Error naming what is missing. */
export const numberOf = (reply: Reply, key: string): number => {
  const value = reply[key]
  if (typeof value !== 'number') throw new Error(`expected a number ${key} in the peer's answer, got ${JSON.stringify(value)}`)
  return value
}

export const numbersOf = (reply: Reply, key: string): number[] => {
  const value = reply[key]
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number')) throw new Error(`expected numbers ${key} in the peer's answer`)
  return value
}
