// The high-water mark of resident memory, of this process. Linux tells that of the program itself; what getrusage says there includes
// the parent's at the fork, so it is only the fallback.
import { existsSync, readFileSync } from 'node:fs'

export const peakMemoryBytes = (): number => {
  if (existsSync('/proc/self/status')) {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kilobytes !== undefined) return Number(kilobytes) * 1024
  }
  return process.resourceUsage().maxRSS * 1024
}
