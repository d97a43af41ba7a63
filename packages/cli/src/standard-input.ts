// Standard input, whole.
import { UsageError } from './session.ts'

/** @throws UsageError where a person would wait for nothing: standard input is the terminal. */
export const readStandardInput = async (instead: string): Promise<string> => {
  if (process.stdin.isTTY) throw new UsageError(`nothing on standard input; pipe text in, or give ${instead}`)
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
