// The package's own version, read from its package.json, which lies one folder above both src/ and dist/.
import { readFileSync } from 'node:fs'

export const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
