// Where installed peers are: a cache folder outside the repository.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** WEFT_PEERS, else the user's cache folder. */
export const peerFolder = (): string => process.env['WEFT_PEERS'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'weft', 'bench-peers')

export const venvPython = (): string => join(peerFolder(), 'venv', 'bin', 'python')

/** WEFT_PYTHON, else that of the peers' own environment where it was made, else the system's. */
export const pythonOfPeers = (): string => process.env['WEFT_PYTHON'] || (existsSync(venvPython()) ? venvPython() : 'python3')

export const llmCProgram = (): string => join(peerFolder(), 'llm.c', 'weft_peer')
