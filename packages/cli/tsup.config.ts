import { packageBuild } from '@weft/tsup-config'

export default packageBuild({ main: 'src/main.ts' })
