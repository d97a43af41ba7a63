// Ends in the middle of work, in the way that its argument says.
import { read } from '@weft/tensor'
import { createNativeBackend } from '../../src/index.ts'
import { enqueueLongWork } from './long-work.ts'

const backend = createNativeBackend({ threads: 2 })
const last = enqueueLongWork(backend, 1000)
const how = process.argv[2]
if (how === 'exit with a read open') void read(last)
if (how === 'disposing') void backend.dispose()
if (how === 'interrupt') {
  process.on('SIGINT', () => {
    process.stdout.write('interrupted\n')
    process.exit(130)
  })
  void read(last).then(() => process.stdout.write('read\n'))
  process.stdout.write('enqueued\n')
} else if (how === 'throw') throw new Error('on purpose')
else if (how !== 'nothing left to do') setTimeout(() => process.exit(7), 20)
