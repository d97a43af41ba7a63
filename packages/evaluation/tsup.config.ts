import { packageBuild } from '@weft/tsup-config'

export default packageBuild({ index: 'src/index.ts', tasks: 'src/tasks.ts', metrics: 'src/metrics.ts' })
