// Lists a checkpoint's tensors with their mean and standard deviation: `node --conditions=@weft/source list-tensors.ts MODEL`.
import { toFloat32 } from '@weft/weights'
import { openWeights } from '@weft/weights/node'

const [path = 'model.safetensors'] = process.argv.slice(2)
const file = await openWeights(path)
for (const [name, { dtype, shape }] of file.tensors) {
  const values = toFloat32(dtype, await file.read(name))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  console.log(name.padEnd(50), dtype, `[${shape.join(', ')}]`, mean.toFixed(4), Math.sqrt(variance).toFixed(4))
}
await file.close()
