import { afterEach, expect, test, vi } from 'vitest'
import { startPythonPeer } from './python-peer.ts'

afterEach(() => vi.unstubAllEnvs())

test.each(['/nowhere/python', process.execPath])('no Python, or something else in its place (%s): skipped, with the way to get it', async (python) => {
  vi.stubEnv('WEFT_PYTHON', python)
  const notes: string[] = []
  expect(await startPythonPeer('torch_peer.py', 'torch', (line) => notes.push(line))).toBeUndefined()
  expect(notes).toEqual(['skipped: torch (Python) is not installed; `npm run bench -- peers` installs the peers, WEFT_PYTHON names another Python'])
})
