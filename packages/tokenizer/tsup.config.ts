import { packageBuild } from '@weft/tsup-config'

export default packageBuild({
  index: 'src/index.ts',
  bpe: 'src/bpe/index.ts',
  encoding: 'src/encoding/index.ts',
  formats: 'src/formats/index.ts',
  report: 'src/report/index.ts',
})
